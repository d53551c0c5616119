import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.EventsApi;

/** Appends by the client that OpenAPI Generator makes, library resttemplate, as it is generated. */
public final class Append {
  private Append() {}

  public static void main(String[] args) throws Exception {
    Map<String, Object> event =
        new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .readValue(new File(args[0]), new TypeReference<Map<String, Object>>() {});
    EventsApi api = new EventsApi(new ApiClient().setBasePath(System.getenv("TALLY_URL")));
    api.appendEvent(args[1], event, null, null, null, null, null);
    api.appendEvents(args[1], List.of(event, event), null, null, null, null, null);
  }
}
