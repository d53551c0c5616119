package io.github.tallystick.testcontainers;

import com.github.dockerjava.api.command.InspectContainerResponse;
import io.github.tallystick.client.CallOptions;
import io.github.tallystick.client.Tally;
import io.github.tallystick.client.TallyException;
import io.github.tallystick.client.model.CreateLog;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/**
 * Tallystick and its PostgreSQL in a container, ready in about a second, for tests of programs that use it. It asks for no key, unless
 * {@link #withKey} is given. Once it is ready, it makes what was asked for: views, logs, keys.
 *
 * <pre>{@code
 * try (TallystickContainer tallystick = new TallystickContainer("tallystick/dev:0.1.0").withLog("customer-acme")) {
 *   tallystick.start();
 *   tallystick.getClient().appendEvent("customer-acme", Map.of("tokens", 12));
 * }
 * }</pre>
 */
public class TallystickContainer extends GenericContainer<TallystickContainer> {
  private static final DockerImageName DEFAULT_IMAGE = DockerImageName.parse("tallystick/dev");
  private static final int PORT = 8080;
  private static final int DATABASE_PORT = 5432;

  private final List<Deployment> views = new ArrayList<>();
  private final Map<String, Map<String, String>> logs = new LinkedHashMap<>();
  private final List<List<String>> scopes = new ArrayList<>();
  private final List<String> keys = new ArrayList<>();

  private record Deployment(String logs, String name, TallystickView view) {}

  /**
   * A container of an image.
   *
   * @param image such as {@code tallystick/dev:0.1.0}
   */
  public TallystickContainer(String image) {
    this(DockerImageName.parse(image));
  }

  /**
   * A container of an image.
   *
   * @param image {@code tallystick/dev}, or one that is said to be compatible with it
   */
  public TallystickContainer(DockerImageName image) {
    super(image);
    image.assertCompatibleWith(DEFAULT_IMAGE);
    addExposedPorts(PORT, DATABASE_PORT);
    addEnv("TALLY_ALLOW_HOST", "*"); // tests reach the server by whatever name their engine has
    waitingFor(Wait.forHttp("/readyz").forPort(PORT).forStatusCode(200).withStartupTimeout(Duration.ofMinutes(2)));
  }

  /**
   * Deploys a view on all logs whose name matches a pattern, from their first event on.
   *
   * @param logs the pattern, such as {@code customer-*} or {@code *}
   * @param name the view's name
   * @param view what it counts
   * @return this
   */
  public TallystickContainer withView(String logs, String name, TallystickView view) {
    views.add(new Deployment(logs, name, view));
    return self();
  }

  /**
   * Makes a log.
   *
   * @param name the log's name
   * @return this
   */
  public TallystickContainer withLog(String name) {
    return withLog(name, Map.of());
  }

  /**
   * Makes a log with labels.
   *
   * @param name the log's name
   * @param labels its labels
   * @return this
   */
  public TallystickContainer withLog(String name, Map<String, String> labels) {
    logs.put(name, Map.copyOf(labels));
    return self();
  }

  /**
   * Has the server ask for a key with each request, and makes one. May be given more than once.
   *
   * @param scopes of the key, at least one: append, read, query, deploy, admin, operator
   * @return this
   */
  public TallystickContainer withKey(String... scopes) {
    if (scopes.length == 0) {
      throw new IllegalArgumentException("a key needs scopes: append, read, query, deploy, admin, operator");
    }
    this.scopes.add(List.of(scopes));
    return withEnv("TALLY_KEYS", "true");
  }

  /**
   * The server's address. It is another one after a stop and a start.
   *
   * @return such as {@code http://localhost:32768}
   */
  public String getUrl() {
    return "http://" + getHost() + ":" + getMappedPort(PORT);
  }

  /**
   * A new client of the server, with the first key where there are keys.
   *
   * @return the client
   */
  public Tally getClient() {
    return client(keys.isEmpty() ? "" : keys.get(0));
  }

  private Tally client(String key) {
    return Tally.builder().url(getUrl()).key(key).build();
  }

  /**
   * The first key.
   *
   * @return the key; empty where the server asks for none
   */
  public String getKey() {
    return keys.isEmpty() ? "" : keys.get(0);
  }

  /**
   * The keys, in the order in which they were asked for.
   *
   * @return the keys
   */
  public List<String> getKeys() {
    return List.copyOf(keys);
  }

  /**
   * The address of the server's PostgreSQL, for JDBC. To read is fine: the documentation of SQL says what there is.
   *
   * @return such as {@code jdbc:postgresql://localhost:32769/tally}; see {@link #getUsername} and {@link #getPassword}
   */
  public String getJdbcUrl() {
    return "jdbc:postgresql://" + getHost() + ":" + getMappedPort(DATABASE_PORT) + "/" + getDatabaseName();
  }

  /**
   * The database's name.
   *
   * @return {@code tally}
   */
  public String getDatabaseName() {
    return "tally";
  }

  /**
   * The database's superuser.
   *
   * @return {@code postgres}
   */
  public String getUsername() {
    return "postgres";
  }

  /**
   * That user's password.
   *
   * @return what {@code TALLY_POSTGRES_PASSWORD} was set to, else the image's own
   */
  public String getPassword() {
    return getEnvMap().getOrDefault("TALLY_POSTGRES_PASSWORD", "tally");
  }

  @Override
  protected void containerIsStarted(InspectContainerResponse info, boolean reused) {
    keys.clear();
    for (int i = 0; i < scopes.size(); i++) {
      keys.add(makeKey("testcontainers-" + (i + 1), scopes.get(i)));
    }
    if (views.isEmpty() && logs.isEmpty()) {
      return;
    }
    Tally tally = client(scopes.isEmpty() ? "" : makeKey("testcontainers-setup", List.of("append", "read", "deploy")));
    try {
      views.forEach(d -> tally.deployViewPattern(d.name(), d.view().deployment(tally), new CallOptions().logs(d.logs())));
      logs.forEach((name, labels) -> tally.createLog(new CreateLog().name(name).labels(labels)));
    } catch (TallyException e) {
      throw new ContainerLaunchException(e.getMessage(), e);
    }
  }

  /** Has the program in the container make a key: it needs none for that, as whoever has the database. */
  private String makeKey(String name, List<String> scopes) {
    String output;
    try {
      ExecResult result = execInContainer("tally", "key", "create", "--name", name, "--scopes", String.join(",", scopes));
      output = result.getStdout() + result.getStderr();
      if (result.getExitCode() == 0) {
        return result.getStdout().lines().filter(line -> line.startsWith("tally_")).findFirst().orElseThrow().strip();
      }
    } catch (IOException e) {
      throw new ContainerLaunchException("making a key failed", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ContainerLaunchException("interrupted while making a key", e);
    }
    throw new ContainerLaunchException("making a key with the scopes " + scopes + " failed: " + output.strip());
  }
}
