// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of keys.
 */
public final class KeyPage extends Model {
  @JsonProperty("keys")
  private List<Key> keys;

  @JsonProperty("next_cursor")
  private String nextCursor;

  /** Makes one without members. */
  public KeyPage() {}

  /**
   * By id.
   *
   * @return the value
   */
  public List<Key> getKeys() {
    return keys;
  }

  /**
   * Sets {@code keys}.
   *
   * @param keys see {@link #getKeys}; null leaves the member out
   * @return this
   */
  public KeyPage keys(List<Key> keys) {
    this.keys = keys;
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
  public KeyPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }
}
