package io.github.tallystick.client;

/** Options of appends. */
public final class AppendOptions extends Options<AppendOptions> {
  /** No options. */
  public AppendOptions() {}

  /**
   * Makes a retry of events without an id of their own safe, for ever: the same key with the same bytes finds the first. Without one, each
   * call makes a key, so that its own retries are safe.
   *
   * @param key at most 512 bytes without control characters; in a batch, event n (from 0) has the key with {@code :n} added
   * @return this
   */
  public AppendOptions idempotencyKey(String key) {
    return header("Idempotency-Key", key);
  }

  /**
   * Appends only if the log's last sequence is this one; else the call fails with {@code sequence_mismatch}.
   *
   * @param sequence the sequence; 0 means an empty log
   * @return this
   */
  public AppendOptions expectedSequence(long sequence) {
    return header("Expected-Sequence", sequence);
  }

  /**
   * Asks what would happen: the answer, or the failure, is that of the append, and nothing is stored.
   *
   * @return this
   */
  public AppendOptions dryRun() {
    return query("dry_run", true);
  }

  boolean hasOwnKey() {
    return headers().keySet().stream().anyMatch("Idempotency-Key"::equalsIgnoreCase);
  }
}
