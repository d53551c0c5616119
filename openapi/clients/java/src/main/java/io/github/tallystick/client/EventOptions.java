package io.github.tallystick.client;

import java.time.Instant;

/** Which events of a log: all filters may be absent, and combine. */
public final class EventOptions extends Options<EventOptions> {
  /** All events. */
  public EventOptions() {}

  /**
   * Events with this sequence or a later one.
   *
   * @param sequence from 1
   * @return this
   */
  public EventOptions from(long sequence) {
    return query("from", sequence);
  }

  /**
   * Events with this sequence or an earlier one.
   *
   * @param sequence from 1
   * @return this
   */
  public EventOptions to(long sequence) {
    return query("to", sequence);
  }

  /**
   * Events after this sequence; instead of {@link #from(long)}.
   *
   * @param sequence from 0
   * @return this
   */
  public EventOptions after(long sequence) {
    return query("after", sequence);
  }

  /**
   * Events that happened then or later.
   *
   * @param time their {@code time}
   * @return this
   */
  public EventOptions timeFrom(Instant time) {
    return query("time_from", time);
  }

  /**
   * Events that happened before then.
   *
   * @param time their {@code time}
   * @return this
   */
  public EventOptions timeTo(Instant time) {
    return query("time_to", time);
  }

  /**
   * Events that were recorded then or later.
   *
   * @param time when
   * @return this
   */
  public EventOptions recordedFrom(Instant time) {
    return query("recorded_from", time);
  }

  /**
   * Events that were recorded before then.
   *
   * @param time when
   * @return this
   */
  public EventOptions recordedTo(Instant time) {
    return query("recorded_to", time);
  }

  /**
   * Events of this type.
   *
   * @param type their {@code type}
   * @return this
   */
  public EventOptions type(String type) {
    return query("type", type);
  }

  /**
   * The most events of a page.
   *
   * @param events 1 to 10,000
   * @return this
   */
  public EventOptions limit(int events) {
    return query("limit", events);
  }

  /**
   * The page that follows another one, with the same filters.
   *
   * @param cursor the {@code next_cursor} of the page before
   * @return this
   */
  public EventOptions cursor(String cursor) {
    return query("cursor", cursor);
  }
}
