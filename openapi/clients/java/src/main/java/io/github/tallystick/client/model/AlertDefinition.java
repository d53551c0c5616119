// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.tallystick.client.Json;
import java.util.List;

/**
 * Which value an alert watches, and for which thresholds.
 */
public final class AlertDefinition extends Model {
  @JsonProperty("absent")
  private String absent;

  @JsonProperty("direction")
  private String direction;

  @JsonProperty("logs")
  private String logs;

  @JsonProperty("of")
  private String of;

  @JsonProperty("question")
  private Json question;

  @JsonProperty("resolve")
  private Boolean resolve;

  @JsonProperty("thresholds")
  private List<String> thresholds;

  @JsonProperty("timezone")
  private String timezone;

  @JsonProperty("value")
  private String value;

  @JsonProperty("view")
  private String view;

  @JsonProperty("window")
  private String window;

  /** Makes one without members. */
  public AlertDefinition() {}

  /**
   * What the value is where the answer has none, a number as a text; an error when absent.
   *
   * @return the value; null where it is absent
   */
  public String getAbsent() {
    return absent;
  }

  /**
   * Sets {@code absent}.
   *
   * @param absent see {@link #getAbsent}; null leaves the member out
   * @return this
   */
  public AlertDefinition absent(String absent) {
    this.absent = absent;
    return this;
  }

  /**
   * On which side it fires; at_least when absent.
   *
   * @return the value; null where it is absent
   */
  public String getDirection() {
    return direction;
  }

  /**
   * Sets {@code direction}.
   *
   * @param direction see {@link #getDirection}; null leaves the member out
   * @return this
   */
  public AlertDefinition direction(String direction) {
    this.direction = direction;
    return this;
  }

  /**
   * A log's name, or a pattern of names: * stands for any run of characters.
   *
   * @return the value
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
  public AlertDefinition logs(String logs) {
    this.logs = logs;
    return this;
  }

  /**
   * What percentages are of: a number as a text, such as 1000, or a JSON Pointer into the answer, such as /limit.
   *
   * @return the value; null where it is absent
   */
  public String getOf() {
    return of;
  }

  /**
   * Sets {@code of}.
   *
   * @param of see {@link #getOf}; null leaves the member out
   * @return this
   */
  public AlertDefinition of(String of) {
    this.of = of;
    return this;
  }

  /**
   * The parameters of the query; a list for one that is repeated. {now}, {window_start} and {window_end} stand for times.
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
  public AlertDefinition question(Json question) {
    this.question = question;
    return this;
  }

  /**
   * Announce it, too, when a threshold is resolved.
   *
   * @return the value; false where it is absent
   */
  public boolean isResolve() {
    return resolve != null && resolve;
  }

  /**
   * Sets {@code resolve}.
   *
   * @param resolve see {@link #isResolve}; null leaves the member out
   * @return this
   */
  public AlertDefinition resolve(Boolean resolve) {
    this.resolve = resolve;
    return this;
  }

  /**
   * At which values it fires: amounts, or percentages where of is given.
   *
   * @return the value
   */
  public List<String> getThresholds() {
    return thresholds;
  }

  /**
   * Sets {@code thresholds}.
   *
   * @param thresholds see {@link #getThresholds}; null leaves the member out
   * @return this
   */
  public AlertDefinition thresholds(List<String> thresholds) {
    this.thresholds = thresholds;
    return this;
  }

  /**
   * The IANA zone of the calendar; UTC when absent.
   *
   * @return the value; null where it is absent
   */
  public String getTimezone() {
    return timezone;
  }

  /**
   * Sets {@code timezone}.
   *
   * @param timezone see {@link #getTimezone}; null leaves the member out
   * @return this
   */
  public AlertDefinition timezone(String timezone) {
    this.timezone = timezone;
    return this;
  }

  /**
   * The JSON Pointer to the value in the view's answer.
   *
   * @return the value
   */
  public String getValue() {
    return value;
  }

  /**
   * Sets {@code value}.
   *
   * @param value see {@link #getValue}; null leaves the member out
   * @return this
   */
  public AlertDefinition value(String value) {
    this.value = value;
    return this;
  }

  /**
   * The name of a view of these logs.
   *
   * @return the value
   */
  public String getView() {
    return view;
  }

  /**
   * Sets {@code view}.
   *
   * @param view see {@link #getView}; null leaves the member out
   * @return this
   */
  public AlertDefinition view(String view) {
    this.view = view;
    return this;
  }

  /**
   * minute, hour, day, week or month; or a JSON Pointer into the answer; all of time when absent.
   *
   * @return the value; null where it is absent
   */
  public String getWindow() {
    return window;
  }

  /**
   * Sets {@code window}.
   *
   * @param window see {@link #getWindow}; null leaves the member out
   * @return this
   */
  public AlertDefinition window(String window) {
    this.window = window;
    return this;
  }
}
