package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.tallystick.client.FaultyProxy.Fate;
import io.github.tallystick.client.model.DeployModule;
import io.github.tallystick.client.model.View;
import io.github.tallystick.client.model.ViewPattern;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Views by name and by module, their answers, and answers that are watched through cut connections. */
@Timeout(120)
class ViewTest {
  private final String log = Rig.log();
  private final Tally tally = Rig.client();

  private static DeployModule meter() {

    return new DeployModule().ready("meter").config(Json.of(Map.of("value", "/tokens", "aggregations", List.of("sum"))));
  }

  @Test
  void aReadyViewCounts() {
    tally.appendEvent(log, Map.of("tokens", new BigDecimal("0.10")));
    View view = tally.deployView(log, "usage", meter());
    assertEquals(List.of("usage", 1), List.of(view.getName(), view.getVersion()));
    tally.appendEvent(log, Map.of("tokens", new BigDecimal("9007199254740993")));
    Answer answer = tally.queryView(log, "usage");
    assertTrue(answer.text().contains("9007199254740993.1"), answer.text());
    assertEquals("application/json", answer.contentType());
    assertEquals(2, answer.sequence().getAsLong());
    assertEquals("view_not_found", assertThrows(TallyException.class, () -> tally.queryView(log, "other")).getCode());
    assertEquals("query_refused", assertThrows(TallyException.class, () -> tally.queryView(log, "usage", Map.of("é&=", "?"))).getCode());
    assertEquals(1, tally.viewVersions(log, "usage", null).stream().count());
    assertEquals("live", tally.getView(log, "usage").getStatus());
    tally.retireView(log, "usage", new CallOptions().actor("a test"));
    assertEquals("view_retired", assertThrows(TallyException.class, () -> tally.queryView(log, "usage")).getCode());
  }

  @Test
  void aModuleIsUploadedOnce() throws IOException {
    byte[] module = Files.readAllBytes(Path.of("../../../views/dist/monthly_totals.wasm"));
    String sha256 = tally.uploadModule(module);
    assertEquals(sha256, tally.uploadModule(module));
    assertEquals(sha256, tally.getModule(sha256).getModule());
    assertEquals(1, tally.deployView(log, "totals", new DeployModule().module(sha256)).getVersion());
    View again = tally.deployModule(log, "totals", module, new DeployModule().gas(1_000_000L));
    assertEquals(List.of(sha256, 1_000_000L), List.of(again.getModule(), again.getGas()));
    DeployModule refusing = new DeployModule().onHalt("refuse"); // which only a module with a guard may
    var noGuard = assertThrows(TallyException.class, () -> tally.deployModule(log, "totals", module, refusing));
    assertEquals("no_guard", noGuard.getCode());

    CallOptions pattern = new CallOptions().logs(log + "*");
    noGuard = assertThrows(TallyException.class, () -> tally.deployModulePattern(log, module, refusing, pattern));
    assertEquals("no_guard", noGuard.getCode());
    ViewPattern everywhere = tally.deployModulePattern(log, module, new DeployModule().gas(1_000_000L), pattern);
    assertEquals(List.of(log + "*", sha256, 1_000_000L), List.of(everywhere.getLogs(), everywhere.getModule(), everywhere.getGas()));
  }

  @Test
  void aWatchedAnswerGoesOnAfterCuts() throws IOException {
    tally.deployView(log, "usage", meter());
    try (FaultyProxy proxy = new FaultyProxy(request -> Fate.CUT)) {
      proxy.cutAfter = 700; // an answer, and some of the next
      try (Live<WatchedAnswer> watch = Rig.client(proxy.url()).watch(log, "usage", Map.of())) {
        Iterator<WatchedAnswer> answers = watch.iterator();
        assertEquals(0, answers.next().sequence().getAsLong());
        for (int i = 1; i <= 6; i++) {
          tally.appendEvent(log, Map.of("tokens", i));
          WatchedAnswer answer = answers.next();
          assertEquals(i, answer.sequence().getAsLong());
          assertEquals(tally.queryView(log, "usage").text(), answer.answer().text());
        }
      }
      assertTrue(proxy.seen.size() > 1, "connections: " + proxy.seen.size());
    }
  }
}
