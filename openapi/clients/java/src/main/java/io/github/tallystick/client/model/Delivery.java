// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What became of the lines of a delivery.
 */
public final class Delivery extends Model {
  @JsonProperty("duplicates")
  private Long duplicates;

  @JsonProperty("first_rejected")
  private DeliveryFirstRejected firstRejected;

  @JsonProperty("rejected")
  private Long rejected;

  @JsonProperty("skipped")
  private Long skipped;

  @JsonProperty("stored")
  private Long stored;

  /** Makes one without members. */
  public Delivery() {}

  /**
   * Lines whose events were there before.
   *
   * @return the value
   */
  public long getDuplicates() {
    return duplicates == null ? 0 : duplicates;
  }

  /**
   * Sets {@code duplicates}.
   *
   * @param duplicates see {@link #getDuplicates}; null leaves the member out
   * @return this
   */
  public Delivery duplicates(Long duplicates) {
    this.duplicates = duplicates;
    return this;
  }

  /**
   * The member {@code first_rejected}.
   *
   * @return the value; null where it is absent
   */
  public DeliveryFirstRejected getFirstRejected() {
    return firstRejected;
  }

  /**
   * Sets {@code first_rejected}.
   *
   * @param firstRejected see {@link #getFirstRejected}; null leaves the member out
   * @return this
   */
  public Delivery firstRejected(DeliveryFirstRejected firstRejected) {
    this.firstRejected = firstRejected;
    return this;
  }

  /**
   * Lines that are kept in the source's log of rejects.
   *
   * @return the value
   */
  public long getRejected() {
    return rejected == null ? 0 : rejected;
  }

  /**
   * Sets {@code rejected}.
   *
   * @param rejected see {@link #getRejected}; null leaves the member out
   * @return this
   */
  public Delivery rejected(Long rejected) {
    this.rejected = rejected;
    return this;
  }

  /**
   * Lines that the mapping does not select.
   *
   * @return the value
   */
  public long getSkipped() {
    return skipped == null ? 0 : skipped;
  }

  /**
   * Sets {@code skipped}.
   *
   * @param skipped see {@link #getSkipped}; null leaves the member out
   * @return this
   */
  public Delivery skipped(Long skipped) {
    this.skipped = skipped;
    return this;
  }

  /**
   * Lines that are new events.
   *
   * @return the value
   */
  public long getStored() {
    return stored == null ? 0 : stored;
  }

  /**
   * Sets {@code stored}.
   *
   * @param stored see {@link #getStored}; null leaves the member out
   * @return this
   */
  public Delivery stored(Long stored) {
    this.stored = stored;
    return this;
  }
}
