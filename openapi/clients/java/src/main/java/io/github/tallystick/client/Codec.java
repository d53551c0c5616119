package io.github.tallystick.client;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;

/** How the SDK reads and writes JSON: exact numbers, the bytes of values as they came, instants in RFC 3339. */
final class Codec {
  /** An event has at most 1 MiB, and a page of them a few times that: no number or name in it is longer. */
  private static final int MAX_TOKEN = 64 << 20;

  static final ObjectMapper MAPPER = mapper();

  private Codec() {}

  private static ObjectMapper mapper() {
    // Names come from whoever sends events: they fill no memory of the process, and chosen ones that collide fail no call. (Without
    // canonical names Jackson would read characters, not bytes, and JsonReader could not take the bytes of a value.)
    JsonFactory factory =
        new JsonFactoryBuilder()
            .enable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNumberLength(MAX_TOKEN)
                    .maxStringLength(MAX_TOKEN)
                    .maxNameLength(MAX_TOKEN)
                    .build())
            .build();
    SimpleModule module = new SimpleModule("tallystick");
    module.addDeserializer(Json.class, new JsonReader());
    module.addSerializer(Json.class, new JsonWriter());
    module.addDeserializer(Instant.class, new InstantReader());
    module.addSerializer(Instant.class, new InstantWriter());
    module.addSerializer(Double.class, new DoubleWriter());
    module.addSerializer(Double.TYPE, new DoubleWriter());
    module.addSerializer(Float.class, new FloatWriter());
    module.addSerializer(Float.TYPE, new FloatWriter());
    return JsonMapper.builder(factory)
        .addModule(module)
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
        .build();
  }

  private static final class JsonReader extends StdDeserializer<Json> {
    private static final long serialVersionUID = 1;

    JsonReader() {
      super(Json.class);
    }

    @Override
    public Json deserialize(JsonParser parser, DeserializationContext context) throws IOException {
      int start = (int) parser.currentTokenLocation().getByteOffset();
      Object source = parser.currentTokenLocation().contentReference().getRawContent();
      if (!(source instanceof byte[] bytes) || start < 0) { // somebody else's mapper or reader
        return Json.of(context.readTree(parser));
      }
      if (parser.currentToken().isStructStart()) {
        parser.skipChildren();
      } else {
        parser.getText(); // reads a string to its end
      }
      int end = (int) parser.currentLocation().getByteOffset();
      byte[] value = Arrays.copyOfRange(bytes, start, end);
      return new Json(value);
    }

    @Override
    public Json getNullValue(DeserializationContext context) {
      return new Json("null".getBytes(StandardCharsets.US_ASCII));
    }
  }

  private static final class JsonWriter extends StdSerializer<Json> {
    private static final long serialVersionUID = 1;

    JsonWriter() {
      super(Json.class);
    }

    @Override
    public void serialize(Json value, JsonGenerator out, SerializerProvider provider) throws IOException {
      out.writeRawValue(value.toString());
    }
  }

  private static final class InstantReader extends StdDeserializer<Instant> {
    private static final long serialVersionUID = 1;

    InstantReader() {
      super(Instant.class);
    }

    @Override
    public Instant deserialize(JsonParser parser, DeserializationContext context) throws IOException {
      return OffsetDateTime.parse(parser.getText()).toInstant();
    }
  }

  private static final class InstantWriter extends StdSerializer<Instant> {
    private static final long serialVersionUID = 1;

    InstantWriter() {
      super(Instant.class);
    }

    @Override
    public void serialize(Instant value, JsonGenerator out, SerializerProvider provider) throws IOException {
      out.writeString(value.toString());
    }
  }

  /** Jackson would write NaN as a string, which a view would not count. */
  private static final class DoubleWriter extends StdSerializer<Double> {
    private static final long serialVersionUID = 1;

    DoubleWriter() {
      super(Double.class);
    }

    @Override
    public void serialize(Double value, JsonGenerator out, SerializerProvider provider) throws IOException {
      if (!Double.isFinite(value)) {
        provider.reportMappingProblem("JSON has no %s: an event's numbers must be finite", value);
      }
      out.writeNumber(value);
    }
  }

  private static final class FloatWriter extends StdSerializer<Float> {
    private static final long serialVersionUID = 1;

    FloatWriter() {
      super(Float.class);
    }

    @Override
    public void serialize(Float value, JsonGenerator out, SerializerProvider provider) throws IOException {
      if (!Float.isFinite(value)) {
        provider.reportMappingProblem("JSON has no %s: an event's numbers must be finite", value);
      }
      out.writeNumber(value);
    }
  }
}
