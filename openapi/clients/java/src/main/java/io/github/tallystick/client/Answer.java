package io.github.tallystick.client;

import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/** What a view says: JSON, CSV or text, as the view chooses. */
public final class Answer {
  private final String contentType;
  private final byte[] body;
  private final OptionalLong sequence;

  Answer(String contentType, byte[] body, OptionalLong sequence) {
    this.contentType = contentType;
    this.body = body;
    this.sequence = sequence;
  }

  /**
   * What kind of answer it is.
   *
   * @return its media type, such as {@code application/json}
   */
  public String contentType() {
    return contentType;
  }

  /**
   * The sequence of the last event that the answer reflects.
   *
   * @return the sequence, where the server said it
   */
  public OptionalLong sequence() {
    return sequence;
  }

  /**
   * The answer as JSON, with its text.
   *
   * @return the JSON; nothing checks here that it is some
   */
  public Json json() {
    return new Json(body);
  }

  /**
   * The answer as an object of a class, by Jackson.
   *
   * @param type the class
   * @param <T> the class
   * @return the object
   * @throws java.io.UncheckedIOException if the answer is no JSON, or does not fit the class
   */
  public <T> T as(Class<T> type) {
    return json().as(type);
  }

  /**
   * The answer as text.
   *
   * @return the text
   */
  public String text() {
    return new String(body, StandardCharsets.UTF_8);
  }

  /** The text. */
  @Override
  public String toString() {
    return text();
  }
}
