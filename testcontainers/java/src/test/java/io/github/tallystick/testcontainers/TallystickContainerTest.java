package io.github.tallystick.testcontainers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.tallystick.client.Tally;
import io.github.tallystick.client.TallyException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.ContainerLaunchException;

/** On a real container engine, with the image that `make dev-image` builds and tags. */
class TallystickContainerTest {
  private static final String IMAGE = "tallystick/dev";

  private static TallystickView sum() {
    return TallystickView.ready("meter", Map.of("value", "/tokens", "aggregations", List.of("sum")));
  }

  @Test
  void viewsLogsAndTheDatabase() throws Exception {
    try (TallystickContainer tallystick =
        new TallystickContainer(IMAGE)
            .withView("customer-*", "tokens", sum())
            .withView("*", "totals", TallystickView.module(Path.of("../../views/dist/monthly_totals.wasm"), null))
            .withLog("customer-acme", Map.of("plan", "pro"))
            .withLog("other")) {
      tallystick.start();
      Tally tally = tallystick.getClient();
      assertEquals(1, tally.appendEvent("customer-acme", Map.of("tokens", 12)).getSequence());
      assertTrue(tally.queryView("customer-acme", "tokens").text().contains("12"));
      assertEquals(Map.of("plan", "pro"), tally.getLog("customer-acme").getLabels());
      assertEquals("view_not_found", assertThrows(TallyException.class, () -> tally.queryView("other", "tokens")).getCode());
      assertEquals(List.of("totals"), tally.listViews("other").getViews().stream().map(v -> v.getName()).toList());
      assertEquals("", tallystick.getKey());
      try (Connection sql = DriverManager.getConnection(tallystick.getJdbcUrl(), tallystick.getUsername(), tallystick.getPassword());
          ResultSet row = sql.createStatement().executeQuery("SELECT count(*) FROM reporting.events")) {
        assertTrue(row.next());
        assertEquals(1, row.getInt(1));
      }
    }
  }

  @Test
  void keys() {
    try (TallystickContainer tallystick = new TallystickContainer(IMAGE).withKey("append").withKey("read", "query").withLog("l")) {
      tallystick.start();
      assertEquals(2, tallystick.getKeys().size());
      assertEquals(1, tallystick.getClient().appendEvent("l", "{}").getSequence());
      assertEquals("missing_scope", assertThrows(TallyException.class, () -> tallystick.getClient().getEvent("l", 1)).getCode());
      Tally reader = Tally.builder().url(tallystick.getUrl()).key(tallystick.getKeys().get(1)).build();
      assertEquals("{}", reader.getEvent("l", 1).getData().toString());
      Tally nobody = Tally.builder().url(tallystick.getUrl()).key("").build();
      assertEquals("unauthorized", assertThrows(TallyException.class, () -> nobody.getEvent("l", 1)).getCode());
    }
  }

  @Test
  void whatIsRefusedIsSaid() {
    assertThrows(IllegalStateException.class, () -> new TallystickContainer("postgres:18"));
    assertThrows(IllegalArgumentException.class, () -> new TallystickContainer(IMAGE).withKey());
    try (TallystickContainer tallystick = new TallystickContainer(IMAGE).withView("*", "v", TallystickView.ready("no-such-view", null))) {
      ContainerLaunchException e = assertThrows(ContainerLaunchException.class, tallystick::start);
      StringBuilder texts = new StringBuilder();
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        texts.append(cause.getMessage()).append('\n');
      }
      assertTrue(texts.toString().contains("no-such-view"), texts.toString());
    }
  }
}
