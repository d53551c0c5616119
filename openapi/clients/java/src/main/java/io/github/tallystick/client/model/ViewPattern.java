// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.time.Instant;

/**
 * A view that is deployed on every log whose name matches a pattern.
 */
public final class ViewPattern extends Model {
  @JsonProperty("actor")
  private String actor;

  @JsonProperty("config")
  private Json config;

  @JsonProperty("covers")
  private PatternCoverage covers;

  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("deployed_at")
  private Instant deployedAt;

  @JsonProperty("gas")
  private Long gas;

  @JsonProperty("guard")
  private Boolean guard;

  @JsonProperty("logs")
  private String logs;

  @JsonProperty("module")
  private String module;

  @JsonProperty("name")
  private String name;

  @JsonProperty("on_halt")
  private String onHalt;

  @JsonProperty("ready")
  private String ready;

  @JsonProperty("spreading")
  private Boolean spreading;

  @JsonProperty("status")
  private String status;

  @JsonProperty("version")
  private Integer version;

  /** Makes one without members. */
  public ViewPattern() {}

  /**
   * Who deployed or retired it last, the key's name, and what Tally-Actor said.
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
  public ViewPattern actor(String actor) {
    this.actor = actor;
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
  public ViewPattern config(Json config) {
    this.config = config;
    return this;
  }

  /**
   * How the matching logs stand; absent in lists.
   *
   * @return the value; null where it is absent
   */
  public PatternCoverage getCovers() {
    return covers;
  }

  /**
   * Sets {@code covers}.
   *
   * @param covers see {@link #getCovers}; null leaves the member out
   * @return this
   */
  public ViewPattern covers(PatternCoverage covers) {
    this.covers = covers;
    return this;
  }

  /**
   * When it was deployed first.
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
  public ViewPattern createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * When it was deployed last.
   *
   * @return the value
   */
  public Instant getDeployedAt() {
    return deployedAt;
  }

  /**
   * Sets {@code deployed_at}.
   *
   * @param deployedAt see {@link #getDeployedAt}; null leaves the member out
   * @return this
   */
  public ViewPattern deployedAt(Instant deployedAt) {
    this.deployedAt = deployedAt;
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
  public ViewPattern gas(Long gas) {
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
  public ViewPattern guard(Boolean guard) {
    this.guard = guard;
    return this;
  }

  /**
   * The pattern of logs' names: * stands for any run of characters.
   *
   * @return the value
   */
  public String getLogs() {
    return logs;
  }

  /**
   * Sets {@code logs}.
   *
   * @param logs see {@link #getLogs}; null leaves the member out
   * @return this
   */
  public ViewPattern logs(String logs) {
    this.logs = logs;
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
  public ViewPattern module(String module) {
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
  public ViewPattern name(String name) {
    this.name = name;
    return this;
  }

  /**
   * What becomes of appends to a log while the view is halted there; absent without a guard.
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
  public ViewPattern onHalt(String onHalt) {
    this.onHalt = onHalt;
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
  public ViewPattern ready(String ready) {
    this.ready = ready;
    return this;
  }

  /**
   * Not every matching log has been looked at since the last deploy, or since it was retired.
   *
   * @return the value
   */
  public boolean isSpreading() {
    return spreading != null && spreading;
  }

  /**
   * Sets {@code spreading}.
   *
   * @param spreading see {@link #isSpreading}; null leaves the member out
   * @return this
   */
  public ViewPattern spreading(Boolean spreading) {
    this.spreading = spreading;
    return this;
  }

  /**
   * retiring: later logs no longer get it, and it is being retired on those that have it.
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
  public ViewPattern status(String status) {
    this.status = status;
    return this;
  }

  /**
   * Grows with each deploy on the pattern that changes something. Versions on each log are numbered by themselves.
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
  public ViewPattern version(Integer version) {
    this.version = version;
    return this;
  }
}
