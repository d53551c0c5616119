package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.tallystick.client.model.Log;
import io.github.tallystick.client.model.CreateLog;
import io.github.tallystick.client.model.View;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Values keep their text, and models neither lose nor add members. */
class JsonTest {
  @Test
  void aValueKeepsItsText() {
    List<String> texts =
        List.of(
            "{ \"a\": [1 ,2] }", "\"é\\u00e9 \\\" x\"", "0.10", "-0", "1e400", "12345678901234567890",
            "true", "false", "null", "[]", "{}");
    for (String text : texts) {
      for (String around : List.of("{\"config\":%s}", "{\"config\": %s ,\"name\":\"ü\"}", "{\"name\":\"ü\",\"config\":\n%s\n}")) {
        View view = Json.raw(String.format(around, text)).as(View.class);
        assertEquals(text, view.getConfig().toString(), around);
      }
    }
    String large = "{\"t\":\"" + "x".repeat(100_000) + "\"}";
    assertEquals(large, Json.raw("{\"config\":" + large + "}").as(View.class).getConfig().toString());
  }

  @Test
  void modelsSendNoNulls() {
    assertEquals("{\"name\":\"l\"}", Json.of(new CreateLog().name("l")).toString());
    CreateLog later = new CreateLog().name("l");
    later.unknown("later", Json.of(new BigDecimal("0.10")));
    assertEquals("{\"name\":\"l\",\"later\":0.10}", Json.of(later).toString());
    assertNull(new Log().getLabels());
    assertEquals(0, new Log().getSequence());
    assertNotEquals(new Log().name("a"), new Log().name("b"));
    assertEquals(new Log().name("a").hashCode(), new Log().name("a").hashCode());
  }

  @Test
  void otherMappersReadModelsToo() throws Exception {
    Log log = new ObjectMapper().readValue("{\"name\":\"a\",\"labels\":{\"b\":\"c\"}}", Log.class);
    assertEquals(Map.of("b", "c"), log.getLabels());
  }

  @Test
  void whatIsNoJson() {
    assertThrows(UncheckedIOException.class, () -> Json.raw("{").tree());
    assertThrows(UncheckedIOException.class, () -> Json.raw("{} x").tree());
    assertThrows(IllegalArgumentException.class, () -> Json.of(new Object()));
  }
}
