// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What becomes of a webhook. What is absent stays.
 */
public final class UpdateWebhook extends Model {
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
  public UpdateWebhook() {}

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
  public UpdateWebhook description(String description) {
    this.description = description;
    return this;
  }

  /**
   * Whether it is told at all. What happens meanwhile it is not told later.
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
  public UpdateWebhook enabled(Boolean enabled) {
    this.enabled = enabled;
    return this;
  }

  /**
   * The pattern of the logs that it is told of; all when empty.
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
  public UpdateWebhook logs(String logs) {
    this.logs = logs;
    return this;
  }

  /**
   * What it is told of; everything when empty.
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
  public UpdateWebhook types(List<String> types) {
    this.types = types;
    return this;
  }

  /**
   * Where requests are to go.
   *
   * @return the value; null where it is absent
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
  public UpdateWebhook url(String url) {
    this.url = url;
    return this;
  }
}
