package io.github.tallystick.client;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a call may be told beside its path and body. Each kind of call has its own class; what this version has no method for, such as a
 * parameter of a newer server, goes by {@link #query} and {@link #header}. Not safe for use by several threads at once.
 *
 * @param <T> the class itself
 */
public abstract class Options<T extends Options<T>> {
  private final Map<String, String> query = new LinkedHashMap<>();
  private final Map<String, String> headers = new LinkedHashMap<>();

  /** For the classes of this package. */
  Options() {}

  @SuppressWarnings("unchecked")
  private T self() {
    return (T) this;
  }

  /**
   * Sets a parameter of the query string.
   *
   * @param name the parameter's name
   * @param value its value, not yet encoded; null leaves it out
   * @return this
   */
  public T query(String name, Object value) {
    if (value == null) {
      query.remove(name);
    } else {
      query.put(name, value.toString());
    }
    return self();
  }

  /**
   * Sets a header of the request.
   *
   * @param name the header's name
   * @param value its value; null leaves it out
   * @return this
   */
  public T header(String name, Object value) {
    if (value == null) {
      headers.remove(name);
    } else {
      headers.put(name, value.toString());
    }
    return self();
  }

  /**
   * Acts in another tenant than the key's own, for keys with the scope operator.
   *
   * @param tenant the tenant's name
   * @return this
   */
  public T tenant(String tenant) {
    return header("Tally-Tenant", tenant);
  }

  Map<String, String> query() {
    return query;
  }

  Map<String, String> headers() {
    return headers;
  }

  /** Takes over what other options say. */
  T from(Options<?> other) {
    query.putAll(other.query);
    headers.putAll(other.headers);
    return self();
  }
}
