// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * Where the events of a batch are.
 */
public final class AppendedBatch extends Model {
  @JsonProperty("ahead")
  private Long ahead;

  @JsonProperty("appended")
  private Long appended;

  @JsonProperty("dry_run")
  private Boolean dryRun;

  @JsonProperty("duplicates")
  private List<DuplicateEvent> duplicates;

  @JsonProperty("first_sequence")
  private Long firstSequence;

  @JsonProperty("last_sequence")
  private Long lastSequence;

  /** Makes one without members. */
  public AppendedBatch() {}

  /**
   * How many new events have a time more than a day ahead of when they were recorded.
   *
   * @return the value; null where it is absent
   */
  public Long getAhead() {
    return ahead;
  }

  /**
   * Sets {@code ahead}.
   *
   * @param ahead see {@link #getAhead}; null leaves the member out
   * @return this
   */
  public AppendedBatch ahead(Long ahead) {
    this.ahead = ahead;
    return this;
  }

  /**
   * How many events are new.
   *
   * @return the value
   */
  public long getAppended() {
    return appended == null ? 0 : appended;
  }

  /**
   * Sets {@code appended}.
   *
   * @param appended see {@link #getAppended}; null leaves the member out
   * @return this
   */
  public AppendedBatch appended(Long appended) {
    this.appended = appended;
    return this;
  }

  /**
   * True when nothing was stored, as asked for.
   *
   * @return the value; false where it is absent
   */
  public boolean isDryRun() {
    return dryRun != null && dryRun;
  }

  /**
   * Sets {@code dry_run}.
   *
   * @param dryRun see {@link #isDryRun}; null leaves the member out
   * @return this
   */
  public AppendedBatch dryRun(Boolean dryRun) {
    this.dryRun = dryRun;
    return this;
  }

  /**
   * Events that were there before.
   *
   * @return the value
   */
  public List<DuplicateEvent> getDuplicates() {
    return duplicates;
  }

  /**
   * Sets {@code duplicates}.
   *
   * @param duplicates see {@link #getDuplicates}; null leaves the member out
   * @return this
   */
  public AppendedBatch duplicates(List<DuplicateEvent> duplicates) {
    this.duplicates = duplicates;
    return this;
  }

  /**
   * The least sequence of the batch's events.
   *
   * @return the value
   */
  public long getFirstSequence() {
    return firstSequence == null ? 0 : firstSequence;
  }

  /**
   * Sets {@code first_sequence}.
   *
   * @param firstSequence see {@link #getFirstSequence}; null leaves the member out
   * @return this
   */
  public AppendedBatch firstSequence(Long firstSequence) {
    this.firstSequence = firstSequence;
    return this;
  }

  /**
   * The greatest sequence of the batch's events.
   *
   * @return the value
   */
  public long getLastSequence() {
    return lastSequence == null ? 0 : lastSequence;
  }

  /**
   * Sets {@code last_sequence}.
   *
   * @param lastSequence see {@link #getLastSequence}; null leaves the member out
   * @return this
   */
  public AppendedBatch lastSequence(Long lastSequence) {
    this.lastSequence = lastSequence;
    return this;
  }
}
