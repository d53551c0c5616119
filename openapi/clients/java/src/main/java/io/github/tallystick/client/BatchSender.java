package io.github.tallystick.client;

import io.github.tallystick.client.model.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Sends one batch after the other until each event is acknowledged or reported. Safe for use by several threads. */
final class BatchSender {
  /** Until when batches are tried: without end until the batcher is closed. */
  final Deadline deadline = Deadline.never();

  /** By which proxies say that the server did not answer: as good as a lost connection. */
  private static final Set<Integer> UNANSWERED = Set.of(408, 502, 503, 504);

  private final LogCalls calls;
  private final BatcherOptions.FailureListener failed;

  BatchSender(LogCalls calls, BatcherOptions.FailureListener failed) {
    this.calls = calls;
    this.failed = failed;
  }

  /** Appends events to a log. Where the server names one that it refuses, that one is reported, and the others are sent anew. */
  void send(String log, List<Json> events) {
    List<Json> left = events;
    while (!left.isEmpty()) {
      try {
        append(log, left);
        return;
      } catch (TallyException e) {
        int line = line(e, left.size());
        if (line > 0) { // nothing of the batch is stored, so that the others may go under another key
          failed.failed(log, List.of(left.get(line - 1)), e);
          if (e.getCode().equals(TallyException.REFUSED_BY_GUARD)) {
            // A guard may refuse all that follow, too, and names one at a time: halves send none of them often.
            int half = line + (left.size() - line) / 2;
            send(log, left.subList(0, line - 1));
            send(log, left.subList(line, half));
            left = left.subList(half, left.size());
          } else {
            left = without(left, line - 1);
          }
        } else if (e.getStatus() == 413 && left.size() > 1) {
          int most = most(e, left.size());
          for (int i = 0; i < left.size(); i += most) {
            send(log, left.subList(i, Math.min(i + most, left.size())));
          }
          return;
        } else {
          failed.failed(log, left, e);
          return;
        }
      } catch (Events.InvalidEvent e) {
        failed.failed(log, List.of(left.get(e.index)), new TallyException("invalid_json", e.getMessage(), e));
        left = without(left, e.index);
      }
    }
  }

  private void append(String log, List<Json> events) {
    if (deadline.left() <= 0) {
      String detail = "the batcher was closed before these events could be sent";
      throw new TallyException(TallyException.CLOSED, detail, null);
    }
    Events.Batch batch = Events.batch(events);
    Call call = LogCalls.append(log, "append_batch", null).body(batch.contentType(), batch.body());
    try {
      for (int tries = 1; !appended(call, tries); tries++) {
        // A proxy had no answer of the server's.
      }
    } catch (TallyException e) {
      if (!e.getCode().equals(TallyException.INTERRUPTED)) {
        throw e;
      }
      Thread.interrupted(); // what follows is not to be interrupted
      String detail = "the batcher was closed before the server answered: it is not known whether these events are stored";
      throw new TallyException(TallyException.CLOSED, detail, e);
    }
  }

  /** Sends a batch. False, after a pause, where a proxy says that the server did not answer: it is to be sent again, as it has its key. */
  private boolean appended(Call call, int tries) {
    try {
      calls.appendEvents(call, null, deadline);
      return true;
    } catch (TallyException e) {
      long pause = Transport.pause(e, tries);
      boolean guards = e.getCode().equals(TallyException.REFUSED_BY_GUARD);
      if (guards || !UNANSWERED.contains(e.getStatus()) || pause >= deadline.left()) {
        throw e;
      }
      Transport.sleep(pause, e);
      return false;
    }
  }

  /** The line that the server refuses for good; 0 where it names none. */
  private static int line(TallyException e, int lines) {
    long line = e.getStatus() >= 400 && e.getStatus() < 500 && !e.isTransient() ? e.getLine().orElse(0) : 0;
    return line <= lines ? (int) line : 0;
  }

  /** How many of the refused events to send at once: as many as the server says, or half of them. */
  private static int most(TallyException e, int refused) {
    long allowed = e.getProblem().map(Problem::getEvents).orElse(0L);
    return allowed > 0 && allowed < refused ? (int) allowed : refused / 2;
  }

  private static List<Json> without(List<Json> events, int index) {
    List<Json> rest = new ArrayList<>(events);
    rest.remove(index);
    return rest;
  }
}
