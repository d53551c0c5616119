// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;

/**
 * What is to be deployed: a ready view, or a module that the tenant has. Exactly one of ready and module is there.
 */
public final class DeployModule extends Model {
  @JsonProperty("config")
  private Json config;

  @JsonProperty("gas")
  private Long gas;

  @JsonProperty("module")
  private String module;

  @JsonProperty("on_halt")
  private String onHalt;

  @JsonProperty("ready")
  private String ready;

  /** Makes one without members. */
  public DeployModule() {}

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
  public DeployModule config(Json config) {
    this.config = config;
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
  public DeployModule gas(Long gas) {
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
  public DeployModule module(String module) {
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
  public DeployModule onHalt(String onHalt) {
    this.onHalt = onHalt;
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
  public DeployModule ready(String ready) {
    this.ready = ready;
    return this;
  }
}
