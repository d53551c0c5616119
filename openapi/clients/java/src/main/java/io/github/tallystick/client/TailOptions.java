package io.github.tallystick.client;

/** Where a tail begins, and what it leaves out. */
public final class TailOptions extends Options<TailOptions> {
  /** Everything that is appended from now on. */
  public TailOptions() {}

  /**
   * Events after this sequence.
   *
   * @param sequence 0 for all events of the log
   * @return this
   */
  public TailOptions after(long sequence) {
    return query("after", sequence);
  }

  /**
   * Only events of this type.
   *
   * @param type their {@code type}
   * @return this
   */
  public TailOptions type(String type) {
    return query("type", type);
  }
}
