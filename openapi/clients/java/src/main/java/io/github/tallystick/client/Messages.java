package io.github.tallystick.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalLong;

/** Reads server-sent events, as the HTML standard describes them. */
final class Messages {
  /** An event of 1 MiB is one line, with every byte escaped perhaps, and perhaps twice. */
  private static final int MAX_MESSAGE = 16 << 20;

  private static final long MAX_RETRY_MILLIS = 60_000;

  private final InputStream in;
  private final byte[] buffer = new byte[16 << 10];
  private int position;
  private int filled;
  private boolean skipLineFeed;
  private boolean begun;
  private String id = "";
  private String nextId = ""; // that of the message being read: one that is cut off must come again
  private long retryMillis = -1;

  /**
   * A message.
   *
   * @param id the last id that the stream had
   * @param event what it is called
   * @param data its lines
   */
  record Message(String id, String event, byte[] data) {
    OptionalLong sequence() {
      try {
        return OptionalLong.of(Long.parseLong(id));
      } catch (NumberFormatException e) {
        return OptionalLong.empty();
      }
    }
  }

  Messages(InputStream in) {
    this.in = in;
  }

  /** The pause before a new connection that the stream asks for, in milliseconds; less than 0 where it does not. */
  long retryMillis() {
    return retryMillis;
  }

  /** The id of the last message that was whole, also of one without data; empty before the first. */
  String id() {
    return id;
  }

  /** The next message; null at the end of the stream. One that is cut off is left out. */
  Message next() throws IOException {
    String event = "";
    ByteArrayOutputStream data = null;
    for (byte[] line = line(); line != null; line = line()) {
      if (line.length == 0) {
        id = nextId;
        if (data != null) {
          return new Message(id, event.isEmpty() ? "message" : event, data.toByteArray());
        }
        event = "";
        continue;
      }
      int colon = 0;
      while (colon < line.length && line[colon] != ':') {
        colon++;
      }
      int start = Math.min(line.length, colon + (colon + 1 < line.length && line[colon + 1] == ' ' ? 2 : 1));
      switch (new String(line, 0, colon, StandardCharsets.UTF_8)) {
        case "event" -> event = text(line, start);
        case "id" -> nextId = text(line, start).indexOf('\0') < 0 ? text(line, start) : nextId;
        case "retry" -> retry(text(line, start));
        case "data" -> {
          if (data == null) {
            data = new ByteArrayOutputStream();
          } else {
            data.write('\n');
          }
          data.write(line, start, line.length - start);
          bound(data.size());
        }
        default -> {} // a comment, or a field of later times
      }
    }
    return null;
  }

  private static String text(byte[] line, int start) {
    return new String(line, start, line.length - start, StandardCharsets.UTF_8);
  }

  private void retry(String millis) {
    if (millis.matches("[0-9]{1,18}")) {
      retryMillis = Math.min(Long.parseLong(millis), MAX_RETRY_MILLIS);
    }
  }

  private static void bound(int size) {
    if (size > MAX_MESSAGE) {
      throw Reply.unexpected("a message in it has more than " + MAX_MESSAGE + " bytes", null);
    }
  }

  /** A line without its end, which is CR, LF or both; null at the end of the stream. */
  private byte[] line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      if (position == filled) {
        filled = in.read(buffer);
        position = 0;
        if (filled < 0) {
          filled = 0;
          return null;
        }
      }
      if (skipLineFeed && position < filled) {
        skipLineFeed = false;
        if (buffer[position] == '\n') {
          position++;
          continue;
        }
      }
      int end = position;
      while (end < filled && buffer[end] != '\n' && buffer[end] != '\r') {
        end++;
      }
      line.write(buffer, position, end - position);
      bound(line.size());
      position = end;
      if (end < filled) {
        skipLineFeed = buffer[end] == '\r';
        position++;
        return withoutMark(line.toByteArray());
      }
    }
  }

  /** The stream's first line may begin with a byte order mark. */
  private byte[] withoutMark(byte[] line) {
    boolean first = !begun;
    begun = true;
    if (first && line.length >= 3 && (line[0] & 0xff) == 0xef && (line[1] & 0xff) == 0xbb && (line[2] & 0xff) == 0xbf) {
      return Arrays.copyOfRange(line, 3, line.length);
    }
    return line;
  }
}
