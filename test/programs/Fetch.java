// Asks for each URL with java.net.http, and prints the answer or what went wrong.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Fetch {
  public static void main(String[] urls) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    for (String url : urls) {
      try {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
        System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
      } catch (java.io.IOException failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) cause = cause.getCause();
        System.out.println(failure.getClass().getName() + " " + cause.getClass().getName() + " " + cause.getMessage());
      }
    }
  }
}
