package io.github.tallystick.client;

import io.github.tallystick.client.model.Event;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A client of a Tallystick server. It has a method for each operation of the HTTP API, named as it is there, and above them lists over all
 * pages, {@link #tail tails}, {@link #watch watched answers} and a {@link #batcher() batcher}. Safe for use by several threads; make one
 * and keep it.
 *
 * <pre>{@code
 * Tally tally = Tally.builder().build(); // TALLY_URL and TALLY_KEY
 * tally.ensureLog("customer-acme");
 * tally.appendEvent("customer-acme", Map.of("type", "api.call", "tokens", 12));
 * }</pre>
 *
 * <p>What is safe to repeat is tried again when the connection fails, or when the server says when to come again ({@code Retry-After}),
 * with growing random pauses, until the deadline. What is not safe (creating, rotating, revoking, resuming, rolling back, auditing,
 * retiring, replaying) is tried again only where the server says that it did nothing. Calls fail with a {@link TallyException}.
 */
public final class Tally extends AlertCalls {
  static final String VERSION = "0.1.0";

  private final Duration silence;

  private Tally(Builder builder) {
    super(builder.transport());
    silence = builder.silence;
  }

  /**
   * Begins to make a client.
   *
   * @return a builder with the URL and the key of {@code TALLY_URL} and {@code TALLY_KEY}
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Any request of the API, such as one that only a newer server knows. Only {@code GET} is repeated when the connection fails.
   *
   * @param method the HTTP method
   * @param path the path after the server's URL, percent-encoded, such as {@code /logs/customer-acme}
   * @param body a JSON body, as an object for Jackson or exact text as {@code String}, {@code byte[]} or {@link Json}; null for none
   * @param options parameters and headers; may be null
   * @return the answer's body; empty where there is none
   * @throws TallyException as all calls
   */
  public Json request(String method, String path, Object body, CallOptions options) {
    Call call = Call.of(method, path);
    if (body != null) {
      call.body("application/json", Events.encode(body).shared());
    }
    return new Json(transport.send(call.with(options)).body());
  }

  /**
   * A batcher with the usual options. Close it.
   *
   * @return the batcher
   */
  public Batcher batcher() {
    return batcher(new BatcherOptions());
  }

  /**
   * A batcher: see {@link Batcher}. Close it.
   *
   * @param options how it gathers events, and whom it tells of those that failed
   * @return the batcher
   */
  public Batcher batcher(BatcherOptions options) {
    return new Batcher(this, options);
  }

  /**
   * A log's events as they are committed, each once and in order, over any number of connections. Close it.
   *
   * @param log the log's name or id
   * @param options where to begin, and what to leave out
   * @return the events
   */
  public Live<Event> tail(String log, TailOptions options) {
    return tail(log, options, true);
  }

  /**
   * A log's events as they are committed, over one connection: when that ends, the iteration fails. See {@link #tail}.
   *
   * @param log the log's name or id
   * @param options where to begin, and what to leave out
   * @return the events
   */
  public Live<Event> tailEvents(String log, TailOptions options) {
    return tail(log, options, false);
  }

  private Live<Event> tail(String log, TailOptions options, boolean resuming) {
    long[] last = {-1};
    return new Live<>(
        transport,
        resuming,
        silence,
        id -> {
          Call call = Call.get("logs", log, "tail").with(options);
          return id.isEmpty() ? call : call.header("Last-Event-ID", id);
        },
        message -> {
          if (!message.event().equals("event")) {
            return null;
          }
          try {
            Event event = Events.exact(Codec.MAPPER.readValue(message.data(), Event.class));
            boolean seen = event.getSequence() <= last[0];
            last[0] = Math.max(last[0], event.getSequence());
            return seen ? null : event;
          } catch (IOException e) {
            throw Reply.unexpected("a message in it is no event: " + e.getMessage(), e);
          }
        });
  }

  /**
   * A view's answers: the one of now, and each that differs from the one before. Close it. While the view cannot answer, as when it is
   * halted, there is a problem instead.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param question the question, as the view takes it
   * @return the answers
   */
  public Live<WatchedAnswer> watch(String log, String view, Map<String, String> question) {
    return watch(log, view, question, true);
  }

  /**
   * A view's answers, over one connection: when that ends, the iteration fails. See {@link #watch}.
   *
   * @param log the log's name or id
   * @param view the view's name
   * @param question the question, as the view takes it
   * @return the answers
   */
  public Live<WatchedAnswer> watchView(String log, String view, Map<String, String> question) {
    return watch(log, view, question, false);
  }

  private Live<WatchedAnswer> watch(String log, String view, Map<String, String> question, boolean resuming) {
    String[] last = {null};
    return new Live<>(
        transport,
        resuming,
        silence,
        id -> Call.get("logs", log, "views", view, "live").query(question),
        message -> {
          boolean isProblem = message.event().equals("problem");
          Answer answer = new Answer("", message.data(), message.sequence());
          String told = message.event() + answer.text();
          if (!isProblem && !message.event().equals("answer") || told.equals(last[0])) {
            return null;
          }
          last[0] = told;
          return new WatchedAnswer(message.sequence(), isProblem ? null : answer, isProblem ? Live.problem(message) : null);
        });
  }

  /** Makes a {@link Tally}. */
  public static final class Builder {
    private String url = environment("TALLY_URL", "http://127.0.0.1:8080");
    private String key = environment("TALLY_KEY", "");
    private String tenant = "";
    private String actor = "";
    private String agent = "";
    private Duration timeout = Duration.ofSeconds(30);
    private Duration deadline = Duration.ofSeconds(60);
    private Duration silence = Duration.ofSeconds(45);
    private HttpClient http;

    private Builder() {}

    private static String environment(String name, String otherwise) {
      String value = System.getenv(name);
      return value == null || value.isBlank() ? otherwise : value.strip();
    }

    /**
     * Where the server is; {@code TALLY_URL} by default, else {@code http://127.0.0.1:8080}.
     *
     * @param url of http or https; may have a path, which goes before those of the API
     * @return this
     */
    public Builder url(String url) {
      this.url = url;
      return this;
    }

    /**
     * The key or token to show; {@code TALLY_KEY} by default, else none.
     *
     * @param key the key; empty for none
     * @return this
     */
    public Builder key(String key) {
      this.key = key == null ? "" : key.strip();
      return this;
    }

    /**
     * The tenant to act in, for keys with the scope operator; the key's own by default.
     *
     * @param tenant the tenant's name
     * @return this
     */
    public Builder tenant(String tenant) {
      this.tenant = tenant;
      return this;
    }

    /**
     * Who acts: recorded with what is done to views, keys, tenants and sources.
     *
     * @param actor at most 200 bytes without control characters
     * @return this
     */
    public Builder actor(String actor) {
      this.actor = actor;
      return this;
    }

    /**
     * The longest time that one try of a call may take; 30 s by default.
     *
     * @param timeout more than 0
     * @return this
     */
    public Builder timeout(Duration timeout) {
      this.timeout = positive(timeout);
      return this;
    }

    /**
     * The longest time that a call may take with all its tries; 60 s by default.
     *
     * @param deadline more than 0
     * @return this
     */
    public Builder deadline(Duration deadline) {
      this.deadline = positive(deadline);
      return this;
    }

    /**
     * How long a tail or a watched answer may be silent before its connection is given up and made again; 45 s by default, since a server
     * says something every 15 s.
     *
     * @param silence more than 0
     * @return this
     */
    public Builder silence(Duration silence) {
      this.silence = positive(silence);
      return this;
    }

    /**
     * The HTTP client to use, such as one with a proxy or certificates of its own.
     *
     * @param http the client; it should follow no redirects
     * @return this
     */
    public Builder httpClient(HttpClient http) {
      this.http = http;
      return this;
    }

    /**
     * What follows {@code tally-java/0.1.0} in the User-Agent.
     *
     * @param product such as {@code billing/2.1}
     * @return this
     */
    public Builder userAgent(String product) {
      this.agent = product;
      return this;
    }

    private static Duration positive(Duration duration) {
      if (duration.isZero() || duration.isNegative()) {
        throw new IllegalArgumentException("a timeout must be more than 0");
      }
      return duration;
    }

    /**
     * Makes the client. It does not connect yet.
     *
     * @return the client
     * @throws IllegalArgumentException if the URL is none of http or https, or the key cannot be one
     */
    public Tally build() {
      return new Tally(this);
    }

    private Transport transport() {
      if (!key.matches("[!-~]*")) {
        throw new IllegalArgumentException("the key holds characters that no key has: is TALLY_KEY right?");
      }
      Map<String, String> headers = new LinkedHashMap<>();
      headers.put("User-Agent", ("tally-java/" + VERSION + " " + agent).strip());
      if (!key.isEmpty()) {
        headers.put("Authorization", "Bearer " + key);
      }
      if (!tenant.isEmpty()) {
        headers.put("Tally-Tenant", tenant);
      }
      if (!actor.isEmpty()) {
        headers.put("Tally-Actor", actor);
      }
      HttpClient client = http;
      if (client == null) {
        client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(10)).build();
      }
      return new Transport(client, base(), headers, timeout, deadline);
    }

    private String base() {
      try {
        URI uri = new URI(url);
        boolean http = "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
        if (http && uri.getHost() != null && uri.getRawQuery() == null && uri.getRawFragment() == null) {
          return url.replaceAll("/+$", "");
        }
      } catch (URISyntaxException e) {
        // Said below.
      }
      throw new IllegalArgumentException("\"" + url + "\" is no address of a server: it must be such as http://127.0.0.1:8080");
    }
  }
}
