package io.github.tallystick.client.testing;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/** Where the server's program is. */
final class TallyBinary {
  private static Path unpacked;

  private TallyBinary() {}

  static synchronized Path find() {
    String named = System.getenv("TALLY_BINARY");
    if (named != null && !named.isBlank()) {
      return Path.of(named);
    }
    String resource = "/io/github/tallystick/server/" + platform() + "/tally";
    try (InputStream packed = TallyBinary.class.getResourceAsStream(resource)) {
      if (packed != null) {
        return unpacked == null ? unpack(packed) : unpacked;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("unpacking the server's program: " + e.getMessage(), e);
    }
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      Path program = Path.of(folder, "tally");
      if (Files.isExecutable(program) && !Files.isDirectory(program)) {
        return program;
      }
    }
    throw new UncheckedIOException(
        new IOException(
            "there is no program tally: set TALLY_BINARY, put it into PATH, or add the dependency"
                + " io.github.tallystick:tallystick-server with the classifier "
                + platform()));
  }

  private static Path unpack(InputStream packed) throws IOException {
    Path folder = Files.createTempDirectory("tally-server-");
    Path program = folder.resolve("tally");
    folder.toFile().deleteOnExit();
    program.toFile().deleteOnExit(); // files go before their folder: the order is that of last first
    Files.copy(packed, program, StandardCopyOption.REPLACE_EXISTING);
    if (!program.toFile().setExecutable(true)) {
      throw new IOException(program + " cannot be made executable");
    }
    unpacked = program;
    return program;
  }

  /** Such as linux-amd64: the classifier of the artifact. */
  static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (os.startsWith("mac") ? "darwin" : os.startsWith("win") ? "windows" : "linux")
        + "-"
        + (arch.equals("aarch64") ? "arm64" : arch.equals("x86_64") ? "amd64" : arch);
  }
}
