package io.github.tallystick.client;

import java.time.Duration;
import java.util.List;

/** How a {@link Batcher} gathers events. */
public final class BatcherOptions {
  int maxEvents = 1000;
  int maxBytes = 1 << 20;
  Duration linger = Duration.ofMillis(100);
  long maxBuffer = 16 << 20;
  int parallel = 8;
  boolean failWhenFull;
  FailureListener onFailure;

  /** What a batcher calls with events that it could not append. */
  @FunctionalInterface
  public interface FailureListener {
    /**
     * Some events of a log are not in it, and the batcher will not try again; unless the error says that the outcome is unknown.
     *
     * @param log the log
     * @param events the events, as they were sent
     * @param error why
     */
    void failed(String log, List<Json> events, TallyException error);
  }

  /** The usual: batches of 1,000 events or 1 MiB, after 100 ms at the latest, and 16 MiB of events that wait. */
  public BatcherOptions() {}

  /**
   * The most events of a batch.
   *
   * @param events 1 to 10,000
   * @return this
   */
  public BatcherOptions maxEvents(int events) {
    maxEvents = inRange("maxEvents", events, 1, 10_000);
    return this;
  }

  /**
   * The most bytes of a batch; an event that is larger goes by itself.
   *
   * @param bytes 1 to 10 MiB
   * @return this
   */
  public BatcherOptions maxBytes(int bytes) {
    maxBytes = inRange("maxBytes", bytes, 1, 10 << 20);
    return this;
  }

  /**
   * How long an event waits for others of its log.
   *
   * @param linger the time; 0: not at all
   * @return this
   */
  public BatcherOptions linger(Duration linger) {
    this.linger = linger;
    return this;
  }

  /**
   * How many bytes of events may wait, those under way included. Beyond that {@code add} waits.
   *
   * @param bytes from 1
   * @return this
   */
  public BatcherOptions maxBuffer(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("maxBuffer must be at least 1");
    }
    maxBuffer = bytes;
    return this;
  }

  /**
   * Has {@code add} throw an {@link IllegalStateException} where it would wait.
   *
   * @return this
   */
  public BatcherOptions failWhenFull() {
    failWhenFull = true;
    return this;
  }

  /**
   * Whom to tell of events that could not be appended. Without one, {@code flush} and {@code close} throw the first such error.
   *
   * @param listener called by threads of the batcher, one at a time for each log
   * @return this
   */
  public BatcherOptions onFailure(FailureListener listener) {
    onFailure = listener;
    return this;
  }

  private static int inRange(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(name + " must be between " + least + " and " + most);
    }
    return value;
  }
}
