package io.github.tallystick.client;

import java.time.Duration;

/** A moment until which something may be tried. It may be set, and moved, while somebody waits for it. */
final class Deadline {
  private static final long NEVER = Long.MAX_VALUE;

  private final long start = System.nanoTime();
  private volatile long nanos; // after start

  private Deadline(long nanos) {
    this.nanos = nanos;
  }

  static Deadline after(Duration duration) {
    return new Deadline(nanosOf(duration));
  }

  static Deadline never() {
    return new Deadline(NEVER);
  }

  /** Moves the deadline to a time from now. */
  void moveTo(Duration fromNow) {
    long from = nanosOf(fromNow);
    long passed = System.nanoTime() - start;
    nanos = from >= NEVER - passed ? NEVER : passed + from;
  }

  /** What is left, in nanoseconds; 0 or less when it has passed. */
  long left() {
    return nanos == NEVER ? NEVER : nanos - (System.nanoTime() - start);
  }

  static long nanosOf(Duration duration) {
    try {
      return duration.toNanos();
    } catch (ArithmeticException e) {
      return NEVER;
    }
  }
}
