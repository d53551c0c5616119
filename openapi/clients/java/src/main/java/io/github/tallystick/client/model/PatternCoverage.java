// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * How the logs of a pattern stand, each counted by the version of the view that was asked for there last.
 */
public final class PatternCoverage extends Model {
  @JsonProperty("building")
  private Long building;

  @JsonProperty("full")
  private Long full;

  @JsonProperty("halted")
  private Long halted;

  @JsonProperty("live")
  private Long live;

  @JsonProperty("matching")
  private Long matching;

  @JsonProperty("own")
  private Long own;

  @JsonProperty("progress")
  private CoverageProgress progress;

  @JsonProperty("retired")
  private Long retired;

  @JsonProperty("waiting")
  private Long waiting;

  /** Makes one without members. */
  public PatternCoverage() {}

  /**
   * Being built.
   *
   * @return the value
   */
  public long getBuilding() {
    return building == null ? 0 : building;
  }

  /**
   * Sets {@code building}.
   *
   * @param building see {@link #getBuilding}; null leaves the member out
   * @return this
   */
  public PatternCoverage building(Long building) {
    this.building = building;
    return this;
  }

  /**
   * Have no room for another view.
   *
   * @return the value
   */
  public long getFull() {
    return full == null ? 0 : full;
  }

  /**
   * Sets {@code full}.
   *
   * @param full see {@link #getFull}; null leaves the member out
   * @return this
   */
  public PatternCoverage full(Long full) {
    this.full = full;
    return this;
  }

  /**
   * Halted at an event.
   *
   * @return the value
   */
  public long getHalted() {
    return halted == null ? 0 : halted;
  }

  /**
   * Sets {@code halted}.
   *
   * @param halted see {@link #getHalted}; null leaves the member out
   * @return this
   */
  public PatternCoverage halted(Long halted) {
    this.halted = halted;
    return this;
  }

  /**
   * Answering queries.
   *
   * @return the value
   */
  public long getLive() {
    return live == null ? 0 : live;
  }

  /**
   * Sets {@code live}.
   *
   * @param live see {@link #getLive}; null leaves the member out
   * @return this
   */
  public PatternCoverage live(Long live) {
    this.live = live;
    return this;
  }

  /**
   * Logs whose name matches: the sum of the next seven.
   *
   * @return the value
   */
  public long getMatching() {
    return matching == null ? 0 : matching;
  }

  /**
   * Sets {@code matching}.
   *
   * @param matching see {@link #getMatching}; null leaves the member out
   * @return this
   */
  public PatternCoverage matching(Long matching) {
    this.matching = matching;
    return this;
  }

  /**
   * Had a view of this name deployed by itself, and keep it.
   *
   * @return the value
   */
  public long getOwn() {
    return own == null ? 0 : own;
  }

  /**
   * Sets {@code own}.
   *
   * @param own see {@link #getOwn}; null leaves the member out
   * @return this
   */
  public PatternCoverage own(Long own) {
    this.own = own;
    return this;
  }

  /**
   * How far all of them together are.
   *
   * @return the value
   */
  public CoverageProgress getProgress() {
    return progress;
  }

  /**
   * Sets {@code progress}.
   *
   * @param progress see {@link #getProgress}; null leaves the member out
   * @return this
   */
  public PatternCoverage progress(CoverageProgress progress) {
    this.progress = progress;
    return this;
  }

  /**
   * Retired on the log itself; the next version brings it back.
   *
   * @return the value
   */
  public long getRetired() {
    return retired == null ? 0 : retired;
  }

  /**
   * Sets {@code retired}.
   *
   * @param retired see {@link #getRetired}; null leaves the member out
   * @return this
   */
  public PatternCoverage retired(Long retired) {
    this.retired = retired;
    return this;
  }

  /**
   * To get the newest version.
   *
   * @return the value
   */
  public long getWaiting() {
    return waiting == null ? 0 : waiting;
  }

  /**
   * Sets {@code waiting}.
   *
   * @param waiting see {@link #getWaiting}; null leaves the member out
   * @return this
   */
  public PatternCoverage waiting(Long waiting) {
    this.waiting = waiting;
    return this;
  }
}
