// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How many deliveries will be tried again.
 */
public final class ReplayedDeliveries extends Model {
  @JsonProperty("more")
  private Boolean more;

  @JsonProperty("replayed")
  private Long replayed;

  /** Makes one without members. */
  public ReplayedDeliveries() {}

  /**
   * Whether there may be others: ask again.
   *
   * @return the value
   */
  public boolean isMore() {
    return more != null && more;
  }

  /**
   * Sets {@code more}.
   *
   * @param more see {@link #isMore}; null leaves the member out
   * @return this
   */
  public ReplayedDeliveries more(Boolean more) {
    this.more = more;
    return this;
  }

  /**
   * How many there are.
   *
   * @return the value
   */
  public long getReplayed() {
    return replayed == null ? 0 : replayed;
  }

  /**
   * Sets {@code replayed}.
   *
   * @param replayed see {@link #getReplayed}; null leaves the member out
   * @return this
   */
  public ReplayedDeliveries replayed(Long replayed) {
    this.replayed = replayed;
    return this;
  }
}
