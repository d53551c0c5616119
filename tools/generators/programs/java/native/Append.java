import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.File;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.EventsApi;

/** Appends by the client that OpenAPI Generator makes, library native, in three ways, each to a log of its own. */
public final class Append {
  private Append() {}

  public static void main(String[] args) throws Exception {
    File file = new File(args[0]);
    ObjectMapper exact =
        new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));
    Map<String, Object> event = exact.readValue(file, new TypeReference<Map<String, Object>>() {});

    // As generated: its ObjectMapper leaves out what is null in a map, whatever the document says.
    append(new ApiClient(), args[1], event);

    // With the line that has it keep them in maps.
    ApiClient client = new ApiClient();
    client.setObjectMapper(client.getObjectMapper().setDefaultPropertyInclusion(JsonInclude.Include.ALWAYS));
    append(client, args[2], event);

    // As generated, with what is in the event as Jackson's nodes, of which it leaves out none.
    append(new ApiClient(), args[3], new LinkedHashMap<>(exact.readValue(file, new TypeReference<Map<String, JsonNode>>() {})));
  }

  private static void append(ApiClient client, String log, Map<String, Object> event) throws Exception {
    client.updateBaseUri(System.getenv("TALLY_URL"));
    EventsApi api = new EventsApi(client);
    api.appendEvent(log, event, null, null, null, null, null);
    api.appendEvents(log, List.of(event, event), null, null, null, null, null);
  }
}
