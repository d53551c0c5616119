// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of modules.
 */
public final class ModulePage extends Model {
  @JsonProperty("modules")
  private List<StoredModule> modules;

  @JsonProperty("next_cursor")
  private String nextCursor;

  /** Makes one without members. */
  public ModulePage() {}

  /**
   * By SHA-256.
   *
   * @return the value
   */
  public List<StoredModule> getModules() {
    return modules;
  }

  /**
   * Sets {@code modules}.
   *
   * @param modules see {@link #getModules}; null leaves the member out
   * @return this
   */
  public ModulePage modules(List<StoredModule> modules) {
    this.modules = modules;
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
  public ModulePage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }
}
