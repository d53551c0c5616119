// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;

/**
 * What an event made of a key of a view's state.
 */
public final class StateChange extends Model {
  @JsonProperty("after")
  private Json after;

  @JsonProperty("after_cut")
  private String afterCut;

  @JsonProperty("before")
  private Json before;

  @JsonProperty("before_cut")
  private String beforeCut;

  @JsonProperty("key")
  private String key;

  /** Makes one without members. */
  public StateChange() {}

  /**
   * Its value after the event, any JSON; absent where there is none, or it is long.
   *
   * @return the value; null where it is absent
   */
  public Json getAfter() {
    return after;
  }

  /**
   * Sets {@code after}.
   *
   * @param after see {@link #getAfter}; null leaves the member out
   * @return this
   */
  public StateChange after(Json after) {
    this.after = after;
    return this;
  }

  /**
   * In place of after where that is longer than 4,096 bytes: the text of its first 4,096.
   *
   * @return the value; null where it is absent
   */
  public String getAfterCut() {
    return afterCut;
  }

  /**
   * Sets {@code after_cut}.
   *
   * @param afterCut see {@link #getAfterCut}; null leaves the member out
   * @return this
   */
  public StateChange afterCut(String afterCut) {
    this.afterCut = afterCut;
    return this;
  }

  /**
   * Its value before the event, any JSON; absent where there was none, or it is long.
   *
   * @return the value; null where it is absent
   */
  public Json getBefore() {
    return before;
  }

  /**
   * Sets {@code before}.
   *
   * @param before see {@link #getBefore}; null leaves the member out
   * @return this
   */
  public StateChange before(Json before) {
    this.before = before;
    return this;
  }

  /**
   * In place of before where that is longer than 4,096 bytes: the text of its first 4,096.
   *
   * @return the value; null where it is absent
   */
  public String getBeforeCut() {
    return beforeCut;
  }

  /**
   * Sets {@code before_cut}.
   *
   * @param beforeCut see {@link #getBeforeCut}; null leaves the member out
   * @return this
   */
  public StateChange beforeCut(String beforeCut) {
    this.beforeCut = beforeCut;
    return this;
  }

  /**
   * The key.
   *
   * @return the value
   */
  public String getKey() {
    return key;
  }

  /**
   * Sets {@code key}.
   *
   * @param key see {@link #getKey}; null leaves the member out
   * @return this
   */
  public StateChange key(String key) {
    this.key = key;
    return this;
  }
}
