package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.tallystick.client.FaultyProxy.Fate;
import io.github.tallystick.client.model.Event;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tails over connections that break: each event once and in order. */
@Timeout(120)
class LiveTest {
  private final String log = Rig.log();

  private static List<Long> take(Live<Event> tail, int events) {
    List<Long> sequences = new ArrayList<>();
    for (Iterator<Event> i = tail.iterator(); sequences.size() < events; ) {
      sequences.add(i.next().getSequence());
    }
    return sequences;
  }

  @Test
  void aTailResumesWhereItWasCut() throws IOException {
    Tally tally = Rig.client();
    tally.appendEvents(log, IntStream.range(0, 30).mapToObj(i -> Map.of("n", i, "type", i % 2 == 0 ? "even" : "odd")).toList());
    try (FaultyProxy proxy = new FaultyProxy(request -> Fate.CUT)) {
      proxy.cutAfter = 900; // within the third event or so
      List<TallyException> troubles = new CopyOnWriteArrayList<>();
      try (Live<Event> tail = Rig.client(proxy.url()).tail(log, new TailOptions().after(0)).onTrouble(troubles::add)) {
        assertEquals(IntStream.rangeClosed(1, 30).mapToObj(Long::valueOf).toList(), take(tail, 30));
      }
      assertTrue(proxy.seen.size() > 5, "connections: " + proxy.seen.size());
      assertTrue(troubles.size() >= proxy.seen.size() - 1, "troubles: " + troubles.size());
      try (Live<Event> tail = Rig.client(proxy.url()).tail(log, new TailOptions().after(10).type("odd"))) {
        assertEquals(List.of(12L, 14L, 16L, 18L, 20L, 22L, 24L, 26L, 28L, 30L), take(tail, 10));
      }
    }
  }

  @Test
  void aTailWithoutAfterBeginsAtTheHead() throws Exception {
    Tally tally = Rig.client();
    tally.appendEvent(log, "{}");
    List<Integer> connections = new CopyOnWriteArrayList<>();
    AtomicInteger count = new AtomicInteger();
    try (FaultyProxy proxy =
            new FaultyProxy(
                request -> {
                  connections.add(count.incrementAndGet());
                  return count.get() == 1 ? Fate.CUT : Fate.PASS;
                });
        Live<Event> tail = Rig.client(proxy.url()).tail(log, new TailOptions())) {
      proxy.cutAfter = 60; // after the head's id, before any event
      Thread appender =
          new Thread(
              () -> {
                for (int i = 0; i < 200 && connections.size() < 2; i++) {
                  tally.appendEvent(log, Map.of("n", i));
                  try {
                    Thread.sleep(20);
                  } catch (InterruptedException e) {
                    return;
                  }
                }
                tally.appendEvent(log, Map.of("last", true));
              });
      appender.start();
      List<Long> sequences = new ArrayList<>();
      for (Event event : tail) {
        sequences.add(event.getSequence());
        if (event.getData().tree().has("last")) {
          break;
        }
      }
      appender.join();
      long first = sequences.get(0);
      assertTrue(first >= 2, "it began with " + first);
      assertEquals(IntStream.range(0, sequences.size()).mapToObj(i -> first + i).toList(), sequences);
    }
  }

  @Test
  void aRefusalEndsIt() {
    try (Live<Event> tail = Rig.client().tail("no-" + log, new TailOptions())) {
      TallyException e = assertThrows(TallyException.class, () -> tail.iterator().hasNext());
      assertEquals("log_not_found", e.getCode());
      assertFalse(tail.iterator().hasNext(), "it is closed then");
    }
    try (Live<Event> tail = Rig.client().tail(log, new TailOptions().after(7))) {
      assertEquals("unknown_event_id", assertThrows(TallyException.class, () -> tail.iterator().next()).getCode());
    }
  }

  @Test
  void anotherThreadMayCloseIt() throws Exception {
    Live<Event> tail = Rig.client().tail(log, new TailOptions().after(0));
    Rig.client().appendEvent(log, "{}");
    List<Long> seen = new CopyOnWriteArrayList<>();
    Thread reader = new Thread(() -> tail.forEach(event -> seen.add(event.getSequence())));
    reader.start();
    while (seen.isEmpty()) {
      Thread.onSpinWait();
    }
    tail.close();
    reader.join();
    assertEquals(List.of(1L), seen);
  }

  /** A server that says what it is told, once for each connection. */
  private static final class Script implements AutoCloseable {
    final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    final List<String> heads = new CopyOnWriteArrayList<>();

