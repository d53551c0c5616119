// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.util.List;

/**
 * A view that every server has, to be deployed by its name.
 */
public final class ReadyView extends Model {
  @JsonProperty("config")
  private Json config;

  @JsonProperty("description")
  private String description;

  @JsonProperty("gas")
  private Long gas;

  @JsonProperty("name")
  private String name;

  @JsonProperty("title")
  private String title;

  @JsonProperty("versions")
  private List<ReadyViewVersion> versions;

  /** Makes one without members. */
  public ReadyView() {}

  /**
   * The JSON Schema (2020-12) of the newest version's configuration.
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
  public ReadyView config(Json config) {
    this.config = config;
    return this;
  }

  /**
   * What it counts, in a sentence.
   *
   * @return the value
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
  public ReadyView description(String description) {
    this.description = description;
    return this;
  }

  /**
   * The budget of one event's fold that a deployment gets which names none: this server's.
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
  public ReadyView gas(Long gas) {
    this.gas = gas;
    return this;
  }

  /**
   * By which it is deployed.
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
  public ReadyView name(String name) {
    this.name = name;
    return this;
  }

  /**
   * What people call it.
   *
   * @return the value
   */
  public String getTitle() {
    return title;
  }

  /**
   * Sets {@code title}.
   *
   * @param title see {@link #getTitle}; null leaves the member out
   * @return this
   */
  public ReadyView title(String title) {
    this.title = title;
    return this;
  }

  /**
   * Oldest first. A deployment by the name alone gets the last.
   *
   * @return the value
   */
  public List<ReadyViewVersion> getVersions() {
    return versions;
  }

  /**
   * Sets {@code versions}.
   *
   * @param versions see {@link #getVersions}; null leaves the member out
   * @return this
   */
  public ReadyView versions(List<ReadyViewVersion> versions) {
    this.versions = versions;
    return this;
  }
}
