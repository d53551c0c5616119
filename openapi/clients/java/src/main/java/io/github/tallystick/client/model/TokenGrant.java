// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What a token is for.
 */
public final class TokenGrant extends Model {
  @JsonProperty("logs")
  private List<String> logs;

  @JsonProperty("subject")
  private String subject;

  @JsonProperty("views")
  private List<String> views;

  /** Makes one without members. */
  public TokenGrant() {}

  /**
   * Names of the logs that it is for.
   *
   * @return the value
   */
  public List<String> getLogs() {
    return logs;
  }

  /**
   * Sets {@code logs}.
   *
   * @param logs see {@link #getLogs}; null leaves the member out
   * @return this
   */
  public TokenGrant logs(List<String> logs) {
    this.logs = logs;
    return this;
  }

  /**
   * Who it was made for.
   *
   * @return the value; null where it is absent
   */
  public String getSubject() {
    return subject;
  }

  /**
   * Sets {@code subject}.
   *
   * @param subject see {@link #getSubject}; null leaves the member out
   * @return this
   */
  public TokenGrant subject(String subject) {
    this.subject = subject;
    return this;
  }

  /**
   * Names of the views that it is for; empty for all of those logs.
   *
   * @return the value
   */
  public List<String> getViews() {
    return views;
  }

  /**
   * Sets {@code views}.
   *
   * @param views see {@link #getViews}; null leaves the member out
   * @return this
   */
  public TokenGrant views(List<String> views) {
    this.views = views;
    return this;
  }
}
