// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;

/**
 * Where an event is.
 */
public final class Appended extends Model {
  @JsonProperty("ahead")
  private Boolean ahead;

  @JsonProperty("dry_run")
  private Boolean dryRun;

  @JsonProperty("duplicate")
  private Boolean duplicate;

  @JsonProperty("guards")
  private Json guards;

  @JsonProperty("sequence")
  private Long sequence;

  /** Makes one without members. */
  public Appended() {}

  /**
   * True when the event's time is more than a day ahead of when it was recorded.
   *
   * @return the value; false where it is absent
   */
  public boolean isAhead() {
    return ahead != null && ahead;
  }

  /**
   * Sets {@code ahead}.
   *
   * @param ahead see {@link #isAhead}; null leaves the member out
   * @return this
   */
  public Appended ahead(Boolean ahead) {
    this.ahead = ahead;
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
  public Appended dryRun(Boolean dryRun) {
    this.dryRun = dryRun;
    return this;
  }

  /**
   * True when the event was there before.
   *
   * @return the value; false where it is absent
   */
  public boolean isDuplicate() {
    return duplicate != null && duplicate;
  }

  /**
   * Sets {@code duplicate}.
   *
   * @param duplicate see {@link #isDuplicate}; null leaves the member out
   * @return this
   */
  public Appended duplicate(Boolean duplicate) {
    this.duplicate = duplicate;
    return this;
  }

  /**
   * What guards of views said of the event when they admitted it, by the views' names. A duplicate has none.
   *
   * @return the value; null where it is absent
   */
  public Json getGuards() {
    return guards;
  }

  /**
   * Sets {@code guards}.
   *
   * @param guards see {@link #getGuards}; null leaves the member out
   * @return this
   */
  public Appended guards(Json guards) {
    this.guards = guards;
    return this;
  }

  /**
   * The event's place in its log.
   *
   * @return the value
   */
  public long getSequence() {
    return sequence == null ? 0 : sequence;
  }

  /**
   * Sets {@code sequence}.
   *
   * @param sequence see {@link #getSequence}; null leaves the member out
   * @return this
   */
  public Appended sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }
}
