// Prints, for each name of the arguments, its addresses, or the error.
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

public class Resolve {
  public static void main(String[] names) throws Exception {
    for (String name : names)
      try {
        String[] all = Arrays.stream(InetAddress.getAllByName(name)).map(InetAddress::getHostAddress).sorted().toArray(String[]::new);
        System.out.println(name + " " + String.join(" ", all));
      } catch (UnknownHostException error) {
        System.out.println(error.getMessage());
      }
    System.out.println(InetAddress.getLocalHost().getHostName());
  }
}
