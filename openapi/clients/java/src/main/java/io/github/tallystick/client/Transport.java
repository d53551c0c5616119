package io.github.tallystick.client;

import io.github.tallystick.client.model.Problem;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Sends calls, and tries again those that may be. Safe for use by several threads. */
final class Transport {
  /** A page of events has at most 8 MiB and an event, and an escaped byte takes six. */
  private static final int MAX_BODY = 96 << 20;

  /** A problem need not come from our server. */
  private static final int MAX_PROBLEM = 64 << 10;

  /** Beyond what the server asks, a pause is random between 0 and {@code FIRST_PAUSE << tries}, at most LONGEST_PAUSE. */
  private static final long FIRST_PAUSE = TimeUnit.MILLISECONDS.toNanos(100);

  private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(10);

  /** Bounds what a server may ask to wait, so that it cannot send us away for good. */
  private static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);

  /** Codes of 503 after which nothing was done, whatever was asked for: the server refused it before it began. */
  private static final Set<String> UNDONE = Set.of("busy", "too_many_streams", "too_many_verifications", "too_many_watchers");

  private final HttpClient http;
  private final String base;
  private final Map<String, String> headers;
  final Duration timeout;
  final Duration deadline;

  Transport(HttpClient http, String base, Map<String, String> headers, Duration timeout, Duration deadline) {
    this.http = http;
    this.base = base;
    this.headers = headers;
    this.timeout = timeout;
    this.deadline = deadline;
  }

  Reply send(Call call) {
    return send(call, Deadline.after(deadline));
  }

  <T> T send(Call call, Class<T> type) {
    return send(call).as(type);
  }

  /** Sends a call until there is an answer, it is refused for good, or the deadline has come. */
  Reply send(Call call, Deadline deadline) {
    boolean lost = false;
    TallyException before = null;
    for (int tries = 1; ; tries++) {
      try {
        return once(call, tries, deadline);
      } catch (TallyException e) {
        if (before != null && deadline.left() <= 0 && e.getCause() instanceof TimeoutException) {
          throw before; // it says more than that the last try had too little time
        }
        long pause = pause(e, tries);
        if (!mayRepeat(call, e) || pause >= deadline.left()) {
          throw e.afterLostAnswer(lost);
        }
        before = e;
        lost |= e.getCode().equals(TallyException.CONNECTION);
        sleep(pause, e);
      }
    }
  }

  /** Whether the call may be sent again after it failed so. */
  private static boolean mayRepeat(Call call, TallyException e) {
    return e.isTransient() && (call.repeatable || e.getStatus() == 429 || UNDONE.contains(e.getCode()));
  }

  /** How long to wait before the next try, in nanoseconds: what the server asks for, and full jitter on top. */
  static long pause(TallyException e, int tries) {
    long asked = e.getRetryAfter().map(Duration::toNanos).orElse(0L);
    return asked + ThreadLocalRandom.current().nextLong(Math.min(LONGEST_PAUSE, FIRST_PAUSE << Math.min(tries - 1, 10)) + 1);
  }

  static void sleep(long nanos, TallyException why) {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException e) {
      throw interrupted(why);
    }
  }

  static TallyException interrupted(Throwable cause) {
    Thread.currentThread().interrupt();
    return new TallyException(TallyException.INTERRUPTED, "the thread was interrupted while it waited for the server", cause);
  }

  private Reply once(Call call, int tries, Deadline deadline) {
    BodyHandler<byte[]> bounded = head -> new BoundedBody(head.statusCode() < 300 ? MAX_BODY : MAX_PROBLEM);
    long patience = call.slow ? Long.MAX_VALUE : Math.max(1, Math.min(Deadline.nanosOf(timeout), deadline.left()));
    HttpResponse<byte[]> response = await(http.sendAsync(request(call), bounded), patience);
    if (response.statusCode() >= 300) {
      throw refusal(response.statusCode(), response.headers(), response.body());
    }
    return new Reply(response.statusCode(), response.headers(), response.body(), tries);
  }

  /** A stream that the server goes on sending: reading from it fails when nothing comes for as long as {@code silence}. */
  record Opened(HttpHeaders headers, QuietBody body) {}

  /** Opens a stream, by one try. */
  Opened open(Call call, Duration silence) {
    BodyHandler<QuietBody> handler = head -> new QuietBody(silence);
    HttpResponse<QuietBody> response = await(http.sendAsync(request(call), handler), Deadline.nanosOf(timeout));
    if (response.statusCode() < 300) {
      return new Opened(response.headers(), response.body());
    }
    try (QuietBody body = response.body()) {
      throw refusal(response.statusCode(), response.headers(), body.readNBytes(MAX_PROBLEM));
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  private <T> HttpResponse<T> await(CompletableFuture<HttpResponse<T>> answer, long nanos) {
    try {
      return answer.get(nanos, TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
        if (cause instanceof BoundedBody.TooLarge) {
          throw Reply.unexpected("it has " + cause.getMessage(), cause);
        }
      }
      throw unreachable(e.getCause());
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new TallyException(
          TallyException.CONNECTION, base + " did not answer within " + nanos / 1_000_000 + " ms: is it reachable?", e);
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw interrupted(e);
    }
  }

  private TallyException unreachable(Throwable cause) {
    String detail =
        cause instanceof ConnectException
            ? "no server answers at " + base + ": start one, such as by tally dev, or name another by TALLY_URL"
            : "the connection to " + base + " failed: " + cause.getMessage();
    return new TallyException(TallyException.CONNECTION, detail, cause);
  }

  private HttpRequest request(Call call) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + call.target()))
            .method(call.method, call.body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(call.body));
    headers.forEach(request::setHeader);
    call.headers.forEach(request::setHeader);
    return request.build();
  }

  private TallyException refusal(int status, HttpHeaders head, byte[] body) {
    Problem problem = problem(body);
    if ("unauthorized".equals(problem.getCode()) && !headers.containsKey("Authorization")) {
      problem.detail("the server asks for a key, and none was given: set TALLY_KEY to yours; tally key create makes one");
    }
    String requestId = head.firstValue("Tally-Request-Id").orElse(null);
    Duration asked = retryAfter(status, head.firstValue("Retry-After").orElse(""));
    boolean isGuards = TallyException.REFUSED_BY_GUARD.equals(problem.getCode());
    if (asked != null && asked.compareTo(LONGEST_RETRY_AFTER) > 0 && !isGuards) {
      asked = LONGEST_RETRY_AFTER;
    }
    return new TallyException(status, problem, requestId, asked);
  }

  /** The problem in an answer; of a proxy's, its text. */
  static Problem problem(byte[] body) {
    try {
      Problem problem = Codec.MAPPER.readValue(body, Problem.class);
      if (problem != null && problem.getCode() != null) {
        return problem;
      }
    } catch (IOException e) {
      // The text says what there is to say.
    }
    return new Problem().detail(new String(body, StandardCharsets.UTF_8).strip());
  }

  /** The pause that a server asks for with 429 and 503; null where it does not. */
  private static Duration retryAfter(int status, String header) {
    if (status != 429 && status != 503 || !header.matches("[0-9]{1,9}")) {
      return null;
    }
    return Duration.ofSeconds(Long.parseLong(header));
  }
}
