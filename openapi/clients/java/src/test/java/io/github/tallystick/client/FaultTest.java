package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.tallystick.client.FaultyProxy.Fate;
import io.github.tallystick.client.FaultyProxy.Seen;
import io.github.tallystick.client.model.AppendedBatch;
import io.github.tallystick.client.model.CreateLog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What becomes of calls when connections and servers fail: no event is lost or counted twice. */
class FaultTest {
  private final String log = Rig.log();

  private static FaultyProxy every(int n, Fate fate) throws IOException {
    AtomicInteger count = new AtomicInteger();
    return new FaultyProxy(request -> count.getAndIncrement() % n == 0 ? fate : Fate.PASS);
  }

  private List<Integer> numbers() {
    return Rig.client().events(log).stream().map(event -> event.getData().tree().get("n").asInt()).toList();
  }

  @Test
  void lostAnswersCountOnce() throws IOException {
    try (FaultyProxy proxy = every(2, Fate.LOSE)) {
      Tally tally = Rig.client(proxy.url());
      for (int i = 0; i < 20; i++) {
        var appended = tally.appendEvent(log, Map.of("n", i));
        assertEquals(i + 1, appended.getSequence());
        assertFalse(appended.isDuplicate(), "the retry is the client's own");
      }
      AppendedBatch batch = tally.appendEvents(log, IntStream.range(20, 50).mapToObj(i -> Map.of("n", i)).toList());
      assertEquals(List.of(30L, 21L, 50L), List.of(batch.getAppended(), batch.getFirstSequence(), batch.getLastSequence()));
      assertEquals(List.of(), batch.getDuplicates());
      assertEquals(IntStream.range(0, 50).boxed().toList(), numbers());
      for (int i = 0; i < proxy.seen.size(); i += 2) {
        Seen first = proxy.seen.get(i);
        Seen second = proxy.seen.get(i + 1);
        assertEquals(first.body(), second.body());
        assertEquals(first.key(), second.key());
        assertTrue(first.agent().startsWith("tally-java/"), first.agent());
      }
      AppendOptions key = new AppendOptions().idempotencyKey("mine");
      assertTrue(tally.appendEvent(log, Map.of("n", 50), key).isDuplicate(), "with a key of the caller's it is not known whose it is");
    }
  }

  @Test
  void cutAnswersCountOnce() throws IOException {
    try (FaultyProxy proxy = every(2, Fate.CUT)) {
      proxy.cutAfter = 5;
      Tally tally = Rig.client(proxy.url());
      for (int i = 0; i < 5; i++) {
        assertEquals(i + 1, tally.appendEvent(log, Map.of("n", i)).getSequence());
      }
      assertEquals(List.of(0, 1, 2, 3, 4), numbers());
    }
  }

  @Test
  void comesBackWhenAskedTo() throws IOException {
    try (FaultyProxy proxy = every(2, Fate.BUSY)) {
      assertEquals(1, Rig.client(proxy.url()).appendEvent(log, "{\"n\":1}").getSequence());
      long pause = proxy.seen.get(1).at() - proxy.seen.get(0).at();
      assertTrue(pause >= TimeUnit.SECONDS.toNanos(1), "it came back after " + pause + " ns, before Retry-After");
    }
  }

  @Test
  void withoutRetryAfterThereIsOneTry() throws IOException {
    try (FaultyProxy proxy = every(1, Fate.BROKEN)) {
      TallyException e = assertThrows(TallyException.class, () -> Rig.client(proxy.url()).appendEvent(log, "{}"));
      assertEquals(List.of(503, "stopping", "not now", 1), List.of(e.getStatus(), e.getCode(), e.getDetail(), proxy.seen.size()));
    }
  }

  @Test
  void theDeadlineEndsRetries() throws IOException {
    try (FaultyProxy proxy = every(1, Fate.BUSY)) {
      proxy.retryAfter = "3600";
      TallyException e = assertThrows(TallyException.class, () -> Rig.client(proxy.url()).appendEvent(log, "{}"));
      assertEquals("stopping", e.getCode());
      assertEquals(Duration.ofHours(1), e.getRetryAfter().get());
      assertEquals(1, proxy.seen.size(), "what would come too late is not waited for");
      proxy.retryAfter = "999999999";
      e = assertThrows(TallyException.class, () -> Rig.client(proxy.url()).appendEvent(log, "{}"));
      assertEquals(Duration.ofHours(1), e.getRetryAfter().get(), "nobody is sent away for good");
    }
  }

