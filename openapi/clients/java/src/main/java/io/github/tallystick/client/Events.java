package io.github.tallystick.client;

import io.github.tallystick.client.model.Event;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** The bytes of events, as they are sent and as they come back. */
final class Events {
  private Events() {}

  /** Encodes an event: JSON text (a string, bytes, {@link Json}) as it is, anything else by Jackson. */
  static Json encode(Object event) {
    if (event instanceof String text) {
      return Json.raw(text);
    }
    if (event instanceof byte[] bytes) {
      return Json.raw(bytes);
    }
    if (event == null) {
      throw new IllegalArgumentException("an event must not be null: it is a JSON object");
    }
    return Json.of(event);
  }

  /** The body of a batch. */
  record Batch(String contentType, byte[] body) {}

  /**
   * A line for each event; an array where an event itself has line breaks, since its bytes must stay as they are.
   */
  static Batch batch(List<Json> events) {
    int size = 2;
    boolean lines = true;
    for (Json event : events) {
      byte[] text = notBlank(event).shared();
      size += text.length + 1;
      for (byte b : text) {
        lines &= b != '\n' && b != '\r';
      }
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream(size);
    if (!lines) {
      body.write('[');
    }
    for (int i = 0; i < events.size(); i++) {
      if (i > 0 && !lines) {
        body.write(',');
      }
      body.writeBytes(lines ? events.get(i).shared() : checked(events, i));
      if (lines) {
        body.write('\n');
      }
    }
    if (!lines) {
      body.write(']');
    }
    return new Batch(lines ? "application/x-ndjson" : "application/json", body.toByteArray());
  }

  /** An event of a batch that goes as an array is no JSON. */
  static final class InvalidEvent extends IllegalArgumentException {
    private static final long serialVersionUID = 1;
    final int index;

    InvalidEvent(int index, Throwable cause) {
      super("event " + (index + 1) + " of the batch is not valid JSON: " + cause.getMessage(), cause);
      this.index = index;
    }
  }

  /** In an array, text that is no whole value would change what its neighbours are. */
  private static byte[] checked(List<Json> events, int index) {
    try {
      events.get(index).tree();
    } catch (UncheckedIOException e) {
      throw new InvalidEvent(index, e.getCause());
    }
    return events.get(index).shared();
  }

  /** Refuses white space: as a line of a batch it would be no event. */
  static Json notBlank(Json event) {
    for (byte b : event.shared()) {
      if (b != ' ' && b != '\t' && b != '\n' && b != '\r') {
        return event;
      }
    }
    throw new IllegalArgumentException("an event must be a JSON object, and this one is empty");
  }

  /** Puts the bytes that were sent into data, where the answer shows them beside it. */
  static Event exact(Event event) {
    return event.getRaw() == null ? event : event.data(Json.raw(event.getRaw()));
  }
}
