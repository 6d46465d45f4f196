import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;

/** Reads one job a line on stdin and answers one line a job on stdout. */
final class Main {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // whatever a library prints is not an answer
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      answers.println(answer(new Job(JSON.readTree(line))));
    }
    System.exit(0); // SDK threads must not keep the process
  }

  private static String answer(Job job) throws Exception {
    ObjectNode answer = JSON.createObjectNode().put("id", job.id());
    try {
      byte[] plaintext = Messages.run(job);
      answer.put("ok", true).put("length", plaintext.length);
      answer.put("sha256", HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(plaintext)));
    } catch (Throwable failure) {
      answer.put("ok", false).put("error", failure.getClass().getSimpleName()).put("message", messages(failure));
    }
    return JSON.writeValueAsString(answer);
  }

  private static String messages(Throwable failure) {
    StringBuilder text = new StringBuilder(String.valueOf(failure.getMessage()));
    for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
      text.append(" <- ").append(cause);
    }
    return text.toString();
  }
}
