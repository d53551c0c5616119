package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Runs the cases that every SDK must pass: see the README of openapi/clients/conformance. */
class ConformanceTest {
  @TestFactory
  Stream<DynamicTest> cases() throws IOException {
    String folder = System.getenv("CONFORMANCE_CASES");
    Assumptions.assumeTrue(
        folder != null,
        "run it by: go run ./openapi/clients/conformance --dir openapi/clients/java -- mvn -q -B test -Dtest=ConformanceTest");
    String only = System.getenv().getOrDefault("CONFORMANCE_ONLY", "");
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of(folder))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
        for (JsonNode one : Codec.MAPPER.readTree(Files.readAllBytes(file))) {
          String name = one.get("name").textValue();
          if (Pattern.compile(only).matcher(name).find()) {
            tests.add(DynamicTest.dynamicTest(name, () -> run(one)));
          }
        }
      }
    }
    return tests.stream();
  }

  private static void run(JsonNode one) throws Exception {
    new Case(one).run();
    Path report = Path.of(System.getenv("CONFORMANCE_REPORT"));
    Files.writeString(report, one.get("name").textValue() + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  /** An error as cases describe it. */
  static Map<String, Object> error(TallyException e) {
    Map<String, Object> error = new LinkedHashMap<>();
    error.put("code", e.getCode());
    error.put("detail", e.getDetail());
    if (e.getStatus() != 0) {
      error.put("status", e.getStatus());
    }
    e.getHead().ifPresent(v -> error.put("head", v));
    e.getSequence().ifPresent(v -> error.put("sequence", v));
    e.getLine().ifPresent(v -> error.put("line", v));
    e.getLogId().ifPresent(v -> error.put("log_id", v));
    error.put("fields", e.getFields());
    e.getView().ifPresent(v -> error.put("view", v));
    e.getAnswer().ifPresent(v -> error.put("answer", v));
    e.getRetryAfter().ifPresent(v -> error.put("retry_after", v.toSeconds()));
    e.getRequestId().ifPresent(v -> error.put("request_id", v));
    return error;
  }

  private static final class Case {
    private final JsonNode one;
    private final ConformanceValues values;
    private final Map<String, CompletableFuture<Void>> started = new HashMap<>();

    Case(JsonNode one) throws IOException {
      this.one = one;
      Map<String, JsonNode> variables = new HashMap<>();
      for (var variable : Codec.MAPPER.readTree(System.getenv("CONFORMANCE_VARIABLES")).properties()) {
        variables.put(variable.getKey(), variable.getValue());
      }
      String run = System.getenv("CONFORMANCE_RUN");
      JsonNode log = Json.of(one.get("name").textValue() + "-" + run).tree();
      variables.put("log", log);
      variables.put("name", log);
      variables.put("run", Json.of(run).tree());
      values = new ConformanceValues(variables);
    }

    void run() throws Exception {
      int number = 0;
      for (JsonNode step : one.get("steps")) {
        String at = "step " + ++number + " (" + step.get("call").textValue() + ")";
        long repeat = step.path("repeat").asLong(1);
        for (long i = 0; i < repeat; i++) {
          if (step.has("repeat")) {
            values.set("i", Json.of(i).tree());
          }
          if (step.has("start")) {
            started.put(step.get("start").textValue(), inBackground(at, step));
          } else {
            perform(at, step);
          }
        }
      }
    }

    private CompletableFuture<Void> inBackground(String at, JsonNode step) {
      CompletableFuture<Void> done = new CompletableFuture<>();
      Thread thread =
          new Thread(
              () -> {
                try {
                  perform(at, step);
                  done.complete(null);
                } catch (Throwable e) {
                  done.completeExceptionally(e);
                }
              });
      thread.setDaemon(true);
      thread.start();
      return done;
    }

    private void perform(String at, JsonNode step) throws Exception {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      String wrong = attempt(at, step);
      while (wrong != null && step.path("until").asBoolean() && System.nanoTime() < end) {
        TimeUnit.MILLISECONDS.sleep(100);
        wrong = attempt(at, step);
      }
      if (wrong != null) {
        fail(one.get("name").textValue() + ": " + wrong);
      }
    }

    /** Does a step; what is wrong with its outcome, or null. */
    private String attempt(String at, JsonNode step) throws Exception {
      String call = step.get("call").textValue();
      Map<String, Object> args = new LinkedHashMap<>();
      for (var argument : step.path("args").properties()) {
        args.put(argument.getKey(), values.resolve(argument.getValue()));
      }
      Json answer;
      try {
        answer = Json.of(call.startsWith("$") ? harness(call, args) : new ConformanceCalls(client(step, args), args).perform(call));
      } catch (TallyException e) {
        return step.has("error")
            ? new ConformancePatterns(values).mismatch(at + ": error", step.get("error"), Json.of(error(e)))
            : at + " failed: " + e.getMessage();
      }
      if (step.has("error")) {
        return at + " did not fail but answered " + answer;
      }
      String wrong = step.has("want") ? new ConformancePatterns(values).mismatch(at + ": answer", step.get("want"), answer) : null;
      if (wrong == null) {
        step.path("save").properties().forEach(save -> values.set(save.getKey(), answer.tree().at(save.getValue().textValue())));
      }
      return wrong;
    }

    private Tally client(JsonNode step, Map<String, Object> args) {
      JsonNode client = step.path("client");
      String proxy = client.path("proxy").asText(one.path("proxy").asText("direct"));
      Tally.Builder builder = Tally.builder();
      if (!proxy.equals("direct")) {
        builder.url(System.getenv("CONFORMANCE_" + proxy.toUpperCase(Locale.ROOT) + "_URL"));
      }
      if (args.get("tenant") != null && !step.get("call").textValue().matches("(get|update)-tenant")) {
        builder.tenant(args.remove("tenant").toString()); // beside a path's, it is an option of the client
      }
      if (client.has("key")) {
        builder.key(values.name(client.get("key").textValue()));
      }
      if (client.has("deadline")) {
        builder.deadline(seconds(client.get("deadline").decimalValue()));
      }
      if (client.has("timeout")) {
        builder.timeout(seconds(client.get("timeout").decimalValue()));
      }
      return builder.build();
    }

    private static Duration seconds(BigDecimal seconds) {
      return Duration.ofNanos(seconds.movePointRight(9).longValue());
    }

    private Object harness(String call, Map<String, Object> args) throws Exception {
      switch (call) {
        case "$join" -> started.get(String.valueOf(args.get("step"))).get(120, TimeUnit.SECONDS);
        case "$wait" -> Thread.sleep(seconds(new BigDecimal(args.get("seconds").toString())).toMillis());
        case "$restart" -> {
          URI uri = URI.create(System.getenv("CONFORMANCE_CONTROL_URL") + "/restart?how=" + args.get("how"));
          HttpRequest request = HttpRequest.newBuilder(uri).POST(BodyPublishers.noBody()).build();
          var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
          if (response.statusCode() != 204) {
            fail("restarting failed: " + response.body());
          }
        }
        default -> fail("this runner does not know " + call);
      }
      return null;
    }
  }
}