    Script(String... answers) throws IOException {
      Thread thread =
          new Thread(
              () -> {
                for (String answer : answers) {
                  serve(answer);
                }
              });
      thread.setDaemon(true);
      thread.start();
    }

    private void serve(String answer) {
      try (Socket connection = socket.accept()) {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
          head.append((char) connection.getInputStream().read());
        }
        heads.add(head.toString());
        OutputStream out = connection.getOutputStream();
        boolean hangs = answer.endsWith("…");
        out.write(answer.replace("…", "").getBytes(StandardCharsets.UTF_8));
        out.flush();
        if (hangs) {
          connection.getInputStream().read(); // until the client gives up
        }
      } catch (IOException e) {
        // The client went away: what it does next is what the tests look at.
      }
    }

    String url() {
      return "http://127.0.0.1:" + socket.getLocalPort();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static final String OK = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

  private static String event(int n) {
    return "id: " + n + "\nevent: event\ndata: {\"sequence\":" + n + ",\"data\":{\"n\":" + n + "}}\n\n";
  }

  @Test
  void endsAndSilence() throws IOException {
    String stopping = "event: end\ndata: {\"status\":503,\"code\":\"stopping\",\"detail\":\"bye\"}\n\n";
    String revoked = "event: end\ndata: {\"status\":401,\"code\":\"unauthorized\",\"detail\":\"no\"}\n\n";
    try (Script script =
        new Script(
            OK + "id: 4\n\n" + event(5) + stopping,
            "HTTP/1.1 503 \r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 502 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            OK + event(5) + event(6) + "event: later\ndata: x\n\n" + "id: 7\nevent: event\ndata: {\"sequence\":7,…",
            OK + ": nothing but a comment\n\n" + "id: 9\n\n…",
            OK + event(10) + revoked)) {
      Tally tally = Tally.builder().url(script.url()).key("").silence(Duration.ofSeconds(2)).build();
      List<String> codes = new CopyOnWriteArrayList<>();
      try (Live<Event> tail = tally.tail(log, new TailOptions()).onTrouble(e -> codes.add(e.getStatus() + e.getCode()))) {
        assertEquals(List.of(5L, 6L, 10L), take(tail, 3));
        TallyException e = assertThrows(TallyException.class, () -> tail.iterator().hasNext());
        assertEquals(List.of(401, "unauthorized"), List.of(e.getStatus(), e.getCode()));
      }
      assertEquals(List.of("503stopping", "503", "502", "0connection", "0connection"), codes);
      List<String> ids = script.heads.stream().map(head -> head.replaceAll("(?s).*(?i)last-event-id: (\\d+).*|.*", "$1")).toList();
      assertEquals(List.of("", "5", "5", "5", "6", "9"), ids);
    }
  }

  @Test
  void answersAndProblems() throws IOException {
    String halted = "id: 2\nevent: problem\ndata: {\"status\":409,\"code\":\"view_halted\",\"detail\":\"x\"}\n\n";
    String answer = "event: answer\ndata: {\"n\":0.10}\n\n";
    try (Script script = new Script(OK + "id: 1\n" + answer + "id: 1\n" + answer + halted + halted + "id: 3\n" + answer)) {
      Tally tally = Tally.builder().url(script.url()).key("").build();
      try (Live<WatchedAnswer> watch = tally.watch("l", "v", Map.of())) {
        List<String> told = new ArrayList<>();
        for (Iterator<WatchedAnswer> i = watch.iterator(); told.size() < 3; ) {
          WatchedAnswer next = i.next();
          told.add(next.sequence().orElse(0) + (next.problem() == null ? next.answer().text() : next.problem().getCode()));
        }
        assertEquals(List.of("1{\"n\":0.10}", "2view_halted", "3{\"n\":0.10}"), told);
      }
    }
  }

  @Test
  void notAStream() throws IOException {
    try (Script script = new Script("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")) {
      try (Live<Event> tail = Tally.builder().url(script.url()).build().tail(log, new TailOptions())) {
        TallyException e = assertThrows(TallyException.class, () -> tail.iterator().hasNext());
        assertEquals("unexpected_answer", e.getCode());
      }
    }
  }

  @Test
  void oneConnectionOnly() throws IOException {
    try (Script script = new Script(OK + event(1))) {
      try (Live<Event> tail = Tally.builder().url(script.url()).build().tailEvents(log, new TailOptions())) {
        assertEquals(List.of(1L), take(tail, 1));
        assertEquals("connection", assertThrows(TallyException.class, () -> tail.iterator().hasNext()).getCode());
      }
    }
  }
}
