package io.github.tallystick.client;

import io.github.tallystick.client.model.Problem;
import java.io.IOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Events of a log as they are committed, or answers of a view as they change. Iterating waits for the next one, for ever; {@link #close},
 * from any thread, ends it. A lost connection is made again after a pause, and goes on where it was. What the server refuses (4xx) ends
 * the iteration with a {@link TallyException}. There is one iterator, for one thread at a time.
 *
 * @param <T> what comes
 */
public final class Live<T> implements Iterable<T>, AutoCloseable {
  private final Transport transport;
  private final Function<String, Call> call;
  private final Function<Messages.Message, T> take;
  private final boolean resuming;
  private final Duration silence;
  private final Deadline firstConnection;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Transport.Opened opened;
  private volatile Consumer<TallyException> onTrouble = e -> {};
  private Messages messages;
  private boolean begun;
  private String id = "";
  private long retryMillis = -1;
  private int failures;

  /** Call gets the id to resume after, empty at first; take gets each message, and answers null for one that is left out. */
  Live(Transport transport, boolean resuming, Duration silence, Function<String, Call> call, Function<Messages.Message, T> take) {
    this.transport = transport;
    this.resuming = resuming;
    this.silence = silence;
    this.call = call;
    this.take = take;
    this.firstConnection = Deadline.after(transport.deadline);
  }

  /**
   * Has a function called with each reason why nothing comes for a while: a lost connection, a server that stops. It is
   * called by the iterating thread.
   *
   * @param onTrouble the function
   * @return this
   */
  public Live<T> onTrouble(Consumer<TallyException> onTrouble) {
    this.onTrouble = onTrouble;
    return this;
  }

  /** The iterator, always the same one. Its {@code hasNext} waits, and is false once this is closed. */
  @Override
  public Iterator<T> iterator() {
    return iterator;
  }

  private final Iterator<T> iterator =
      new Iterator<>() {
        private T next;

        @Override
        public boolean hasNext() {
          if (next == null) {
            next = advance();
          }
          return next != null;
        }

        @Override
        public T next() {
          if (!hasNext()) {
            throw new NoSuchElementException();
          }
          T result = next;
          next = null;
          return result;
        }
      };

  private boolean isClosed() {
    return closed.getCount() == 0;
  }

  /** The next one; null when this is closed. */
  private T advance() {
    while (!isClosed()) {
      try {
        T item = receive();
        if (item != null) {
          return item;
        }
      } catch (TallyException e) {
        disconnect();
        if (isClosed()) {
          return null;
        }
        if (isFinal(e)) {
          close();
          throw e;
        }
        pause(e);
      }
    }
    return null;
  }

  /** One message of the connection, which is made where there is none. Null for one that is left out. */
  private T receive() {
    Messages.Message message;
    try {
      if (messages == null) {
        connect();
      }
      message = messages.next();
      if (message == null) {
        throw new IOException("the stream ended");
      }
    } catch (IOException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw Transport.interrupted(e);
      }
      throw new TallyException(TallyException.CONNECTION, "the stream of the server was lost: " + e.getMessage(), e);
    } finally {
      remember();
    }
    if (message.event().equals("end")) {
      throw problem(message);
    }
    failures = 0;
    return take.apply(message);
  }

  static TallyException problem(Messages.Message message) {
    Problem problem = Transport.problem(message.data());
    return new TallyException((int) problem.getStatus(), problem, null, null);
  }

  private void connect() throws IOException {
    Transport.Opened stream = transport.open(call.apply(id).header("Accept", "text/event-stream"), silence);
    opened = stream;
    if (isClosed()) {
      disconnect();
      throw new IOException("closed");
    }
    String type = stream.headers().firstValue("Content-Type").orElse("");
    if (!type.startsWith("text/event-stream")) {
      throw Reply.unexpected("it is no stream of events but " + type, null);
    }
    messages = new Messages(stream.body());
    begun = true;
  }

  private void remember() {
    if (messages != null) {
      id = messages.id().isEmpty() ? id : messages.id();
      retryMillis = messages.retryMillis() >= 0 ? messages.retryMillis() : retryMillis;
    }
  }

  private boolean isFinal(TallyException e) {
    boolean refused = e.getStatus() >= 400 && e.getStatus() < 500 && e.getRetryAfter().isEmpty();
    boolean ours = e.getStatus() == 0 && !e.getCode().equals(TallyException.CONNECTION) && !e.getCode().isEmpty();
    return !resuming || refused || ours || !begun && (!e.isTransient() || firstConnection.left() <= 0);
  }

  private void pause(TallyException e) {
    long millis = retryMillis < 0 || failures == 0 ? 0 : retryMillis;
    failures++;
    onTrouble.accept(e);
    try {
      closed.await(Transport.pause(e, failures) + TimeUnit.MILLISECONDS.toNanos(millis), TimeUnit.NANOSECONDS);
    } catch (InterruptedException interrupt) {
      throw Transport.interrupted(e);
    }
  }

  private void disconnect() {
    messages = null;
    hangUp();
  }

  private void hangUp() {
    Transport.Opened stream = opened;
    if (stream != null) {
      stream.body().close();
    }
  }

  /** Ends the iteration and the connection. May be called by any thread, and more than once. */
  @Override
  public void close() {
    closed.countDown();
    hangUp();
  }
}
