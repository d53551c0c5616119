package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.tallystick.client.FaultyProxy.Fate;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each event that a batcher took is in its log once and in order, or is reported. */
@Timeout(120)
class BatcherTest {
  private final String log = Rig.log();

  private static List<Integer> numbers(String log) {
    return Rig.client().events(log).stream().map(event -> event.getData().tree().get("n").asInt()).toList();
  }

  @Test
  void manyLogsThroughFaults() throws Exception {
    AtomicInteger count = new AtomicInteger();
    Fate[] fates = {Fate.LOSE, Fate.PASS, Fate.CUT, Fate.PASS, Fate.PASS};
    List<String> logs = IntStream.range(0, 12).mapToObj(i -> Rig.log()).toList();
    Map<String, AtomicInteger> underWay = new ConcurrentHashMap<>();
    AtomicInteger together = new AtomicInteger();
    try (FaultyProxy proxy =
        new FaultyProxy(
            request -> {
              int now = underWay.computeIfAbsent(request.path(), p -> new AtomicInteger()).incrementAndGet();
              together.accumulateAndGet(now, Math::max);
              underWay.get(request.path()).decrementAndGet();
              return fates[count.getAndIncrement() % fates.length];
            })) {
      proxy.cutAfter = 3;
      BatcherOptions options = new BatcherOptions().maxEvents(40).linger(Duration.ofMillis(20)).maxBuffer(8000);
      try (Batcher batcher = Rig.client(proxy.url()).batcher(options)) {
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
          List<String> own = logs.subList(t * 4, t * 4 + 4);
          Thread thread = new Thread(() -> IntStream.range(0, 300).forEach(i -> own.forEach(l -> batcher.add(l, Map.of("n", i)))));
          threads.add(thread);
          thread.start();
        }
        for (Thread thread : threads) {
          thread.join();
        }
      }
      assertTrue(count.get() > 12, "requests: " + count);
      assertEquals(1, together.get(), "batches of one log under way at a time");
    }
    for (String name : logs) {
      assertEquals(IntStream.range(0, 300).boxed().toList(), numbers(name));
    }
  }

  @Test
  void aProxyWithoutAServerIsWaitedFor() throws Exception {
    AtomicInteger count = new AtomicInteger();
    try (FaultyProxy proxy = new FaultyProxy(request -> count.getAndIncrement() < 3 ? Fate.BROKEN : Fate.PASS)) {
      proxy.status = 502;
      List<Failure> failures = new CopyOnWriteArrayList<>();
      BatcherOptions options = new BatcherOptions().onFailure((l, events, e) -> failures.add(new Failure(l, events, e)));
      try (Batcher batcher = Rig.client(proxy.url()).batcher(options)) {
        IntStream.range(0, 3).forEach(i -> batcher.add(log, Map.of("n", i)));
      }
      assertEquals(List.of(), failures);
      assertEquals(List.of(0, 1, 2), numbers(log));
      assertEquals(1, proxy.seen.stream().map(FaultyProxy.Seen::key).distinct().count());
    }
  }

  @Test
  void asManyAtOnceAsTheViewsAllow() throws Exception {
    try (FaultyProxy proxy = new FaultyProxy(request -> request.body().split("\n").length > 2 ? Fate.BROKEN : Fate.PASS)) {
      proxy.status = 413;
      proxy.code = "append_too_costly";
      proxy.members = ",\"events\":2";
      try (Batcher batcher = Rig.client(proxy.url()).batcher(new BatcherOptions().linger(Duration.ofHours(1)))) {
        IntStream.range(0, 11).forEach(i -> batcher.add(log, Map.of("n", i)));
      }
      assertEquals(IntStream.range(0, 11).boxed().toList(), numbers(log));
      assertEquals(List.of(11, 2, 2, 2, 2, 2, 1), proxy.seen.stream().map(s -> s.body().split("\n").length).toList());
    }
  }

  @Test
  void sizesAndLinger() throws Exception {
    try (FaultyProxy proxy = new FaultyProxy(request -> Fate.PASS)) {
      Tally tally = Rig.client(proxy.url());
      try (Batcher batcher = tally.batcher(new BatcherOptions().maxEvents(3).linger(Duration.ofHours(1)))) {
        IntStream.range(0, 7).forEach(i -> batcher.add(log, Map.of("n", i)));
        batcher.flush();
        assertEquals(IntStream.range(0, 7).boxed().toList(), numbers(log));
        assertEquals(List.of(3, 3, 1), proxy.seen.stream().map(s -> s.body().split("\n").length).sorted((a, b) -> b - a).toList());
        proxy.seen.clear();
        batcher.add(log, Map.of("n", 7));
      }
      assertEquals(1, proxy.seen.size(), "close sends what is left");
      proxy.seen.clear();
      try (Batcher batcher = tally.batcher(new BatcherOptions().maxBytes(20).linger(Duration.ofHours(1)))) {
        IntStream.range(0, 4).forEach(i -> batcher.add(log, Map.of("n", i))); // 8 bytes each
        batcher.add(log, "{\"n\":8,\"text\":\"more than a batch may have\"}");
        batcher.flush();
        assertTrue(proxy.seen.stream().allMatch(s -> s.body().length() <= 20 || s.body().indexOf('\n') == s.body().length() - 1));
      }
      Batcher lingering = tally.batcher(new BatcherOptions().linger(Duration.ofMillis(5)));
      lingering.add(log, "{\"n\":9}");
      while (Rig.client().getLog(log).getSequence() < 14) {
        TimeUnit.MILLISECONDS.sleep(5); // the class's timeout ends it
      }
      lingering.close();
      lingering.close();
      assertThrows(IllegalStateException.class, () -> lingering.add(log, "{}"));
    }
  }

  private record Failure(String log, List<String> events, String code) {
    Failure(String log, List<Json> events, TallyException e) {
      this(log, events.stream().map(Json::toString).toList(), e.getCode());
    }
  }

  @Test
  void oneBadEventIsReportedAlone() {
    List<Failure> failures = new CopyOnWriteArrayList<>();
    BatcherOptions options = new BatcherOptions().linger(Duration.ofHours(1)).onFailure((l, e, x) -> failures.add(new Failure(l, e, x)));
    try (Batcher batcher = Rig.client().batcher(options)) {
      for (String event : List.of("{\"n\":0}", "{\"n\":", "{\"n\":1}", "[]", "{\n\"n\":2}", "{\"n\":3,\"type\":7}", "{\"n\":4}")) {
        batcher.add(log, event);
      }
      batcher.add("no-" + log, "{\"n\":5}");
      assertThrows(IllegalArgumentException.class, () -> batcher.add(log, " "));
    }
    List<Failure> expected =
        List.of(
            new Failure("no-" + log, List.of("{\"n\":5}"), "log_not_found"),
            new Failure(log, List.of("{\"n\":"), "invalid_json"),
            new Failure(log, List.of("[]"), "not_an_object"),
            new Failure(log, List.of("{\"n\":3,\"type\":7}"), "invalid_event_type"));
    assertEquals(expected.size(), failures.size(), failures.toString());
    assertTrue(failures.containsAll(expected), failures.toString());
    assertEquals(List.of(0, 1, 2, 4), numbers(log));
  }

  @Test
  void withoutAListenerFlushThrows() {
    Batcher batcher = Rig.client().batcher();
    batcher.add("no-" + log, "{}");
    assertEquals("log_not_found", assertThrows(TallyException.class, batcher::flush).getCode());
    assertDoesNotThrow(batcher::flush);
    batcher.add("no-" + log, "{}");
    assertThrows(TallyException.class, batcher::close);
  }

  @Test
  void closingReportsWhatCouldNotBeSent() throws IOException {
    AtomicInteger failed = new AtomicInteger();
    List<String> codes = new CopyOnWriteArrayList<>();
    try (FaultyProxy proxy = new FaultyProxy(request -> Fate.BUSY)) {
      BatcherOptions options =
          new BatcherOptions()
              .maxEvents(10)
              .onFailure(
                  (l, events, e) -> {
                    failed.addAndGet(events.size());
                    codes.add(e.getCode());
                  });
      Batcher batcher = Rig.client(proxy.url()).batcher(options);
      for (int i = 0; i < 20; i++) {
        for (int j = 0; j < 25; j++) {
          batcher.add("l" + i, Map.of("n", j));
        }
      }
      batcher.close(Duration.ofMillis(300));
      assertEquals(500, failed.get());
      assertTrue(codes.stream().allMatch(List.of("closed", "stopping", "connection")::contains), codes.toString());
    }
  }

  @Test
  void fullBuffers() throws Exception {
    CountDownLatch open = new CountDownLatch(1);
    try (FaultyProxy proxy =
        new FaultyProxy(
            request -> {
              try {
                open.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return Fate.PASS;
            })) {
      BatcherOptions options = new BatcherOptions().maxEvents(1).maxBuffer(30).failWhenFull();
      Batcher batcher = Rig.client(proxy.url()).batcher(options);
      batcher.add(log, "{\"n\":0}");
      batcher.add(log, "{\"n\":1}");
      batcher.add(log, "{\"n\":2}");
      assertThrows(IllegalStateException.class, () -> batcher.add(log, "{\"n\":3}"));
      Batcher waiting = Rig.client(proxy.url()).batcher(new BatcherOptions().maxEvents(1).maxBuffer(8));
      waiting.add(log, "{\"n\":4}");
      Thread adder = new Thread(() -> waiting.add(log, "{\"n\":5}"));
      adder.start();
      while (adder.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      open.countDown();
      adder.join();
      waiting.close();
      batcher.close();
      assertEquals(List.of(0, 1, 2, 4, 5), numbers(log).stream().sorted().toList());
    }
  }

  @Test
  void aListenerMayAddAgain() {
    String fallback = Rig.log();
    Logger.getLogger(Batcher.class.getName()).setLevel(Level.OFF); // it tells of the listener's exception
    Batcher[] self = new Batcher[1];
    AtomicInteger refused = new AtomicInteger();
    BatcherOptions options =
        new BatcherOptions()
            .maxBuffer(1)
            .onFailure(
                (l, events, e) -> {
                  events.forEach(event -> self[0].add(fallback, event));
                  try {
                    self[0].flush();
                  } catch (IllegalStateException deadlock) {
                    refused.incrementAndGet();
                  }
                  throw new IllegalStateException("a listener that fails ends nothing");
                });
    try (Batcher batcher = Rig.client().batcher(options)) {
      self[0] = batcher;
      batcher.add("no-" + log, "{\"n\":1}");
      batcher.flush();
      batcher.add(log, "{\"n\":2}");
    }
    assertEquals(List.of(1), numbers(fallback));
    assertEquals(List.of(2), numbers(log));
    assertEquals(1, refused.get());
    assertFalse(Thread.interrupted());
  }
}
