package io.github.tallystick.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The samples of the README are compiled and run, as they stand; check-readme.sh runs its first block. */
class ReadmeTest {
  private static final String AROUND =
      """
      import io.github.tallystick.client.*;
      import io.github.tallystick.client.model.*;
      import java.math.BigDecimal;
      import java.time.Instant;
      import java.util.*;

      public class Sample {
        record Usage(String type, Instant time, BigDecimal cost) {}

        public static final class Done extends RuntimeException {
          private static final long serialVersionUID = 1;
        }

        static void park(String log, List<Json> events, TallyException error) {
          throw new AssertionError(error);
        }

        static void handle(Event event) {
          throw new Done();
        }

        public static void run(Tally given) {
          Map<String, Object> first = Map.of("n", 1);
          Map<String, Object> second = Map.of("n", 2);
          Map<String, Object> event = Map.of("n", 3);
          long lastSeen = 0;
          %s
          try {
            sample(tally, first, second, event, lastSeen);
          } catch (Done e) {
            // It goes on for ever, in the README.
          }
        }

        static void sample(Tally tally, Map<String, Object> first, Map<String, Object> second, Map<String, Object> thing, long lastSeen) {
          %s
        }
      }
      """;

  @TestFactory
  Stream<DynamicTest> samples(@TempDir Path folder) throws IOException {
    Tally tally = Rig.client();
    tally.ensureLog("customer-acme");
    String readme = Files.readString(Path.of("README.md"));
    List<String> blocks = Pattern.compile("(?ms)^```java\n(.*?)^```").matcher(readme).results().map(m -> m.group(1)).toList();
    assertEquals(7, blocks.size());
    return Stream.iterate(0, i -> i < blocks.size(), i -> i + 1)
        .map(i -> DynamicTest.dynamicTest("sample " + (i + 1), () -> run(folder.resolve("s" + i), blocks.get(i), tally)));
  }

  @Test
  void oneVersionEverywhere() throws IOException {
    String version = "<version>" + Tally.VERSION + "</version>";
    for (String pom : List.of("pom.xml", "../../../testcontainers/java/pom.xml")) {
      assertTrue(Files.readString(Path.of(pom)).contains("\n  " + version + "\n"), pom);
    }
    assertEquals(2, Files.readString(Path.of("README.md")).split(version, -1).length - 1);
  }

  private static void run(Path folder, String block, Tally tally) throws Exception {
    boolean declares = block.contains("Tally tally = ");
    String body = declares || block.contains("Event event :") ? block : "Map<String, Object> event = thing;\n" + block;
    String source = String.format(AROUND, declares ? block : "Tally tally = given;", declares ? "" : body);
    Files.createDirectories(folder);
    Path file = Files.writeString(folder.resolve("Sample.java"), source);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    List<String> options = List.of("-d", folder.toString(), "-cp", System.getProperty("java.class.path"));
    var files = compiler.getStandardFileManager(null, null, null).getJavaFileObjects(file);
    assertTrue(compiler.getTask(messages, null, null, options, null, files).call(), messages + source);
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, ReadmeTest.class.getClassLoader())) {
      loader.loadClass("Sample").getMethod("run", Tally.class).invoke(null, tally);
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof Exception x ? x : e;
    }
    if (block.contains("appendEvents")) {
      assertEquals(3, tally.getLog("customer-acme").getSequence());
      assertEquals(Map.of(), tally.getLog("customer-acme").getLabels());
    }
  }
}
