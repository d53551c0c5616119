// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of tenants.
 */
public final class TenantPage extends Model {
  @JsonProperty("next_cursor")
  private String nextCursor;

  @JsonProperty("tenants")
  private List<Tenant> tenants;

  /** Makes one without members. */
  public TenantPage() {}

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
  public TenantPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }

  /**
   * By name.
   *
   * @return the value
   */
  public List<Tenant> getTenants() {
    return tenants;
  }

  /**
   * Sets {@code tenants}.
   *
   * @param tenants see {@link #getTenants}; null leaves the member out
   * @return this
   */
  public TenantPage tenants(List<Tenant> tenants) {
    this.tenants = tenants;
    return this;
  }
}
