// Code generated from openapi/openapi.yaml by generator/generate.sh. DO NOT EDIT.

package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * A page of events.
 */
public final class EventPage extends Model {
  @JsonProperty("events")
  private List<Event> events;

  @JsonProperty("next_cursor")
  private String nextCursor;

  /** Makes one without members. */
  public EventPage() {}

  /**
   * In the order of their sequences.
   *
   * @return the value
   */
  public List<Event> getEvents() {
    return events;
  }

  /**
   * Sets {@code events}.
   *
   * @param events see {@link #getEvents}; null leaves the member out
   * @return this
   */
  public EventPage events(List<Event> events) {
    this.events = events;
    return this;
  }

  /**
   * Give it as cursor for the next page; absent at the end of the range.
   *
   * @return the value; null where it is absent
   */
  public String getNextCursor() {
    return nextCursor;
  }

  /**
   * Sets {@code next_cursor}.
   *
   * @param nextCursor see {@link #getNextCursor}; null leaves the member out
   * @return this
   */
  public EventPage nextCursor(String nextCursor) {
    this.nextCursor = nextCursor;
    return this;
  }
}
