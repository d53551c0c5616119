package io.github.tallystick.client;

import io.github.tallystick.client.model.CreateLog;
import io.github.tallystick.client.testing.TallyServer;
import java.time.Duration;
import java.util.UUID;

/** The server that all tests share: real, started once. It ends with this process. */
final class Rig {
  private static TallyServer server;

  private Rig() {}

  static synchronized TallyServer server() {
    if (server == null) {
      server = TallyServer.start();
    }
    return server;
  }

  static Tally client() {
    return server().client();
  }

  /** A client by way of a proxy, with a deadline that a lost cause reaches soon. */
  static Tally client(String url) {
    return Tally.builder().url(url).key("").deadline(Duration.ofSeconds(30)).build();
  }

  /** A new log. */
  static String log() {
    String name = "log-" + UUID.randomUUID().toString().substring(0, 13);
    client().createLog(new CreateLog().name(name));
    return name;
  }
}
