// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * How a version of a view counted an event.
 */
public final class ViewExplanation extends Model {
  @JsonProperty("changes")
  private List<StateChange> changes;

  @JsonProperty("changes_left_out")
  private Long changesLeftOut;

  @JsonProperty("outcome")
  private String outcome;

  @JsonProperty("reason")
  private String reason;

  @JsonProperty("status")
  private String status;

  @JsonProperty("version")
  private Integer version;

  @JsonProperty("view")
  private String view;

  /** Makes one without members. */
  public ViewExplanation() {}

  /**
   * What it changed of the view's state, in byte order of keys: at most 100 keys, and 64 KiB of them and their values.
   *
   * @return the value
   */
  public List<StateChange> getChanges() {
    return changes;
  }

  /**
   * Sets {@code changes}.
   *
   * @param changes see {@link #getChanges}; null leaves the member out
   * @return this
   */
  public ViewExplanation changes(List<StateChange> changes) {
    this.changes = changes;
    return this;
  }

  /**
   * Keys that it changed besides.
   *
   * @return the value
   */
  public long getChangesLeftOut() {
    return changesLeftOut == null ? 0 : changesLeftOut;
  }

  /**
   * Sets {@code changes_left_out}.
   *
   * @param changesLeftOut see {@link #getChangesLeftOut}; null leaves the member out
   * @return this
   */
  public ViewExplanation changesLeftOut(Long changesLeftOut) {
    this.changesLeftOut = changesLeftOut;
    return this;
  }

  /**
   * applied: it changed the state; ignored: it changed nothing; not_counted: the state says that it could not be counted, in whole or in part; left_out: the version was resumed past it; halted: the version halted over it; not_yet: the version has not come to it; unknown: it could not be found out.
   *
   * @return the value
   */
  public String getOutcome() {
    return outcome;
  }

  /**
   * Sets {@code outcome}.
   *
   * @param outcome see {@link #getOutcome}; null leaves the member out
   * @return this
   */
  public ViewExplanation outcome(String outcome) {
    this.outcome = outcome;
    return this;
  }

  /**
   * Why: of not_counted the reasons by which the view counts such events, with commas between them; else in words.
   *
   * @return the value; null where it is absent
   */
  public String getReason() {
    return reason;
  }

  /**
   * Sets {@code reason}.
   *
   * @param reason see {@link #getReason}; null leaves the member out
   * @return this
   */
  public ViewExplanation reason(String reason) {
    this.reason = reason;
    return this;
  }

  /**
   * The version's.
   *
   * @return the value
   */
  public String getStatus() {
    return status;
  }

  /**
   * Sets {@code status}.
   *
   * @param status see {@link #getStatus}; null leaves the member out
   * @return this
   */
  public ViewExplanation status(String status) {
    this.status = status;
    return this;
  }

  /**
   * Which version: a view may have one that answers, and one that is being built in its place.
   *
   * @return the value
   */
  public int getVersion() {
    return version == null ? 0 : version;
  }

  /**
   * Sets {@code version}.
   *
   * @param version see {@link #getVersion}; null leaves the member out
   * @return this
   */
  public ViewExplanation version(Integer version) {
    this.version = version;
    return this;
  }

  /**
   * The view's name.
   *
   * @return the value
   */
  public String getView() {
    return view;
  }

  /**
   * Sets {@code view}.
   *
   * @param view see {@link #getView}; null leaves the member out
   * @return this
   */
  public ViewExplanation view(String view) {
    this.view = view;
    return this;
  }
}
