// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;

/**
 * A deployment that is to be tried: as DeployModule, with what to try it on.
 */
public final class PreviewView extends Model {
  @JsonProperty("config")
  private Json config;

  @JsonProperty("events")
  private Long events;

  @JsonProperty("gas")
  private Long gas;

  @JsonProperty("module")
  private String module;

  @JsonProperty("on_halt")
  private String onHalt;

  @JsonProperty("question")
  private Json question;

  @JsonProperty("ready")
  private String ready;

  /** Makes one without members. */
  public PreviewView() {}

  /**
   * The view's configuration: any JSON; {} when absent.
   *
   * @return the value; null where it is absent
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
  public PreviewView config(Json config) {
    this.config = config;
    return this;
  }

  /**
   * How many of the log's last events to fold at most; 10000 when absent.
   *
   * @return the value; null where it is absent
   */
  public Long getEvents() {
    return events;
  }

  /**
   * Sets {@code events}.
   *
   * @param events see {@link #getEvents}; null leaves the member out
   * @return this
   */
  public PreviewView events(Long events) {
    this.events = events;
    return this;
  }

  /**
   * The budget of one event's fold; the server's own when absent or 0.
   *
   * @return the value; null where it is absent
   */
  public Long getGas() {
    return gas;
  }

  /**
   * Sets {@code gas}.
   *
   * @param gas see {@link #getGas}; null leaves the member out
   * @return this
   */
  public PreviewView gas(Long gas) {
    this.gas = gas;
    return this;
  }

  /**
   * The SHA-256, in hexadecimal, of a module that was put to /modules/{sha256}, or deployed before.
   *
   * @return the value; null where it is absent
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
  public PreviewView module(String module) {
    this.module = module;
    return this;
  }

  /**
   * What becomes of appends while the view is halted, if it has a guard: they are admitted without it, or refused. As before when absent, and admit at first.
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
  public PreviewView onHalt(String onHalt) {
    this.onHalt = onHalt;
    return this;
  }

  /**
   * The parameters of the query that it is asked; a list for one that is repeated. None when absent.
   *
   * @return the value; null where it is absent
   */
  public Json getQuestion() {
    return question;
  }

  /**
   * Sets {@code question}.
   *
   * @param question see {@link #getQuestion}; null leaves the member out
   * @return this
   */
  public PreviewView question(Json question) {
    this.question = question;
    return this;
  }

  /**
   * The name of a ready view, as GET /ready-views lists them: the newest version of this server. After an @ comes another version, by its number or the first 8 or more digits of its SHA-256.
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
  public PreviewView ready(String ready) {
    this.ready = ready;
    return this;
  }
}