  @Test
  void creatingIsNotRepeated() throws IOException {
    try (FaultyProxy proxy = every(1, Fate.LOSE)) {
      CreateLog wanted = new CreateLog().name("once-" + log);
      TallyException e = assertThrows(TallyException.class, () -> Rig.client(proxy.url()).createLog(wanted));
      assertEquals(List.of("connection", 0, 1), List.of(e.getCode(), e.getStatus(), proxy.seen.size()));
      assertEquals(0, Rig.client().getLog("once-" + log).getSequence());
      TallyException taken = assertThrows(TallyException.class, () -> Rig.client().createLog(wanted));
      assertEquals("name_taken", taken.getCode());
      assertEquals(Rig.client().getLog("once-" + log).getLogId(), taken.getLogId().get());
    }
  }

  @Test
  void creatingIsRepeatedWhereNothingWasDone() throws IOException {
    record Refusal(int status, String code, int tries) {}
    for (Refusal refusal :
        List.of(
            new Refusal(503, "outcome_unknown", 1),
            new Refusal(503, "database_unavailable", 1),
            new Refusal(503, "busy", 2),
            new Refusal(503, "too_many_verifications", 2),
            new Refusal(429, "code_of_tomorrow", 2))) {
      try (FaultyProxy proxy = every(2, Fate.BUSY)) {
        proxy.retryAfter = "0";
        proxy.status = refusal.status;
        proxy.code = refusal.code;
        CreateLog wanted = new CreateLog().name(refusal.code.replace('_', '-') + "-" + log);
        if (refusal.tries == 2) {
          assertFalse(Rig.client(proxy.url()).createLog(wanted).getLogId().isEmpty());
        } else {
          assertThrows(TallyException.class, () -> Rig.client(proxy.url()).createLog(wanted));
        }
        assertEquals(refusal.tries, proxy.seen.size(), refusal.code);
      }
    }
  }

  @Test
  void deletingMayBeRepeated() throws IOException {
    try (FaultyProxy proxy = every(2, Fate.LOSE)) {
      Rig.client().putSource(log, "{\"ready\":\"litellm\"}", null);
      Rig.client(proxy.url()).deleteSource(log, null);
      assertEquals(2, proxy.seen.size());
      TallyException gone = assertThrows(TallyException.class, () -> Rig.client().deleteSource(log, null));
      assertEquals("source_not_found", gone.getCode());
    }
  }

  @Test
  void aTryHasATimeout() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Tally tally =
          Tally.builder()
              .url("http://127.0.0.1:" + silent.getLocalPort())
              .timeout(Duration.ofMillis(50))
              .deadline(Duration.ofMillis(400))
              .build();
      TallyException e = assertThrows(TallyException.class, () -> tally.getLog(log));
      assertEquals("connection", e.getCode());
      assertTrue(e.getDetail().contains("did not answer within"), e.getDetail());
    }
  }

  @Test
  void nobodyAnswers() throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Tally tally = Tally.builder().url("http://127.0.0.1:" + port).deadline(Duration.ofSeconds(3)).build();
    TallyException e = assertThrows(TallyException.class, () -> tally.getLog(log));
    assertEquals("connection", e.getCode());
    assertTrue(e.getMessage().contains("tally dev"), e.getMessage());
  }

  @Test
  void anInterruptEndsACall() throws IOException {
    try (FaultyProxy proxy = every(1, Fate.BUSY)) {
      Thread.currentThread().interrupt();
      TallyException e = assertThrows(TallyException.class, () -> Rig.client(proxy.url()).getLog(log));
      assertEquals("interrupted", e.getCode());
      assertTrue(Thread.interrupted(), "the thread's status is kept");
    }
  }

  @Test
  void badConfiguration() {
    for (String url : List.of("127.0.0.1:8080", "ftp://x", "http://", "http://a b", "http://h/?q=1")) {
      assertThrows(IllegalArgumentException.class, () -> Tally.builder().url(url).build(), url);
    }
    var badKey = assertThrows(IllegalArgumentException.class, () -> Tally.builder().key("tally_a\nb").build());
    assertFalse(badKey.getMessage().contains("tally_a"), "a key must not get into logs");
    assertEquals(0, Tally.builder().url(Rig.server().url() + "/").key(" ").build().getLog(log).getSequence());
  }
}
