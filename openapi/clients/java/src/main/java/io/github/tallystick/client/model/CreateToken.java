// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A token that is to be made.
 */
public final class CreateToken extends Model {
  @JsonProperty("logs")
  private List<String> logs;

  @JsonProperty("scopes")
  private List<String> scopes;

  @JsonProperty("seconds")
  private Long seconds;

  @JsonProperty("subject")
  private String subject;

  @JsonProperty("views")
  private List<String> views;

  /** Makes one without members. */
  public CreateToken() {}

  /**
   * Names or ids of the logs that the token is for.
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
  public CreateToken logs(List<String> logs) {
    this.logs = logs;
    return this;
  }

  /**
   * read, query or both: the key must have them.
   *
   * @return the value
   */
  public List<String> getScopes() {
    return scopes;
  }

  /**
   * Sets {@code scopes}.
   *
   * @param scopes see {@link #getScopes}; null leaves the member out
   * @return this
   */
  public CreateToken scopes(List<String> scopes) {
    this.scopes = scopes;
    return this;
  }

  /**
   * How long it is good.
   *
   * @return the value; null where it is absent
   */
  public Long getSeconds() {
    return seconds;
  }

  /**
   * Sets {@code seconds}.
   *
   * @param seconds see {@link #getSeconds}; null leaves the member out
   * @return this
   */
  public CreateToken seconds(Long seconds) {
    this.seconds = seconds;
    return this;
  }

  /**
   * Who it is for, for the record and in the token: at most 200 bytes.
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
  public CreateToken subject(String subject) {
    this.subject = subject;
    return this;
  }

  /**
   * Names of the views that it is for, with query alone; all of those logs when absent.
   *
   * @return the value; null where it is absent
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
  public CreateToken views(List<String> views) {
    this.views = views;
    return this;
  }
}
