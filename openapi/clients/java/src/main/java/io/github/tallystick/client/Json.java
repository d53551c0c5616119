package io.github.tallystick.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A JSON value with its text: what came from the server is kept byte for byte, and what is sent is written once. Immutable.
 *
 * <p>Numbers are exact: {@link #tree} gives integers of any size ({@code BigInteger}) and decimals with all their digits ({@code
 * BigDecimal}), so that {@code 0.10} stays {@code 0.10}.
 */
public final class Json {
  private final byte[] text;

  /** Takes the text without copying it. */
  Json(byte[] text) {
    this.text = text;
  }

  /**
   * Makes JSON of a value: a map, a record, a list, a {@link JsonNode}, an {@link java.time.Instant} or anything else that Jackson writes.
   * A {@code String} becomes a JSON string: see {@link #raw(String)} for text that is JSON already.
   *
   * @param value the value; null becomes JSON's null
   * @return its JSON
   * @throws IllegalArgumentException if Jackson cannot write it, or it holds a number that JSON does not have, such as NaN
   */
  public static Json of(Object value) {
    if (value instanceof Json json) {
      return json;
    }
    try {
      return new Json(Codec.MAPPER.writeValueAsBytes(value));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("this value cannot be written as JSON: " + e.getOriginalMessage(), e);
    }
  }

  /**
   * Takes text that is JSON, as it is. It is not checked here: the server does that.
   *
   * @param text JSON
   * @return the same, byte for byte
   */
  public static Json raw(String text) {
    return new Json(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Takes bytes that are JSON in UTF-8, as they are. They are not checked here: the server does that.
   *
   * @param text JSON in UTF-8; copied
   * @return the same, byte for byte
   */
  public static Json raw(byte[] text) {
    return new Json(text.clone());
  }

  /**
   * The value's text, byte for byte.
   *
   * @return a copy of it
   */
  public byte[] bytes() {
    return text.clone();
  }

  /** The bytes themselves, which nobody may change. */
  byte[] shared() {
    return text;
  }

  /**
   * The value as a tree with exact numbers.
   *
   * @return the tree
   * @throws UncheckedIOException if the text is no JSON
   */
  public JsonNode tree() {
    return as(JsonNode.class);
  }

  /**
   * The value as an object of a class, by Jackson. Members that the class does not know are left out.
   *
   * @param type the class
   * @param <T> the class
   * @return the object
   * @throws UncheckedIOException if the text is no JSON, or does not fit the class
   */
  public <T> T as(Class<T> type) {
    try {
      return Codec.MAPPER.readValue(text, type);
    } catch (IOException e) {
      throw new UncheckedIOException("this JSON is no " + type.getSimpleName() + ": " + e.getMessage(), e);
    }
  }

  /** Whether the texts are the same, byte for byte. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Json json && Arrays.equals(text, json.text);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(text);
  }

  /** The text. */
  @Override
  public String toString() {
    return new String(text, StandardCharsets.UTF_8);
  }
}
