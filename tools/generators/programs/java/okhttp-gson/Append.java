import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.JSON;
import org.openapitools.client.api.EventsApi;

/** Appends by the client that OpenAPI Generator makes, library okhttp-gson, in two ways, each to a log of its own. */
public final class Append {
  private Append() {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> event =
        new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .readValue(new File(args[0]), new TypeReference<Map<String, Object>>() {});

    // As generated: Gson leaves out what is null, of maps and of its own JsonObject, whatever the document says.
    append(args[1], event);

    // With the line that has it keep them, in all clients of this process.
    JSON.setGson(JSON.getGson().newBuilder().serializeNulls().create());
    append(args[2], event);
  }

  private static void append(String log, Map<String, Object> event) throws Exception {
    EventsApi api = new EventsApi(new ApiClient().setBasePath(System.getenv("TALLY_URL")));
    api.appendEvent(log, event, null, null, null, null, null);
    api.appendEvents(log, List.of(event, event), null, null, null, null, null);
  }
}
