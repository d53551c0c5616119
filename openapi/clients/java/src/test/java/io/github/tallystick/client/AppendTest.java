package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.tallystick.client.model.Appended;
import io.github.tallystick.client.model.AppendedBatch;
import io.github.tallystick.client.model.Event;
import io.github.tallystick.client.model.EventPage;
import io.github.tallystick.client.model.CreateLog;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is appended is what the log then holds. */
class AppendTest {
  private final Tally tally = Rig.client();
  private final String log = Rig.log();

  record Usage(String type, Instant time, BigDecimal cost) {}

  @Test
  void objectsOfManyKinds() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("type", "api.call");
    map.put("tokens", 12);
    map.put("nothing", null);
    assertEquals(1, tally.appendEvent(log, map).getSequence());
    assertEquals(2, tally.appendEvent(log, new Usage("u", Instant.parse("2025-03-01T10:05:30.25Z"), new BigDecimal("0.10"))).getSequence());
    assertEquals(3, tally.appendEvent(log, "{\"a\": 0.10}").getSequence());
    assertEquals(4, tally.appendEvent(log, "{\"b\":1e400}".getBytes(StandardCharsets.UTF_8)).getSequence());
    assertEquals(5, tally.appendEvent(log, Json.of(Map.of("c", "é"))).getSequence());
    assertEquals(
        List.of(
            "{\"type\":\"api.call\",\"tokens\":12,\"nothing\":null}",
            "{\"type\":\"u\",\"time\":\"2025-03-01T10:05:30.250Z\",\"cost\":0.10}",
            "{\"a\": 0.10}",
            "{\"b\":1e400}",
            "{\"c\":\"é\"}"),
        texts());
    assertEquals(Instant.parse("2025-03-01T10:05:30.25Z"), tally.getEvent(log, 2).getTime());
  }

  private List<String> texts() {
    return tally.events(log).stream().map(event -> event.getData().toString()).toList();
  }

  @Test
  void numbersAreExact() {
    BigInteger big = BigInteger.TWO.pow(53).add(BigInteger.ONE);
    BigDecimal fine = new BigDecimal("123456789012345678901234567890.123456789");
    tally.appendEvent(log, Map.of("big", big, "fine", fine, "cost", new BigDecimal("0.10")));
    JsonNode data = tally.getEvent(log, 1).getData().tree();
    assertEquals(big, data.get("big").bigIntegerValue());
    assertEquals(fine, data.get("fine").decimalValue());
    assertEquals(new BigDecimal("0.10"), data.get("cost").decimalValue());
    String digits = "9".repeat(5000);
    tally.appendEvent(log, "{\"n\":" + digits + "}");
    assertEquals(new BigInteger(digits), tally.getEvent(log, 2).getData().tree().get("n").bigIntegerValue());
    assertThrows(IllegalArgumentException.class, () -> tally.appendEvent(log, Map.of("n", Double.NaN)));
    assertThrows(IllegalArgumentException.class, () -> tally.appendEvent(log, Map.of("n", Float.POSITIVE_INFINITY)));
  }

  @Test
  void bytesStayAsTheyAre() {
    List<String> odd =
        List.of(
            "{ \"a\" : [ 1 , 2.50 ],\r\n \"u\":\"\\u00e9\" }",
            "{\"" + "n".repeat(60_000) + "\":1,\"deep\":" + "[".repeat(100) + "]".repeat(100) + "}",
            "{\"a\":1,\"a\":2}");
    tally.appendEvents(log, odd);
    odd.forEach(text -> tally.appendEvent(log, text));
    List<String> twice = new ArrayList<>(odd);
    twice.addAll(odd);
    assertTrue(twice.equals(texts()), "a text is not the one that was sent");
    assertEquals(odd.get(0), tally.getEvent(log, 1).getData().toString());
    try (Live<Event> tail = tally.tail(log, new TailOptions().after(0))) {
      assertEquals(odd.get(0), tail.iterator().next().getData().toString());
    }
  }

  @Test
  void duplicates() {
    Appended first = tally.appendEvent(log, Map.of("id", "e1", "n", 1));
    Appended second = tally.appendEvent(log, Map.of("id", "e1", "n", 1));
    assertFalse(first.isDuplicate());
    assertTrue(second.isDuplicate());
    assertEquals(first.getSequence(), second.getSequence());
    AppendOptions key = new AppendOptions().idempotencyKey("k 1");
    assertFalse(tally.appendEvent(log, Map.of("n", 2), key).isDuplicate());
    assertTrue(tally.appendEvent(log, Map.of("n", 2), key).isDuplicate());
    TallyException reused = assertThrows(TallyException.class, () -> tally.appendEvent(log, Map.of("n", 3), key));
    assertEquals("idempotency_key_reused", reused.getCode());
    assertEquals(2, reused.getSequence().getAsLong());
    assertFalse(tally.appendEvent(log, Map.of("n", 4)).isDuplicate());
    assertFalse(tally.appendEvent(log, Map.of("n", 4)).isDuplicate());
    assertEquals(4, tally.getLog(log).getSequence());
  }

  @Test
  void batches() {
    AppendedBatch batch = tally.appendEvents(log, IntStream.range(0, 2500).mapToObj(i -> Map.of("n", i)).toList());
    assertEquals(List.of(1L, 2500L, 2500L), List.of(batch.getFirstSequence(), batch.getLastSequence(), batch.getAppended()));
    Pages<Event> events = tally.events(log, new EventOptions().limit(999));
    List<Integer> numbers = events.stream().map(e -> e.getData().tree().get("n").asInt()).toList();
    assertEquals(IntStream.range(0, 2500).boxed().toList(), numbers);
    TallyException bad = assertThrows(TallyException.class, () -> tally.appendEvents(log, List.of("{\"a\":1}", "{\"a\":", "{}")));
    assertEquals("invalid_json", bad.getCode());
    assertEquals(2, bad.getLine().getAsLong());
    TallyException inArray = assertThrows(TallyException.class, () -> tally.appendEvents(log, List.of("{\n}", "{}", "7")));
    assertEquals("not_an_object", inArray.getCode());
    assertEquals(3, inArray.getLine().getAsLong());
    assertThrows(IllegalArgumentException.class, () -> tally.appendEvents(log, List.of("{}", " ")));
    assertThrows(IllegalArgumentException.class, () -> tally.appendEvents(log, List.of("{\n}", "1},{")));
    assertEquals(2500, tally.getLog(log).getSequence());
    byte[] lines = "{\"x\":1}\n{\"x\":2}\n".getBytes(StandardCharsets.UTF_8);
    assertEquals(2502, tally.appendEvents(log, lines, new AppendOptions().expectedSequence(2500)).getLastSequence());
    AppendOptions stale = new AppendOptions().expectedSequence(7);
    TallyException mismatch = assertThrows(TallyException.class, () -> tally.appendEvent(log, "{}", stale));
    assertEquals("sequence_mismatch", mismatch.getCode());
    assertEquals(2502, mismatch.getHead().getAsLong());
    assertEquals(409, mismatch.getStatus());
  }

  @Test
  void pagesAndFilters() {
    tally.appendEvents(log, List.of("{\"type\":\"a\"}", "{\"type\":\"b\",\"time\":\"2020-01-01T00:00:00Z\"}", "{\"type\":\"a\"}"));
    EventPage page = tally.listEvents(log, new EventOptions().limit(2));
    assertEquals(2, page.getEvents().size());
    assertEquals(3, tally.listEvents(log, new EventOptions().limit(2).cursor(page.getNextCursor())).getEvents().get(0).getSequence());
    assertEquals(List.of(1L, 3L), sequences(new EventOptions().type("a").limit(1)));
    assertEquals(List.of(2L), sequences(new EventOptions().timeTo(Instant.parse("2021-01-01T00:00:00Z"))));
    assertEquals(List.of(2L, 3L), sequences(new EventOptions().after(1)));
    assertEquals(List.of(2L), sequences(new EventOptions().from(2).to(2)));
    assertEquals("invalid_parameter", assertThrows(TallyException.class, () -> sequences(new EventOptions().query("no", 1))).getCode());
  }

  private List<Long> sequences(EventOptions options) {
    return tally.events(log, options).stream().map(Event::getSequence).toList();
  }

  @Test
  void anyRequest() {
    assertEquals("{\"sequence\":1}", tally.request("POST", "/logs/" + log + "/append", Map.of("n", 1), null).toString().strip());
    Json page = tally.request("GET", "/logs/" + log + "/events", null, new CallOptions().query("limit", 1));
    assertEquals(1, page.as(EventPage.class).getEvents().size());
    assertEquals("no_such_path", assertThrows(TallyException.class, () -> tally.request("GET", "/later", null, null)).getCode());
    assertThrows(IllegalArgumentException.class, () -> tally.request("GET", "logs", null, null));
  }

  @Test
  void names() {
    String odd = "a+b=c@d:e~f_g.h-" + log;
    tally.createLog(new CreateLog().name(odd).labels(Map.of("straße", "Łódź ☃ 🦄")));
    assertEquals(Map.of("straße", "Łódź ☃ 🦄"), tally.getLog(odd).getLabels());
    assertEquals("log_not_found", assertThrows(TallyException.class, () -> tally.getLog("a/b?c#d%2e ")).getCode());
    assertThrows(IllegalArgumentException.class, () -> tally.getLog(".."));
    assertThrows(IllegalArgumentException.class, () -> tally.getLog(""));
  }
}
