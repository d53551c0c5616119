package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.github.tallystick.client.model.Event;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Answers that no Tallystick server gives, and those of later versions. */
@Timeout(120)
class HostileTest {
  private HttpServer server;
  private int status = 200;
  private Map<String, String> headers = Map.of("Content-Type", "application/json");
  private byte[] body = {};
  private long repeat = 1;
  private volatile Duration late = Duration.ZERO;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            exchange.getRequestBody().readAllBytes();
            Thread.sleep(late.toMillis());
            headers.forEach(exchange.getResponseHeaders()::set);
            exchange.sendResponseHeaders(status, 0);
            for (long i = 0; i < repeat; i++) {
              exchange.getResponseBody().write(body);
            }
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private Tally tally() {
    return Tally.builder().url("http://127.0.0.1:" + server.getAddress().getPort()).key("").deadline(Duration.ofSeconds(30)).build();
  }

  private void answers(int status, String body) {
    this.status = status;
    this.body = body.getBytes(StandardCharsets.UTF_8);
  }

  private String code() {
    return assertThrows(TallyException.class, () -> tally().getEvent("l", 1)).getCode();
  }

  @Test
  void whatIsNotJson() {
    for (String text : List.of("", "<html>", "null", "[]", "7", "{\"sequence\":{}}", "{\"sequence\":1", "{} {}", "{\"time\":\"now\"}")) {
      answers(200, text);
      assertEquals("unexpected_answer", code(), text);
    }
    answers(200, "{}");
    assertEquals("unexpected_answer", assertThrows(TallyException.class, () -> tally().listEvents("l", null)).getCode());
  }

  /** What reads a whole log takes as long as that does; everything else is bounded. */
  @Test
  void slowAnswers() {
    late = Duration.ofMillis(800);
    Duration brief = Duration.ofMillis(200);
    String url = "http://127.0.0.1:" + server.getAddress().getPort();
    Tally tally = Tally.builder().url(url).key("").timeout(brief).deadline(brief).build();
    answers(200, "{\"ok\":true}");
    assertTrue(tally.verifyLog("l", null).isOk());
    assertTrue(tally.auditView("l", "v", null).isOk());
    assertEquals("connection", assertThrows(TallyException.class, () -> tally.getLog("l")).getCode());
  }

  @Test
  void endlessAnswers() {
    body = new byte[1 << 20];
    repeat = 1 << 20;
    assertEquals("unexpected_answer", code());
    status = 400;
    assertEquals("unexpected_answer", code());
  }

  @Test
  void problemsOfOthers() {
    answers(502, "<h1>Bad \u001b[2J gateway</h1>");
    TallyException e = assertThrows(TallyException.class, () -> tally().getEvent("l", 1));
    assertEquals(List.of(502, ""), List.of(e.getStatus(), e.getCode()));
    assertFalse(e.getMessage().contains("\u001b"), "a message may go to a terminal");
    answers(302, "");
    headers = Map.of("Location", "http://127.0.0.1:1/");
    assertEquals(302, assertThrows(TallyException.class, () -> tally().getEvent("l", 1)).getStatus());
    for (String retryAfter : List.of("-5", "Wed, 21 Oct 2099 07:28:00 GMT", "1e9", "99999999999999999999", "999999999")) {
      headers = Map.of("Retry-After", retryAfter);
      answers(503, "{\"code\":\"busy\",\"status\":503,\"detail\":\"d\"}");
      assertEquals("busy", code(), retryAfter);
    }
  }

  @Test
  void answersOfLaterVersions() {
    answers(200, "{\"sequence\":5,\"later\":{\"a\":[0.10,null]},\"none\":null,\"data\":{ \"x\":9007199254740993, \"y\":0.10 },\"time\":"
        + "\"2025-03-01T10:05:30.123456+01:00\"}");
    Event event = tally().getEvent("l", 5);
    assertEquals("{ \"x\":9007199254740993, \"y\":0.10 }", event.getData().toString());
    assertEquals("{\"a\":[0.10,null]}", event.unknown().get("later").toString());
    assertEquals("null", event.unknown().get("none").toString());
    assertEquals("2025-03-01T09:05:30.123456Z", event.getTime().toString());
    assertTrue(event.toString().contains("\"later\":{\"a\":[0.10,null]}"), event.toString());
    assertEquals(event, Json.of(event).as(Event.class));
    answers(418, "{\"status\":418,\"code\":\"code_of_tomorrow\",\"detail\":\"d\",\"head\":7,\"line\":3,\"fields\":[{\"message\":\"m\"}],"
        + "\"later\":1}");
    headers = Map.of("Tally-Request-Id", "r1");
    TallyException e = assertThrows(TallyException.class, () -> tally().getEvent("l", 1));
    assertEquals(List.of("code_of_tomorrow", 7L, 3L, "r1"),
        List.of(e.getCode(), e.getHead().getAsLong(), e.getLine().getAsLong(), e.getRequestId().get()));
    assertEquals("m", e.getFields().get(0).getMessage());
    assertEquals("1", e.getProblem().get().unknown().get("later").toString());
  }

  @Test
  void aKeyThatIsMissing() {
    answers(401, "{\"status\":401,\"code\":\"unauthorized\",\"detail\":\"d\"}");
    TallyException e = assertThrows(TallyException.class, () -> tally().getEvent("l", 1));
    assertTrue(e.getMessage().contains("TALLY_KEY"), e.getMessage());
  }
}
