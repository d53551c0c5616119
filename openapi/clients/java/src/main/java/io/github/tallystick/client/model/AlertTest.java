// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What an evaluation of an alert would read.
 */
public final class AlertTest extends Model {
  @JsonProperty("error")
  private String error;

  @JsonProperty("of")
  private String of;

  @JsonProperty("query")
  private String query;

  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("thresholds")
  private List<TestedThreshold> thresholds;

  @JsonProperty("value")
  private String value;

  @JsonProperty("window")
  private String window;

  /** Makes one without members. */
  public AlertTest() {}

  /**
   * Why there is no value.
   *
   * @return the value; null where it is absent
   */
  public String getError() {
    return error;
  }

  /**
   * Sets {@code error}.
   *
   * @param error see {@link #getError}; null leaves the member out
   * @return this
   */
  public AlertTest error(String error) {
    this.error = error;
    return this;
  }

  /**
   * What percentages are of.
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
  public AlertTest of(String of) {
    this.of = of;
    return this;
  }

  /**
   * The question, as a query string.
   *
   * @return the value
   */
  public String getQuery() {
    return query;
  }

  /**
   * Sets {@code query}.
   *
   * @param query see {@link #getQuery}; null leaves the member out
   * @return this
   */
  public AlertTest query(String query) {
    this.query = query;
    return this;
  }

  /**
   * The value reflects the events up to this one.
   *
   * @return the value; null where it is absent
   */
  public Long getSequence() {
    return sequence;
  }

  /**
   * Sets {@code sequence}.
   *
   * @param sequence see {@link #getSequence}; null leaves the member out
   * @return this
   */
  public AlertTest sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * In the order of the alert; none where there is an error.
   *
   * @return the value
   */
  public List<TestedThreshold> getThresholds() {
    return thresholds;
  }

  /**
   * Sets {@code thresholds}.
   *
   * @param thresholds see {@link #getThresholds}; null leaves the member out
   * @return this
   */
  public AlertTest thresholds(List<TestedThreshold> thresholds) {
    this.thresholds = thresholds;
    return this;
  }

  /**
   * The value; absent where there is an error.
   *
   * @return the value; null where it is absent
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
  public AlertTest value(String value) {
    this.value = value;
    return this;
  }

  /**
   * The window.
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
  public AlertTest window(String window) {
    this.window = window;
    return this;
  }
}
