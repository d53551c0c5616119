import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.api.EventsApi;

/** Appends by the client that OpenAPI Generator makes, library native. */
public final class Append {
  private Append() {}

  public static void main(String[] args) throws Exception {
    ObjectMapper exact = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
    Map<String, Object> event = exact.readValue(new File(args[0]), new TypeReference<Map<String, Object>>() {});
    ApiClient client = new ApiClient();
    client.updateBaseUri(System.getenv("TALLY_URL"));
    // The generated client leaves out members that are null, whatever the document says: this keeps them.
    client.setObjectMapper(client.getObjectMapper().setDefaultPropertyInclusion(JsonInclude.Include.ALWAYS));
    EventsApi api = new EventsApi(client);
    api.appendEvent(args[1], event, null, null, null, null);
    api.appendEvents(args[1], List.of(event, event), null, null, null, null);
  }
}
