package io.github.tallystick.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The variables of a case, and the arguments in which they stand. */
final class ConformanceValues {
  private static final Pattern NAME = Pattern.compile("\\$\\{([a-z_][a-z0-9_]*)}");

  private final Map<String, JsonNode> variables;

  ConformanceValues(Map<String, JsonNode> variables) {
    this.variables = new HashMap<>(variables);
  }

  void set(String name, JsonNode value) {
    variables.put(name, value);
  }

  /** These variables, and one more. */
  ConformanceValues with(String name, long value) {
    ConformanceValues more = new ConformanceValues(variables);
    more.set(name, Json.of(value).tree());
    return more;
  }

  /** A text in which variables stand: the value of one, or text. */
  JsonNode text(String text) {
    if (text.startsWith("$") && variables.containsKey(text.substring(1))) {
      return variables.get(text.substring(1));
    }
    Matcher m = NAME.matcher(text);
    return new TextNode(
        m.replaceAll(
            found -> {
              JsonNode value = variables.get(found.group(1));
              return Matcher.quoteReplacement(value == null ? found.group() : value.isTextual() ? value.textValue() : value.toString());
            }));
  }

  String name(String text) {
    JsonNode value = text(text);
    return value.isTextual() ? value.textValue() : value.toString();
  }

  /** An argument as a value of Java: Json for exact text, bytes, maps, lists, and JSON's others. */
  Object resolve(JsonNode node) {
    if (node.isTextual()) {
      return plain(text(node.textValue()));
    }
    if (node.isArray()) {
      List<Object> list = new ArrayList<>();
      for (JsonNode element : node) {
        Object value = resolve(element);
        if (element.has("$events")) {
          list.addAll((List<?>) value);
        } else {
          list.add(value);
        }
      }
      return list;
    }
    if (!node.isObject()) {
      return plain(node);
    }
    String only = node.size() == 1 ? node.fieldNames().next() : "";
    JsonNode value = node.get(only);
    switch (only) {
      case "$raw":
        return Json.raw(name(value.textValue()));
      case "$base64":
        return Base64.getDecoder().decode(value.textValue());
      case "$file":
        return file(name(value.textValue()));
      case "$number":
        return new BigDecimal(name(value.textValue()));
      case "$literal":
        return value;
      case "$events":
        List<Object> copies = new ArrayList<>();
        for (int i = 0; i < value.get("count").asInt(); i++) {
          copies.add(with("i", i).resolve(value.get("event")));
        }
        return copies;
      default:
        Map<String, Object> object = new LinkedHashMap<>();
        node.properties().forEach(member -> object.put(name(member.getKey()), resolve(member.getValue())));
        return object;
    }
  }

  private static Object plain(JsonNode node) {
    return node.isTextual() ? node.textValue() : node.isNull() ? null : node;
  }

  private static byte[] file(String name) {
    try {
      return Files.readAllBytes(Path.of(System.getenv("CONFORMANCE_FILES"), name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
