package io.github.tallystick.client.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.tallystick.client.Tally;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A server of its own for tests: {@code tally dev} with a database in a temporary folder, on a free port of this machine, without keys. It
 * stops when it is closed, or when this process ends.
 *
 * <pre>{@code
 * try (TallyServer server = TallyServer.start()) {
 *   Tally tally = server.client();
 *   …
 * }
 * }</pre>
 *
 * <p>The program is {@code TALLY_BINARY} where that is set; else that of the artifact {@code io.github.tallystick:tallystick-server} for
 * this platform, where it is on the class path; else {@code tally} in {@code PATH}. It finds PostgreSQL on this machine, or downloads it.
 */
public final class TallyServer implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(5); // the first start may download PostgreSQL
  private static final Duration STOP = Duration.ofSeconds(30);

  private final Process process;
  private final String url;
  private final String databaseUrl;

  private TallyServer(Process process, String url, String databaseUrl) {
    this.process = process;
    this.url = url;
    this.databaseUrl = databaseUrl;
  }

  /**
   * Starts a server, and waits until it serves.
   *
   * @param flags more flags of {@code tally dev}
   * @return the server
   * @throws UncheckedIOException if there is no program, or it did not start; its output is in the message
   */
  public static TallyServer start(String... flags) {
    List<String> command = new ArrayList<>(List.of(TallyBinary.find().toString(), "dev"));
    command.addAll(List.of("--listen", "127.0.0.1:0", "--output", "json", "--temporary", "--until-stdin-ends"));
    command.addAll(List.of(flags));
    Path log = null;
    Process process = null;
    try {
      log = Files.createTempFile("tally-dev-", ".log");
      log.toFile().deleteOnExit();
      process = new ProcessBuilder(command).redirectError(log.toFile()).start();
      return connect(process);
    } catch (IOException e) {
      if (process != null) {
        process.destroyForcibly();
      }
      throw new UncheckedIOException("tally dev did not start: " + e.getMessage() + tail(log), e);
    }
  }

  private static TallyServer connect(Process process) throws IOException {
    BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    CompletableFuture<String> line = new CompletableFuture<>();
    Thread reader =
        new Thread(
            () -> {
              try {
                line.complete(out.readLine());
                out.transferTo(Writer.nullWriter());
              } catch (IOException e) {
                line.completeExceptionally(e);
              }
            },
            "tally-dev-output");
    reader.setDaemon(true);
    reader.start();
    try {
      String address = line.get(START.toSeconds(), TimeUnit.SECONDS);
      if (address == null) {
        throw new IOException("it ended");
      }
      JsonNode json = new ObjectMapper().readTree(address);
      return new TallyServer(process, json.path("url").asText(), json.path("database_url").asText());
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    } catch (TimeoutException e) {
      throw new IOException("it did not serve within " + START.toMinutes() + " minutes", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static String tail(Path log) {
    try {
      String text = log == null ? "" : Files.readString(log);
      return text.isBlank() ? "" : "\n" + text.substring(Math.max(0, text.length() - 4096)).strip();
    } catch (IOException e) {
      return "";
    }
  }

  /**
   * Where it serves.
   *
   * @return the URL, such as {@code http://127.0.0.1:41234}
   */
  public String url() {
    return url;
  }

  /**
   * A new client of it.
   *
   * @return the client
   */
  public Tally client() {
    return Tally.builder().url(url).key("").build();
  }

  /**
   * Where its database is, as psql and libpq take it. It listens on a socket in a folder, which PostgreSQL's JDBC driver cannot use.
   *
   * @return the URL
   */
  public String databaseUrl() {
    return databaseUrl;
  }

  /** Stops the server and removes its database. May be called again. */
  @Override
  public void close() {
    try {
      process.getOutputStream().close();
      process.destroy();
      if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
