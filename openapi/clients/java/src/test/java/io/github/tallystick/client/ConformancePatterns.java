package io.github.tallystick.client;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** Holds answers against the patterns of a case. */
final class ConformancePatterns {
  private final ConformanceValues values;

  ConformancePatterns(ConformanceValues values) {
    this.values = values;
  }

  /** Why the value does not match; null where it does. The value is null where it is missing. */
  String mismatch(String at, JsonNode pattern, Json value) {
    if (pattern.isTextual()) {
      return same(at, values.text(pattern.textValue()), value);
    }
    if (pattern.isObject() && pattern.size() == 1 && pattern.fieldNames().next().matches("\\$[a-z]+")) {
      String condition = pattern.fieldNames().next();
      if (!isVariable(condition)) {
        return holds(at, condition, pattern.get(condition), value) ? null : at + " is " + value + ", not " + pattern;
      }
    }
    if (pattern.isObject()) {
      if (value == null || !value.tree().isObject()) {
        return at + " is " + value + ", no object";
      }
      return mismatchOfMembers(at, pattern, value);
    }
    if (pattern.isArray()) {
      if (value == null || !value.tree().isArray() || value.tree().size() != pattern.size()) {
        return at + " is " + value + ", not " + pattern.size() + " elements";
      }
      List<Json> elements = elements(value);
      for (int i = 0; i < elements.size(); i++) {
        String wrong = mismatch(at + "/" + i, pattern.get(i), elements.get(i));
        if (wrong != null) {
          return wrong;
        }
      }
      return null;
    }
    return same(at, pattern, value);
  }

  private boolean isVariable(String text) {
    JsonNode replaced = values.text(text);
    return !replaced.isTextual() || !replaced.textValue().equals(text);
  }

  private static String same(String at, JsonNode expected, Json value) {
    return value != null && same(expected, value.tree()) ? null : at + " is " + value + ", not " + expected;
  }

  private static boolean same(JsonNode a, JsonNode b) {
    if (a.isNumber() && b.isNumber()) {
      return a.decimalValue().compareTo(b.decimalValue()) == 0;
    }
    if (a.isObject() && b.isObject()) {
      return a.size() == b.size() && a.properties().stream().allMatch(m -> b.has(m.getKey()) && same(m.getValue(), b.get(m.getKey())));
    }
    if (a.isArray() && b.isArray()) {
      if (a.size() != b.size()) {
        return false;
      }
      for (int i = 0; i < a.size(); i++) {
        if (!same(a.get(i), b.get(i))) {
          return false;
        }
      }
      return true;
    }
    return a.equals(b);
  }

  private boolean holds(String at, String condition, JsonNode wanted, Json value) {
    JsonNode tree = value == null ? null : value.tree();
    return switch (condition) {
      case "$raw" -> value != null && value.toString().equals(values.name(wanted.textValue()));
      case "$number" ->
          tree != null && tree.isNumber() && tree.decimalValue().compareTo(new BigDecimal(values.name(wanted.textValue()))) == 0;
      case "$type" -> tree != null && hasType(tree, wanted.textValue());
      case "$falsy" -> isFalsy(tree) == wanted.booleanValue();
      case "$has" -> tree != null && tree.isTextual() && tree.textValue().contains(values.name(wanted.textValue()));
      case "$least" -> tree != null && tree.isNumber() && tree.decimalValue().compareTo(number(wanted)) >= 0;
      case "$length" -> tree != null && tree.isArray() && number(wanted).compareTo(BigDecimal.valueOf(tree.size())) == 0;
      case "$contains" ->
          tree != null
              && tree.isArray()
              && StreamSupport.stream(wanted.spliterator(), false)
                  .allMatch(p -> elements(value).stream().anyMatch(e -> mismatch(at, p, e) == null));
      case "$exactly" ->
          tree != null && tree.isObject() && tree.size() == wanted.size() && mismatchOfMembers(at, wanted, value) == null;
      case "$not" -> mismatch(at, wanted, value) != null;
      case "$either" -> StreamSupport.stream(wanted.spliterator(), false).anyMatch(p -> mismatch(at, p, value) == null);
      case "$literal" -> tree != null && same(wanted, tree);
      default -> throw new IllegalArgumentException("there is no condition " + condition);
    };
  }

  private String mismatchOfMembers(String at, JsonNode pattern, Json value) {
    Map<String, Json> members = members(value);
    for (Map.Entry<String, JsonNode> member : pattern.properties()) {
      String name = values.name(member.getKey());
      String wrong = mismatch(at + "/" + name, member.getValue(), members.get(name));
      if (wrong != null) {
        return wrong;
      }
    }
    return null;
  }

  private BigDecimal number(JsonNode wanted) {
    return wanted.isTextual() ? new BigDecimal(values.name(wanted.textValue())) : wanted.decimalValue();
  }

  private static boolean hasType(JsonNode tree, String type) {
    return switch (type) {
      case "string" -> tree.isTextual();
      case "number" -> tree.isNumber();
      case "integer" -> tree.isNumber() && tree.decimalValue().stripTrailingZeros().scale() <= 0;
      case "boolean" -> tree.isBoolean();
      case "object" -> tree.isObject();
      case "array" -> tree.isArray();
      default -> throw new IllegalArgumentException("there is no type " + type);
    };
  }

  private static boolean isFalsy(JsonNode tree) {
    return tree == null
        || tree.isNull()
        || tree.isBoolean() && !tree.booleanValue()
        || tree.isTextual() && tree.textValue().isEmpty()
        || tree.isNumber() && tree.decimalValue().signum() == 0
        || tree.isArray() && tree.isEmpty();
  }

  private static Map<String, Json> members(Json value) {
    return read(value, new TypeReference<>() {});
  }

  private static List<Json> elements(Json value) {
    return read(value, new TypeReference<>() {});
  }

  private static <T> T read(Json value, TypeReference<T> type) {
    try {
      return Codec.MAPPER.readValue(value.bytes(), type);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
