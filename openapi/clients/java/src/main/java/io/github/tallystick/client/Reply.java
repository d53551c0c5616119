package io.github.tallystick.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.util.OptionalLong;

/** An answer of the server that is no problem, with the number of tries that it took. */
record Reply(int status, HttpHeaders headers, byte[] body, int tries) {

  /** The body as an object. */
  <T> T as(Class<T> type) {
    try {
      T value = Codec.MAPPER.readValue(body, type);
      if (value != null) {
        return value;
      }
    } catch (IOException e) {
      String detail = e instanceof JsonProcessingException j ? j.getOriginalMessage() : e.getMessage();
      throw unexpected("it is no " + type.getSimpleName() + ": " + detail, e);
    }
    throw unexpected("it is null", null);
  }

  static TallyException unexpected(String why, Throwable cause) {
    return new TallyException(
        TallyException.UNEXPECTED_ANSWER, "the answer is not one of Tallystick's, " + why + "; is the URL right?", cause);
  }

  String header(String name) {
    return headers.firstValue(name).orElse("");
  }

  OptionalLong sequence() {
    try {
      return OptionalLong.of(Long.parseLong(header("Tally-Sequence")));
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
