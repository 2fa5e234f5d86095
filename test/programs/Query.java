// Asks PostgreSQL by JDBC at the URL of the arguments, and prints the answers or what went wrong.
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;

public class Query {
  public static void main(String[] urls) {
    for (String url : urls) {
      try (var made = DriverManager.getConnection(url); var statement = made.createStatement()) {
        print(statement.executeQuery("select 41 + 1"));
        print(statement.executeQuery("select count(*), sum(length(x)) from (select repeat('x', 1000) x from generate_series(1, 1000)) y"));
        print(statement.executeQuery("select nothing"));
      } catch (SQLException failure) {
        System.out.println(failure.getSQLState() + " " + failure.getMessage());
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) System.out.println(cause);
      }
    }
  }

  private static void print(ResultSet rows) throws SQLException {
    int columns = rows.getMetaData().getColumnCount();
    while (rows.next()) for (int column = 1; column <= columns; column++) System.out.println(rows.getString(column));
  }
}
