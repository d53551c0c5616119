package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Server-sent events as the HTML standard reads them, however the bytes arrive. */
class MessagesTest {
  /** Gives at most n bytes at a time. */
  private static InputStream slow(String text, int n) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)) {
      @Override
      public synchronized int read(byte[] into, int offset, int length) {
        return super.read(into, offset, Math.min(length, n));
      }
    };
  }

  private static List<String> read(String text, int n) throws IOException {
    Messages messages = new Messages(slow(text, n));
    List<String> all = new ArrayList<>();
    for (Messages.Message m = messages.next(); m != null; m = messages.next()) {
      all.add(m.event() + "/" + m.id() + "/" + new String(m.data(), StandardCharsets.UTF_8));
    }
    all.add(messages.id() + "/" + messages.retryMillis());
    return all;
  }

  @Test
  void theStandardsCases() throws IOException {
    String text =
        "\uFEFF: a comment\n\ndata: one\n\ndata:two\ndata\ndata:  three\r\rid: 1\nevent: add\r\ndata: é\r\n\r\n"
            + "event: nothing\n\nid\ndata:x\n\nid: a\0b\ndata:y\n\nretry: 10\nretry: x\nretry: 99999999\n\nid: 7\n\n"
            + "unknown: f\nid: 8\ndata: cut off";
    List<String> expected =
        List.of("message//one", "message//two\n\n three", "add/1/é", "message//x", "message//y", "7/60000");
    for (int n = 1; n < 20; n++) {
      assertEquals(expected, read(text, n), "by " + n + " bytes");
    }
    assertEquals(expected, read(text, 1 << 20));
  }

  @Test
  void endlessLinesAreGivenUp() {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 'x';
          }
        };
    assertEquals("unexpected_answer", assertThrows(TallyException.class, () -> new Messages(endless).next()).getCode());
    byte[] line = "data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".getBytes(StandardCharsets.UTF_8);
    InputStream lines =
        new InputStream() {
          private int at;

          @Override
          public int read() {
            return line[at++ % line.length];
          }
        };
    assertEquals("unexpected_answer", assertThrows(TallyException.class, () -> new Messages(lines).next()).getCode());
  }
}
