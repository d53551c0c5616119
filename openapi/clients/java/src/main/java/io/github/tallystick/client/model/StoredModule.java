// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * A module that the tenant has.
 */
public final class StoredModule extends Model {
  @JsonProperty("bytes")
  private Long bytes;

  @JsonProperty("created_at")
  private Instant createdAt;

  @JsonProperty("deployed")
  private Boolean deployed;

  @JsonProperty("module")
  private String module;

  @JsonProperty("ready")
  private String ready;

  /** Makes one without members. */
  public StoredModule() {}

  /**
   * How many bytes it has.
   *
   * @return the value
   */
  public long getBytes() {
    return bytes == null ? 0 : bytes;
  }

  /**
   * Sets {@code bytes}.
   *
   * @param bytes see {@link #getBytes}; null leaves the member out
   * @return this
   */
  public StoredModule bytes(Long bytes) {
    this.bytes = bytes;
    return this;
  }

  /**
   * When the tenant deployed it first; before that, when it uploaded it last.
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
  public StoredModule createdAt(Instant createdAt) {
    this.createdAt = createdAt;
    return this;
  }

  /**
   * Whether a view of the tenant uses it, or did: it is kept for ever. Of the others, the last 32 are.
   *
   * @return the value
   */
  public boolean isDeployed() {
    return deployed != null && deployed;
  }

  /**
   * Sets {@code deployed}.
   *
   * @param deployed see {@link #isDeployed}; null leaves the member out
   * @return this
   */
  public StoredModule deployed(Boolean deployed) {
    this.deployed = deployed;
    return this;
  }

  /**
   * Its SHA-256, in hexadecimal.
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
  public StoredModule module(String module) {
    this.module = module;
    return this;
  }

  /**
   * The ready view that it is, with its version; absent for other modules.
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
  public StoredModule ready(String ready) {
    this.ready = ready;
    return this;
  }
}
