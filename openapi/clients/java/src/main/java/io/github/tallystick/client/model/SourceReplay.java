// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What became of rejects that were mapped again.
 */
public final class SourceReplay extends Model {
  @JsonProperty("duplicates")
  private Long duplicates;

  @JsonProperty("first_rejected")
  private FirstRejected firstRejected;

  @JsonProperty("next")
  private Long next;

  @JsonProperty("read")
  private Long read;

  @JsonProperty("rejected")
  private Long rejected;

  @JsonProperty("skipped")
  private Long skipped;

  @JsonProperty("stored")
  private Long stored;

  @JsonProperty("unavailable")
  private Long unavailable;

  /** Makes one without members. */
  public SourceReplay() {}

  /**
   * Events that were there before.
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
  public SourceReplay duplicates(Long duplicates) {
    this.duplicates = duplicates;
    return this;
  }

  /**
   * The first that still cannot be stored.
   *
   * @return the value; null where it is absent
   */
  public FirstRejected getFirstRejected() {
    return firstRejected;
  }

  /**
   * Sets {@code first_rejected}.
   *
   * @param firstRejected see {@link #getFirstRejected}; null leaves the member out
   * @return this
   */
  public SourceReplay firstRejected(FirstRejected firstRejected) {
    this.firstRejected = firstRejected;
    return this;
  }

  /**
   * Pass it as from to go on; absent at the end of the log of rejects.
   *
   * @return the value; null where it is absent
   */
  public Long getNext() {
    return next;
  }

  /**
   * Sets {@code next}.
   *
   * @param next see {@link #getNext}; null leaves the member out
   * @return this
   */
  public SourceReplay next(Long next) {
    this.next = next;
    return this;
  }

  /**
   * Rejects that were looked at.
   *
   * @return the value
   */
  public long getRead() {
    return read == null ? 0 : read;
  }

  /**
   * Sets {@code read}.
   *
   * @param read see {@link #getRead}; null leaves the member out
   * @return this
   */
  public SourceReplay read(Long read) {
    this.read = read;
    return this;
  }

  /**
   * Records that still cannot be stored; they stay in the log of rejects as they are.
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
  public SourceReplay rejected(Long rejected) {
    this.rejected = rejected;
    return this;
  }

  /**
   * Records that the mapping does not select.
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
  public SourceReplay skipped(Long skipped) {
    this.skipped = skipped;
    return this;
  }

  /**
   * Events that are new.
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
  public SourceReplay stored(Long stored) {
    this.stored = stored;
    return this;
  }

  /**
   * Rejects of which too little was kept, or that were never a record.
   *
   * @return the value
   */
  public long getUnavailable() {
    return unavailable == null ? 0 : unavailable;
  }

  /**
   * Sets {@code unavailable}.
   *
   * @param unavailable see {@link #getUnavailable}; null leaves the member out
   * @return this
   */
  public SourceReplay unavailable(Long unavailable) {
    this.unavailable = unavailable;
    return this;
  }
}
