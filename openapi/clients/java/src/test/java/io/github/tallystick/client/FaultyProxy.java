package io.github.tallystick.client;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/** A proxy before the server that does, with each request, what a test says, and remembers the requests. */
final class FaultyProxy implements AutoCloseable {
  /** What becomes of a request. */
  enum Fate {
    PASS,
    /** The server does it, and the answer is lost. */
    LOSE,
    /** The server does not see it: {@link #status} and {@link #code}, with Retry-After. */
    BUSY,
    /** Likewise, without Retry-After. */
    BROKEN,
    /** Of the answer only the first bytes come. */
    CUT
  }

  /** A request, and when it came. */
  record Seen(String method, String path, String key, String body, long at, String agent) {}

  final List<Seen> seen = new CopyOnWriteArrayList<>();
  private final HttpServer server;
  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          r -> {
            Thread thread = new Thread(r, "proxy");
            thread.setDaemon(true);
            return thread;
          });
  private final Function<Seen, Fate> judge;
  volatile int cutAfter = 400; // bytes
  volatile String retryAfter = "1"; // seconds
  volatile int status = 503;
  volatile String code = "stopping";
  volatile String members = ""; // more of the problem's, each after a comma

  FaultyProxy(Function<Seen, Fate> judge) throws IOException {
    this.judge = judge;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      var head = exchange.getRequestHeaders();
      Seen request =
          new Seen(
              exchange.getRequestMethod(),
              exchange.getRequestURI().toString(),
              head.getFirst("Idempotency-Key"),
              new String(body, StandardCharsets.UTF_8),
              System.nanoTime(),
              head.getFirst("User-Agent"));
      seen.add(request);
      Fate fate = judge.apply(request);
      if (fate == Fate.BUSY || fate == Fate.BROKEN) {
        if (fate == Fate.BUSY) {
          exchange.getResponseHeaders().set("Retry-After", retryAfter);
        }
        String text = "{\"code\":\"" + code + "\",\"status\":" + status + ",\"detail\":\"not now\"" + members + "}";
        exchange.sendResponseHeaders(status, text.length());
        exchange.getResponseBody().write(text.getBytes(StandardCharsets.US_ASCII));
        return;
      }
      HttpRequest.Builder on =
          HttpRequest.newBuilder(URI.create(Rig.server().url() + request.path()))
              .method(request.method(), BodyPublishers.ofByteArray(body));
      for (String name : List.of("Content-Type", "Idempotency-Key", "Accept", "Last-Event-ID", "Expected-Sequence")) {
        if (head.getFirst(name) != null) {
          on.header(name, head.getFirst(name));
        }
      }
      HttpResponse<InputStream> answer = http.send(on.build(), BodyHandlers.ofInputStream());
      try (InputStream in = answer.body()) {
        if (fate == Fate.LOSE) {
          in.readAllBytes();
          return; // closes the connection
        }
        pass(exchange, answer, in, fate == Fate.CUT ? cutAfter : Long.MAX_VALUE);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static void pass(HttpExchange exchange, HttpResponse<?> answer, InputStream in, long most) throws IOException {
    for (String name : List.of("Content-Type", "Retry-After", "Tally-Sequence", "Tally-Request-Id")) {
      answer.headers().firstValue(name).ifPresent(value -> exchange.getResponseHeaders().set(name, value));
    }
    long length = answer.headers().firstValueAsLong("Content-Length").orElse(0); // 0: not known yet
    exchange.sendResponseHeaders(answer.statusCode(), answer.statusCode() == 204 ? -1 : length);
    OutputStream out = exchange.getResponseBody();
    byte[] buffer = new byte[4096];
    long left = most;
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      out.write(buffer, 0, (int) Math.min(n, left));
      out.flush();
      left -= n;
      if (left <= 0) {
        return; // closes the connection within the body
      }
    }
    out.close();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
