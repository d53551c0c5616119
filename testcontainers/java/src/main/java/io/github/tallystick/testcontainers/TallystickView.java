package io.github.tallystick.testcontainers;

import io.github.tallystick.client.Json;
import io.github.tallystick.client.Tally;
import io.github.tallystick.client.model.DeployModule;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What {@link TallystickContainer#withView} deploys. */
public final class TallystickView {
  private final String ready;
  private final byte[] module;
  private final Json config;

  private TallystickView(String ready, byte[] module, Object config) {
    this.ready = ready;
    this.module = module;
    this.config = config == null ? null : Json.of(config);
  }

  /**
   * One of the views that each server has built in.
   *
   * @param name such as {@code meter}
   * @param config its configuration: a map or another object for Jackson; null for none
   * @return the view
   */
  public static TallystickView ready(String name, Object config) {
    return new TallystickView(name, null, config);
  }

  /**
   * A view of one's own.
   *
   * @param file its WebAssembly module
   * @param config its configuration: a map or another object for Jackson; null for none
   * @return the view
   * @throws UncheckedIOException if the file cannot be read
   */
  public static TallystickView module(Path file, Object config) {
    try {
      return new TallystickView(null, Files.readAllBytes(file), config);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  DeployModule deployment(Tally tally) {
    DeployModule deployment = new DeployModule().config(config);
    return ready != null ? deployment.ready(ready) : deployment.module(tally.uploadModule(module));
  }
}
