package io.github.tallystick.client;

import io.github.tallystick.client.Lane.Entry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Gathers events of many logs into batches, and appends them. Each event that {@link #add} took is either acknowledged by the server or
 * reported as failed; none is lost and none is counted twice. A batch is encoded once, under one key, and tried without end while the
 * reason may pass. Events of a log keep their order, and one batch of a log is under way at a time; eight logs go side by side. Safe for
 * use by several threads.
 */
public final class Batcher implements AutoCloseable {
  private static final Duration CLOSE = Duration.ofSeconds(60);
  private static final long IDLE = TimeUnit.SECONDS.toNanos(5);

  private final BatcherOptions options;
  private final BatchSender sender;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition room = lock.newCondition();
  private final Condition work = lock.newCondition();
  private final Condition progress = lock.newCondition();
  private final Map<String, Lane> lanes = new HashMap<>();
  private final Deque<Lane> ready = new ArrayDeque<>();
  private final TreeSet<Lane.Due> due = new TreeSet<>(Comparator.comparingLong(Lane.Due::at).thenComparingLong(Lane.Due::number));
  private final Set<Thread> workers = new HashSet<>();
  private final long start = System.nanoTime();
  private final long linger; // nanoseconds, at most a year, so that sums do not overflow
  private int idleWorkers;
  private long buffered; // bytes
  private long added; // events
  private long flushTo; // events up to this number wait no longer
  private boolean closed;
  private TallyException firstFailure;

  Batcher(LogCalls calls, BatcherOptions options) {
    this.options = options;
    this.linger = Math.min(Deadline.nanosOf(options.linger), TimeUnit.DAYS.toNanos(365));
    this.sender = new BatchSender(calls, this::failed);
  }

  /**
   * Adds an event. Waits while there is no room for it.
   *
   * @param log the log's name or id
   * @param event the event, as in {@link Tally#appendEvent(String, Object)}; encoded before this returns
   * @throws IllegalStateException if the batcher is closed, or full where that was asked for
   */
  public void add(String log, Object event) {
    Json encoded = Events.notBlank(Events.encode(event));
    lock.lock();
    try {
      awaitRoom(encoded.shared().length);
      Lane lane = lanes.computeIfAbsent(log, Lane::new);
      Entry entry = new Entry(encoded, ++added, now());
      boolean first = !lane.hasWaiting();
      boolean wasFull = lane.isFull(options);
      lane.add(entry);
      buffered += entry.bytes();
      if (lane.isUnderWay()) {
        return; // its worker sees to it
      }
      if (lane.isFull(options) && !wasFull) {
        ready(lane);
      } else if (first) {
        schedule(lane);
      }
    } finally {
      lock.unlock();
    }
  }

  private long now() {
    return System.nanoTime() - start;
  }

  private void awaitRoom(int bytes) {
    boolean fromListener = workers.contains(Thread.currentThread()); // the room that it waits for would be its own
    while (!closed && !fromListener && buffered > 0 && buffered + bytes > options.maxBuffer) {
      if (options.failWhenFull) {
        throw new IllegalStateException("the batcher is full: " + buffered + " bytes of events wait");
      }
      try {
        room.await();
      } catch (InterruptedException e) {
        throw Transport.interrupted(e);
      }
    }
    if (closed) {
      throw new IllegalStateException("the batcher is closed");
    }
  }

  private void ready(Lane lane) {
    if (!lane.ready) {
      lane.ready = true;
      ready.add(lane);
      if (lane.due != null) {
        due.remove(lane.due);
        lane.due = null;
      }
      wakeWorker();
    }
  }

  private void schedule(Lane lane) {
    lane.due = new Lane.Due(lane.firstAdded() + linger, lane.firstWaiting(), lane);
    due.add(lane.due);
    wakeWorker();
  }

  /** Has a worker look at the queues again. Each that takes a lane wakes the next one where there is more to wait for. */
  private void wakeWorker() {
    if (idleWorkers > 0) {
      work.signal();
    } else if (workers.size() < options.parallel) {
      startWorker();
    }
  }

  private void startWorker() {
    Thread worker = new Thread(this::work, "tally-batcher");
    worker.setDaemon(true);
    workers.add(worker);
    worker.start();
  }

  private void work() {
    lock.lock();
    try {
      for (Lane lane = next(); lane != null; lane = next()) {
        List<Entry> batch = lane.take(options);
        if (!ready.isEmpty() || !due.isEmpty()) {
          wakeWorker();
        }
        lock.unlock();
        try {
          sender.send(lane.log, batch.stream().map(Entry::event).toList());
        } finally {
          lock.lock();
          done(lane, batch);
        }
      }
    } finally {
      workers.remove(Thread.currentThread());
      progress.signalAll();
      lock.unlock();
    }
  }

  private void done(Lane lane, List<Entry> batch) {
    lane.done();
    batch.forEach(entry -> buffered -= entry.bytes());
    room.signalAll();
    progress.signalAll();
    if (!lane.hasWaiting()) {
      lanes.remove(lane.log);
    } else if (lane.isFull(options) || closed || lane.firstWaiting() <= flushTo) {
      ready(lane);
    } else {
      schedule(lane);
    }
  }

  /** Waits for a lane that is to be sent; null when there has been nothing to do for a while. */
  private Lane next() {
    long idleSince = now();
    while (true) {
      if (!ready.isEmpty()) {
        return ready.poll();
      }
      Lane.Due first = due.isEmpty() ? null : due.first();
      if (first != null && (closed || first.at() <= now())) {
        due.remove(first);
        first.lane().due = null;
        return first.lane();
      }
      long until = first == null ? idleSince + IDLE : first.at();
      long wait = until - now();
      if (first == null && (closed || wait <= 0)) {
        return null;
      }
      idleWorkers++;
      try {
        work.awaitNanos(wait);
      } catch (InterruptedException e) {
        // The deadline of close has come, and there is no more waiting.
      } finally {
        idleWorkers--;
      }
    }
  }

  private void failed(String log, List<Json> events, TallyException error) {
    if (options.onFailure != null) {
      try {
        options.onFailure.failed(log, events, error);
      } catch (RuntimeException e) {
        System.getLogger(Batcher.class.getName()).log(System.Logger.Level.ERROR, "onFailure failed", e);
      }
      return;
    }
    lock.lock();
    try {
      firstFailure = firstFailure == null ? error : firstFailure;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sends what was added before, and waits until all of it is acknowledged or reported.
   *
   * @throws TallyException if events failed since the last flush, and nobody listens for that
   */
  public void flush() {
    lock.lock();
    try {
      refuseListener();
      flush(Deadline.never());
      report();
    } catch (InterruptedException e) {
      throw Transport.interrupted(e);
    } finally {
      lock.unlock();
    }
  }

  /** Sends all events up to now; false if the deadline came before all were done. */
  private boolean flush(Deadline deadline) throws InterruptedException {
    long last = added;
    flushTo = Math.max(flushTo, last);
    for (Lane lane : lanes.values()) {
      if (lane.hasWaiting() && !lane.isUnderWay()) {
        ready(lane);
      }
    }
    while (lanes.values().stream().anyMatch(lane -> !lane.isIdle() && lane.first() <= last)) {
      if (progress.awaitNanos(Math.max(0, deadline.left())) <= 0 && deadline.left() <= 0) {
        return false;
      }
    }
    return true;
  }

  private void refuseListener() {
    if (workers.contains(Thread.currentThread())) {
      throw new IllegalStateException("onFailure cannot flush or close the batcher: both wait for it");
    }
  }

  private void report() {
    TallyException failure = firstFailure;
    firstFailure = null;
    if (failure != null) {
      throw failure;
    }
  }

  /** Closes the batcher within 60 s. See {@link #close(Duration)}. */
  @Override
  public void close() {
    close(CLOSE);
  }

  /**
   * Sends what is left, and ends the batcher. What is not acknowledged when the time is over is reported as failed. May be called again.
   *
   * @param patience how long to try
   * @throws TallyException if events failed since the last flush, and nobody listens for that
   */
  public void close(Duration patience) {
    lock.lock();
    try {
      refuseListener();
      closed = true;
      room.signalAll();
      work.signalAll();
      Deadline deadline = Deadline.after(patience);
      sender.deadline.moveTo(patience);
      boolean done = false;
      boolean interrupted = false;
      try {
        done = flush(deadline);
      } catch (InterruptedException e) {
        interrupted = true;
      }
      if (!done) {
        giveUp();
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      report();
    } finally {
      lock.unlock();
    }
  }

  /** Has the workers report what is left, and waits for that. */
  private void giveUp() {
    sender.deadline.moveTo(Duration.ZERO);
    while (!lanes.isEmpty()) {
      workers.forEach(Thread::interrupt);
      progress.awaitUninterruptibly();
    }
  }
}
