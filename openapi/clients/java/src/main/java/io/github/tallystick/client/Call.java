package io.github.tallystick.client;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One request of the API, before it is sent. */
final class Call {
  final String method;
  final boolean repeatable;
  final Map<String, String> headers = new LinkedHashMap<>();
  private final StringBuilder path = new StringBuilder();
  private final List<String> query = new ArrayList<>();
  byte[] body;
  boolean slow;

  private Call(String method, boolean repeatable, String... segments) {
    this.method = method;
    this.repeatable = repeatable;
    for (String segment : segments) {
      if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
        throw new IllegalArgumentException("\"" + segment + "\" is no name: see the limits of the API");
      }
      path.append('/').append(encode(segment));
    }
  }

  /** Any call, by its path, which is encoded already. Only reading is repeated. */
  static Call of(String method, String path) {
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException("the path \"" + path + "\" must begin with a slash");
    }
    Call call = new Call(method, method.equals("GET"));
    call.path.append(path);
    return call;
  }

  /** A call that changes nothing, or nothing more when it comes again: it may be tried again when its answer is lost. */
  static Call repeatable(String method, String... segments) {
    return new Call(method, true, segments);
  }

  /** A call that may do more when it comes again: it is tried again only where the server says that it did nothing. */
  static Call once(String method, String... segments) {
    return new Call(method, false, segments);
  }

  static Call get(String... segments) {
    return repeatable("GET", segments);
  }

  /** The server reads a whole log before it answers, which takes as long as it takes: no bound of the client's holds. */
  Call slow() {
    slow = true;
    return this;
  }

  Call query(String name, Object value) {
    if (value != null) {
      query.add(encode(name) + "=" + encode(value.toString()));
    }
    return this;
  }

  Call query(Map<String, String> parameters) {
    parameters.forEach(this::query);
    return this;
  }

  Call header(String name, String value) {
    headers.put(name, value);
    return this;
  }

  Call with(Options<?> options) {
    if (options != null) {
      query(options.query());
      headers.putAll(options.headers());
    }
    return this;
  }

  /** A body in JSON. */
  Call json(Object value) {
    return body("application/json", Json.of(value).shared());
  }

  /** A body that is sent as it is. */
  Call body(String contentType, byte[] bytes) {
    headers.put("Content-Type", contentType);
    body = bytes;
    return this;
  }

  /** The path and the query string, after the server's URL. */
  String target() {
    return query.isEmpty() ? path.toString() : path + "?" + String.join("&", query);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
