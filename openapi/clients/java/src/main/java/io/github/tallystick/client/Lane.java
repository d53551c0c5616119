package io.github.tallystick.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The events of one log that wait in a batcher, guarded by its lock. */
final class Lane {
  final String log;
  boolean ready; // it is among those that are to be sent next
  Due due; // null where it is ready, under way, or empty
  private final Deque<Entry> waiting = new ArrayDeque<>();
  private long waitingBytes;
  private List<Entry> underWay = List.of();

  /** When a lane must go, and the number of its first event. */
  record Due(long at, long number, Lane lane) {}

  /** An event; number counts the events of the batcher, added is when it was added. */
  record Entry(Json event, long number, long added) {
    int bytes() {
      return event.shared().length + 1; // and a line feed
    }
  }

  Lane(String log) {
    this.log = log;
  }

  void add(Entry entry) {
    waiting.add(entry);
    waitingBytes += entry.bytes();
  }

  /** Whether nothing of the log is left to do. */
  boolean isIdle() {
    return waiting.isEmpty() && underWay.isEmpty();
  }

  boolean isUnderWay() {
    return !underWay.isEmpty();
  }

  boolean hasWaiting() {
    return !waiting.isEmpty();
  }

  boolean isFull(BatcherOptions options) {
    return waiting.size() >= options.maxEvents || waitingBytes >= options.maxBytes;
  }

  /** When the first of the waiting events was added. */
  long firstAdded() {
    return waiting.getFirst().added();
  }

  /** The number of the first waiting event. */
  long firstWaiting() {
    return waiting.getFirst().number();
  }

  /** The number of the first event that is neither acknowledged nor reported. */
  long first() {
    return underWay.isEmpty() ? waiting.getFirst().number() : underWay.get(0).number();
  }

  /** Takes the next batch. */
  List<Entry> take(BatcherOptions options) {
    List<Entry> batch = new ArrayList<>();
    long bytes = 0;
    while (!waiting.isEmpty() && batch.size() < options.maxEvents) {
      Entry next = waiting.getFirst();
      if (!batch.isEmpty() && bytes + next.bytes() > options.maxBytes) {
        break;
      }
      bytes += next.bytes();
      batch.add(waiting.removeFirst());
    }
    waitingBytes -= bytes;
    ready = false;
    underWay = batch;
    return batch;
  }

  void done() {
    underWay = List.of();
  }
}
