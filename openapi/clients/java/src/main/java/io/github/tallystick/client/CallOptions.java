package io.github.tallystick.client;

/** Options of calls that change something, or that ask for one version of it. */
public final class CallOptions extends Options<CallOptions> {
  /** No options. */
  public CallOptions() {}

  /**
   * Who asks: recorded with what is done, beside the key's name.
   *
   * @param actor at most 200 bytes without control characters
   * @return this
   */
  public CallOptions actor(String actor) {
    return header("Tally-Actor", actor);
  }

  /**
   * An earlier version of a view or source, where the call takes one.
   *
   * @param version from 1
   * @return this
   */
  public CallOptions version(long version) {
    return query("version", version);
  }

  /**
   * The logs that a view is deployed on.
   *
   * @param pattern a pattern of their names, such as {@code customer-*}
   * @return this
   */
  public CallOptions logs(String pattern) {
    return query("logs", pattern);
  }

  /**
   * Leaves the view on its logs when its pattern is retired.
   *
   * @return this
   */
  public CallOptions keep() {
    return query("keep", true);
  }

  /**
   * Takes the body of a test for another kind of delivery.
   *
   * @param kind {@code events} (when absent), {@code logs} or {@code traces}
   * @return this
   */
  public CallOptions as(String kind) {
    return query("as", kind);
  }

  /**
   * What the body of a delivery is; {@code application/json} when absent.
   *
   * @param type a media type, such as {@code application/x-ndjson}
   * @return this
   */
  public CallOptions contentType(String type) {
    return header("Content-Type", type);
  }
}
