package io.github.tallystick.client.model;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.github.tallystick.client.Json;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An object of the API. Members that this version does not know are kept, and are written again. Members that were not set are not sent. Not
 * safe for use by several threads while one of them sets members.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonAutoDetect(
    fieldVisibility = Visibility.NONE,
    getterVisibility = Visibility.NONE,
    isGetterVisibility = Visibility.NONE,
    setterVisibility = Visibility.NONE,
    creatorVisibility = Visibility.NONE)
public abstract class Model {
  private final Map<String, Json> unknown = new LinkedHashMap<>();

  /** For the classes of this package. */
  Model() {}

  /**
   * The members that this version of the SDK has no method for, such as those of a newer server.
   *
   * @return them by name, read only
   */
  @JsonAnyGetter
  public final Map<String, Json> unknown() {
    return Collections.unmodifiableMap(unknown);
  }

  /**
   * Sets a member that this version of the SDK has no method for.
   *
   * @param name the member's name
   * @param value its value
   */
  @JsonAnySetter
  public final void unknown(String name, Json value) {
    unknown.put(name, value);
  }

  @Override
  public final boolean equals(Object other) {
    return other != null && other.getClass() == getClass() && Json.of(this).equals(Json.of(other));
  }

  @Override
  public final int hashCode() {
    return Json.of(this).hashCode();
  }

  /** As JSON. */
  @Override
  public final String toString() {
    return Json.of(this).toString();
  }
}
