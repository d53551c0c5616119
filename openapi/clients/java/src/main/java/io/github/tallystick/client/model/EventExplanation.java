// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * How an event was counted.
 */
public final class EventExplanation extends Model {
  @JsonProperty("sequence")
  private Long sequence;

  @JsonProperty("type")
  private String type;

  @JsonProperty("views")
  private List<ViewExplanation> views;

  /** Makes one without members. */
  public EventExplanation() {}

  /**
   * The event's place in its log.
   *
   * @return the value
   */
  public long getSequence() {
    return sequence == null ? 0 : sequence;
  }

  /**
   * Sets {@code sequence}.
   *
   * @param sequence see {@link #getSequence}; null leaves the member out
   * @return this
   */
  public EventExplanation sequence(Long sequence) {
    this.sequence = sequence;
    return this;
  }

  /**
   * The event's type; absent where it has none.
   *
   * @return the value; null where it is absent
   */
  public String getType() {
    return type;
  }

  /**
   * Sets {@code type}.
   *
   * @param type see {@link #getType}; null leaves the member out
   * @return this
   */
  public EventExplanation type(String type) {
    this.type = type;
    return this;
  }

  /**
   * One for each version of the log's views that is not retired, by name.
   *
   * @return the value
   */
  public List<ViewExplanation> getViews() {
    return views;
  }

  /**
   * Sets {@code views}.
   *
   * @param views see {@link #getViews}; null leaves the member out
   * @return this
   */
  public EventExplanation views(List<ViewExplanation> views) {
    this.views = views;
    return this;
  }
}
