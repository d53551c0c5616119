// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;

/**
 * A token that was made.
 */
public final class Token extends Model {
  @JsonProperty("expires_at")
  private Instant expiresAt;

  @JsonProperty("token")
  private String token;

  /** Makes one without members. */
  public Token() {}

  /**
   * When it ends.
   *
   * @return the value
   */
  public Instant getExpiresAt() {
    return expiresAt;
  }

  /**
   * Sets {@code expires_at}.
   *
   * @param expiresAt see {@link #getExpiresAt}; null leaves the member out
   * @return this
   */
  public Token expiresAt(Instant expiresAt) {
    this.expiresAt = expiresAt;
    return this;
  }

  /**
   * A JSON Web Token, for Authorization: Bearer.
   *
   * @return the value
   */
  public String getToken() {
    return token;
  }

  /**
   * Sets {@code token}.
   *
   * @param token see {@link #getToken}; null leaves the member out
   * @return this
   */
  public Token token(String token) {
    this.token = token;
    return this;
  }
}
