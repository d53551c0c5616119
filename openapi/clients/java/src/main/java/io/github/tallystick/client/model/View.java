// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;

/**
 * A version of a view on a log.
 */
public final class View extends Model {
  @JsonProperty("actor")
  private String actor;

  @JsonProperty("applied")
  private Long applied;

  @JsonProperty("config")
  private Json config;

  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("error")
  private String error;

  @JsonProperty("gas")
  private Long gas;

  @JsonProperty("guard")
  private Boolean guard;

  @JsonProperty("halted_at")
  private Instant haltedAt;

  @JsonProperty("halted_event")
  private String haltedEvent;

  @JsonProperty("halted_sequence")
  private Long haltedSequence;

  @JsonProperty("head")
  private Long head;

  @JsonProperty("live_at")
  private Instant liveAt;

  @JsonProperty("module")
  private String module;

  @JsonProperty("name")
  private String name;

  @JsonProperty("on_halt")
  private String onHalt;

  @JsonProperty("progress")
  private BuildProgress progress;

  @JsonProperty("ready")
  private String ready;

  @JsonProperty("retired_at")
  private Instant retiredAt;

  @JsonProperty("state_kept")
  private Boolean stateKept;

  @JsonProperty("status")
  private String status;

  @JsonProperty("successor")
  private View successor;

  @JsonProperty("version")
  private Integer version;

  @JsonProperty("view_id")
  private String viewId;

  /** Makes one without members. */
  public View() {}

  /**
   * Who deployed it: the key's name, and what Tally-Actor said.
   *
   * @return the value; null where it is absent
   */
  public String getActor() {
    return actor;
  }

  /**
   * Sets {@code actor}.
   *
   * @param actor see {@link #getActor}; null leaves the member out
   * @return this
   */
  public View actor(String actor) {
    this.actor = actor;
    return this;
  }

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
  public View applied(Long applied) {
    this.applied = applied;
    return this;
  }

  /**
   * The view's configuration.
   *
   * @return the value
   */
  public Json getConfig() {
    return config;
  }

  /**
   * Sets {@code config}.
   *
   * @param config see {@link #getConfig}; null leaves the member out
   * @return this
   */
  public View config(Json config) {
    this.config = config;
    return this;
  }

  /**
   * When this version was deployed.
   *
   * @return the value
   */
  public Instant getCreatedAt() {
    return createdAt;
  }

  /**
   * Sets {@code created_at}.
   *
   * @param createdAt see {@link #getCreatedAt}; null leaves the member out
   * @return this
   */
  public View createdAt(Instant createdAt) {
    this.createdAt = createdAt;
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
  public View error(String error) {
    this.error = error;
    return this;
  }

  /**
   * The budget of one event's fold, in units of gas.
   *
   * @return the value
   */
  public long getGas() {
    return gas == null ? 0 : gas;
  }

  /**
   * Sets {@code gas}.
   *
   * @param gas see {@link #getGas}; null leaves the member out
   * @return this
   */
  public View gas(Long gas) {
    this.gas = gas;
    return this;
  }

  /**
   * Whether it has a guard, which decides on events before they are appended.
   *
   * @return the value
   */
  public boolean isGuard() {
    return guard != null && guard;
  }

  /**
   * Sets {@code guard}.
   *
   * @param guard see {@link #isGuard}; null leaves the member out
   * @return this
   */
  public View guard(Boolean guard) {
    this.guard = guard;
    return this;
  }

  /**
   * When it halted.
   *
   * @return the value; null where it is absent
   */
  public Instant getHaltedAt() {
    return haltedAt;
  }

  /**
   * Sets {@code halted_at}.
   *
   * @param haltedAt see {@link #getHaltedAt}; null leaves the member out
   * @return this
   */
  public View haltedAt(Instant haltedAt) {
    this.haltedAt = haltedAt;
    return this;
  }

  /**
   * That event's JSON, or its first 4,096 characters; for who may read events or deploy views.
   *
   * @return the value; null where it is absent
   */
  public String getHaltedEvent() {
    return haltedEvent;
  }

  /**
   * Sets {@code halted_event}.
   *
   * @param haltedEvent see {@link #getHaltedEvent}; null leaves the member out
   * @return this
   */
  public View haltedEvent(String haltedEvent) {
    this.haltedEvent = haltedEvent;
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
  public View haltedSequence(Long haltedSequence) {
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
  public View head(Long head) {
    this.head = head;
    return this;
  }

  /**
   * When it last went live.
   *
   * @return the value; null where it is absent
   */
  public Instant getLiveAt() {
    return liveAt;
  }

  /**
   * Sets {@code live_at}.
   *
   * @param liveAt see {@link #getLiveAt}; null leaves the member out
   * @return this
   */
  public View liveAt(Instant liveAt) {
    this.liveAt = liveAt;
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
  public View module(String module) {
    this.module = module;
    return this;
  }

  /**
   * The view's name.
   *
   * @return the value
   */
  public String getName() {
    return name;
  }

  /**
   * Sets {@code name}.
   *
   * @param name see {@link #getName}; null leaves the member out
   * @return this
   */
  public View name(String name) {
    this.name = name;
    return this;
  }

  /**
   * What becomes of appends while a view with a guard is halted; absent without a guard.
   *
   * @return the value; null where it is absent
   */
  public String getOnHalt() {
    return onHalt;
  }

  /**
   * Sets {@code on_halt}.
   *
   * @param onHalt see {@link #getOnHalt}; null leaves the member out
   * @return this
   */
  public View onHalt(String onHalt) {
    this.onHalt = onHalt;
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
  public View progress(BuildProgress progress) {
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
  public View ready(String ready) {
    this.ready = ready;
    return this;
  }

  /**
   * When it was retired.
   *
   * @return the value; null where it is absent
   */
  public Instant getRetiredAt() {
    return retiredAt;
  }

  /**
   * Sets {@code retired_at}.
   *
   * @param retiredAt see {@link #getRetiredAt}; null leaves the member out
   * @return this
   */
  public View retiredAt(Instant retiredAt) {
    this.retiredAt = retiredAt;
    return this;
  }

  /**
   * Whether its state is still there. A rollback to a version without builds from the first event.
   *
   * @return the value
   */
  public boolean isStateKept() {
    return stateKept != null && stateKept;
  }

  /**
   * Sets {@code state_kept}.
   *
   * @param stateKept see {@link #isStateKept}; null leaves the member out
   * @return this
   */
  public View stateKept(Boolean stateKept) {
    this.stateKept = stateKept;
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
  public View status(String status) {
    this.status = status;
    return this;
  }

  /**
   * The version that was asked for last, while it is not the one that answers queries: it is being built in its place, or halted on the way. Absent in the list of versions.
   *
   * @return the value; null where it is absent
   */
  public View getSuccessor() {
    return successor;
  }

  /**
   * Sets {@code successor}.
   *
   * @param successor see {@link #getSuccessor}; null leaves the member out
   * @return this
   */
  public View successor(View successor) {
    this.successor = successor;
    return this;
  }

  /**
   * Grows with each deploy that changes something.
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
  public View version(Integer version) {
    this.version = version;
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
  public View viewId(String viewId) {
    this.viewId = viewId;
    return this;
  }
}
