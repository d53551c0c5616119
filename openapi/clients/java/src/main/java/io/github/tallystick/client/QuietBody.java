package io.github.tallystick.client;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A body that is read while it comes, and whose reader notices silence. One thread reads; another may close it. */
final class QuietBody extends InputStream implements BodySubscriber<QuietBody> {
  /** What came: buffers, an error, or this at the end. */
  private static final Object END = new Object();

  private final BlockingQueue<Object> arrived = new LinkedBlockingQueue<>();
  private final Duration silence;
  private volatile Flow.Subscription subscription;
  private volatile boolean closed;
  private List<ByteBuffer> current = List.of();
  private int position; // in current
  private boolean ended;

  QuietBody(Duration silence) {
    this.silence = silence;
  }

  @Override
  public CompletionStage<QuietBody> getBody() {
    return CompletableFuture.completedStage(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    this.subscription = subscription;
    if (closed) {
      subscription.cancel();
    } else {
      subscription.request(1);
    }
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    arrived.add(buffers);
  }

  @Override
  public void onError(Throwable e) {
    arrived.add(e);
  }

  @Override
  public void onComplete() {
    arrived.add(END);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    ByteBuffer buffer = next();
    if (buffer == null) {
      return -1;
    }
    int n = Math.min(length, buffer.remaining());
    buffer.get(into, offset, n);
    return n;
  }

  /** The next buffer that is not empty; null at the end. */
  @SuppressWarnings("unchecked")
  private ByteBuffer next() throws IOException {
    while (true) {
      for (; position < current.size(); position++) {
        if (current.get(position).hasRemaining()) {
          return current.get(position);
        }
      }
      if (ended) {
        return null;
      }
      Object what = poll();
      if (what == END) {
        ended = true;
      } else if (what instanceof Throwable e) {
        close();
        throw e instanceof IOException io ? io : new IOException(e);
      } else {
        current = (List<ByteBuffer>) what;
        position = 0;
        subscription.request(1);
      }
    }
  }

  private Object poll() throws IOException {
    Object what = null;
    try {
      what = closed ? null : arrived.poll(silence.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new IOException("interrupted", e);
    }
    if (closed) {
      throw new IOException("the stream was closed");
    }
    if (what == null) {
      close();
      throw new HttpTimeoutException("nothing came for " + silence.toSeconds() + " s");
    }
    return what;
  }

  /** Ends the connection. Whoever reads meanwhile gets an IOException. */
  @Override
  public void close() {
    closed = true;
    if (subscription != null) {
      subscription.cancel();
    }
    arrived.add(END);
  }
}
