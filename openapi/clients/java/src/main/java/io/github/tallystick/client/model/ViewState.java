// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * How a version of a view stands on a log.
 */
public final class ViewState extends Model {
  @JsonProperty("applied")
  private Long applied;

  @JsonProperty("changed_at")
  private Instant changedAt;

  @JsonProperty("error")
  private String error;

  @JsonProperty("halted_sequence")
  private Long haltedSequence;

  @JsonProperty("head")
  private Long head;

  @JsonProperty("log")
  private String log;

  @JsonProperty("log_id")
  private String logId;

  @JsonProperty("module")
  private String module;

  @JsonProperty("progress")
  private BuildProgress progress;

  @JsonProperty("ready")
  private String ready;

  @JsonProperty("status")
  private String status;

  @JsonProperty("version")
  private Integer version;

  @JsonProperty("view")
  private String view;

  @JsonProperty("view_id")
  private String viewId;

  /** Makes one without members. */
  public ViewState() {}

  /**
   * The last sequence it has folded.
   *
   * @return the value
   */
  public long getApplied() {
    return applied == null ? 0 : applied;
  }

  /**
   * Sets {@code applied}.
   *
   * @param applied see {@link #getApplied}; null leaves the member out
   * @return this
   */
  public ViewState applied(Long applied) {
    this.applied = applied;
    return this;
  }

  /**
   * When it came to have this status; when it was asked for, while it is building.
   *
   * @return the value
   */
  public Instant getChangedAt() {
    return changedAt;
  }

  /**
   * Sets {@code changed_at}.
   *
   * @param changedAt see {@link #getChangedAt}; null leaves the member out
   * @return this
   */
  public ViewState changedAt(Instant changedAt) {
    this.changedAt = changedAt;
    return this;
  }

  /**
   * Why it could not.
   *
   * @return the value; null where it is absent
   */
  public String getError() {
    return error;
  }

  /**
   * Sets {@code error}.
   *
   * @param error see {@link #getError}; null leaves the member out
   * @return this
   */
  public ViewState error(String error) {
    this.error = error;
    return this;
  }

  /**
   * The event that it could not fold.
   *
   * @return the value; null where it is absent
   */
  public Long getHaltedSequence() {
    return haltedSequence;
  }

  /**
   * Sets {@code halted_sequence}.
   *
   * @param haltedSequence see {@link #getHaltedSequence}; null leaves the member out
   * @return this
   */
  public ViewState haltedSequence(Long haltedSequence) {
    this.haltedSequence = haltedSequence;
    return this;
  }

  /**
   * The log's last sequence.
   *
   * @return the value
   */
  public long getHead() {
    return head == null ? 0 : head;
  }

  /**
   * Sets {@code head}.
   *
   * @param head see {@link #getHead}; null leaves the member out
   * @return this
   */
  public ViewState head(Long head) {
    this.head = head;
    return this;
  }

  /**
   * The log's name.
   *
   * @return the value
   */
  public String getLog() {
    return log;
  }

  /**
   * Sets {@code log}.
   *
   * @param log see {@link #getLog}; null leaves the member out
   * @return this
   */
  public ViewState log(String log) {
    this.log = log;
    return this;
  }

  /**
   * The log's id.
   *
   * @return the value
   */
  public String getLogId() {
    return logId;
  }

  /**
   * Sets {@code log_id}.
   *
   * @param logId see {@link #getLogId}; null leaves the member out
   * @return this
   */
  public ViewState logId(String logId) {
    this.logId = logId;
    return this;
  }

  /**
   * The module's SHA-256, in hexadecimal.
   *
   * @return the value
   */
  public String getModule() {
    return module;
  }

  /**
   * Sets {@code module}.
   *
   * @param module see {@link #getModule}; null leaves the member out
   * @return this
   */
  public ViewState module(String module) {
    this.module = module;
    return this;
  }

  /**
   * How far it is built, while it is building.
   *
   * @return the value; null where it is absent
   */
  public BuildProgress getProgress() {
    return progress;
  }

  /**
   * Sets {@code progress}.
   *
   * @param progress see {@link #getProgress}; null leaves the member out
   * @return this
   */
  public ViewState progress(BuildProgress progress) {
    this.progress = progress;
    return this;
  }

  /**
   * The ready view that the module is, with its version; absent for other modules.
   *
   * @return the value; null where it is absent
   */
  public String getReady() {
    return ready;
  }

  /**
   * Sets {@code ready}.
   *
   * @param ready see {@link #getReady}; null leaves the member out
   * @return this
   */
  public ViewState ready(String ready) {
    this.ready = ready;
    return this;
  }

  /**
   * building: it folds the history; live: it answers queries; halted: at an event that it could not fold; retired: it folds and answers no more.
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
  public ViewState status(String status) {
    this.status = status;
    return this;
  }

  /**
   * The version's number.
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
  public ViewState version(Integer version) {
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
  public ViewState view(String view) {
    this.view = view;
    return this;
  }

  /**
   * The id of this version.
   *
   * @return the value
   */
  public String getViewId() {
    return viewId;
  }

  /**
   * Sets {@code view_id}.
   *
   * @param viewId see {@link #getViewId}; null leaves the member out
   * @return this
   */
  public ViewState viewId(String viewId) {
    this.viewId = viewId;
    return this;
  }
}
