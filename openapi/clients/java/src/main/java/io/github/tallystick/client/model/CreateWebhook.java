// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A webhook that is to be made.
 */
public final class CreateWebhook extends Model {
  @JsonProperty("description")
  private String description;

  @JsonProperty("enabled")
  private Boolean enabled;

  @JsonProperty("logs")
  private String logs;

  @JsonProperty("types")
  private List<String> types;

  @JsonProperty("url")
  private String url;

  /** Makes one without members. */
  public CreateWebhook() {}

  /**
   * For people; at most 1,000 bytes.
   *
   * @return the value; null where it is absent
   */
  public String getDescription() {
    return description;
  }

  /**
   * Sets {@code description}.
   *
   * @param description see {@link #getDescription}; null leaves the member out
   * @return this
   */
  public CreateWebhook description(String description) {
    this.description = description;
    return this;
  }

  /**
   * Whether it is told at all; true when absent.
   *
   * @return the value; false where it is absent
   */
  public boolean isEnabled() {
    return enabled != null && enabled;
  }

  /**
   * Sets {@code enabled}.
   *
   * @param enabled see {@link #isEnabled}; null leaves the member out
   * @return this
   */
  public CreateWebhook enabled(Boolean enabled) {
    this.enabled = enabled;
    return this;
  }

  /**
   * The pattern of the logs that it is told of; all when absent.
   *
   * @return the value; null where it is absent
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
  public CreateWebhook logs(String logs) {
    this.logs = logs;
    return this;
  }

  /**
   * What it is told of: alert.fired, alert.resolved, view.halted, view.live, key.expiring, partition.default_not_empty. Everything when absent or empty, also what a later version has.
   *
   * @return the value; null where it is absent
   */
  public List<String> getTypes() {
    return types;
  }

  /**
   * Sets {@code types}.
   *
   * @param types see {@link #getTypes}; null leaves the member out
   * @return this
   */
  public CreateWebhook types(List<String> types) {
    this.types = types;
    return this;
  }

  /**
   * Where requests are to go: https, to an address of the public internet, at most 2,048 bytes. The server's operator may allow others.
   *
   * @return the value
   */
  public String getUrl() {
    return url;
  }

  /**
   * Sets {@code url}.
   *
   * @param url see {@link #getUrl}; null leaves the member out
   * @return this
   */
  public CreateWebhook url(String url) {
    this.url = url;
    return this;
  }
}
