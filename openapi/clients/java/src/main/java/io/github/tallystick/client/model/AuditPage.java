// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of the audit log.
 */
public final class AuditPage extends Model {
  @JsonProperty("entries")
  private List<AuditEntry> entries;

  @JsonProperty("next_cursor")
  private String nextCursor;

  /** Makes one without members. */
  public AuditPage() {}

  /**
   * Newest first.
   *
   * @return the value
   */
  public List<AuditEntry> getEntries() {
    return entries;
  }

  /**
   * Sets {@code entries}.
   *
   * @param entries see {@link #getEntries}; null leaves the member out
   * @return this
   */
  public AuditPage entries(List<AuditEntry> entries) {
    this.entries = entries;
    return this;
  }

  /**
   * Give it as cursor to get the next page; absent on the last.
   *
   * @return the value; null where it is absent
   */
  public String getNextCursor() {
    return nextCursor;
  }

  /**
   * Sets {@code next_cursor}.
   *
   * @param nextCursor see {@link #getNextCursor}; null leaves the member out
   * @return this
   */
  public AuditPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }
}
