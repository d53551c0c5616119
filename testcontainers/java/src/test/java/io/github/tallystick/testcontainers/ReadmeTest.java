package io.github.tallystick.testcontainers;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The test that the README shows is compiled and run, as it stands, with the image that there is here. */
class ReadmeTest {
  private static final String IMPORTS =
      """
      import io.github.tallystick.testcontainers.*;
      import java.util.*;
      import org.junit.jupiter.api.Test;
      """;

  @Test
  void sample(@TempDir Path folder) throws Exception {
    Matcher block = Pattern.compile("(?ms)^```java\n(.*?)^```").matcher(Files.readString(Path.of("README.md")));
    assertTrue(block.find());
    String source = IMPORTS + block.group(1).replace("tallystick/dev:0.1.0", "tallystick/dev");
    Path file = Files.writeString(folder.resolve("BillingTest.java"), source);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    List<String> options = List.of("-d", folder.toString(), "-cp", System.getProperty("java.class.path"));
    var files = compiler.getStandardFileManager(null, null, null).getJavaFileObjects(file);
    assertTrue(compiler.getTask(messages, null, null, options, null, files).call(), messages + source);
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = System.out;
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, ReadmeTest.class.getClassLoader())) {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      Constructor<?> constructor = loader.loadClass("BillingTest").getDeclaredConstructor();
      constructor.setAccessible(true);
      Method bills = loader.loadClass("BillingTest").getDeclaredMethod("bills");
      bills.setAccessible(true);
      bills.invoke(constructor.newInstance());
    } finally {
      System.setOut(out);
    }
    assertTrue(printed.toString(StandardCharsets.UTF_8).contains("\"sum\":\"12\""), printed.toString(StandardCharsets.UTF_8));
  }
}
