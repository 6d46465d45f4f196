import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/** Reads one job a line on stdin and answers one line a job on stdout. */
final class Main {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Client> CLIENTS = new HashMap<>();

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
      Client client = clientFor(job);
      byte[] given = job.op().equals("get") ? null : job.plaintext();
      long start = System.nanoTime();
      byte[] plaintext = run(client, job, given);
      // Of the client's own call, without what makes and hashes the plaintext.
      answer.put("seconds", (System.nanoTime() - start) / 1e9);
      answer.put("ok", true).put("length", plaintext.length);
      answer.put("sha256", HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(plaintext)));
    } catch (Throwable failure) {
      // S3EC 4.0.1 leaks a connection with each refused get: start afresh.
      Client client = CLIENTS.remove(job.clientConfiguration());
      if (client != null) {
        client.close();
      }
      answer.put("ok", false).put("error", failure.getClass().getName()).put("message", messages(failure));
    }
    return JSON.writeValueAsString(answer);
  }

  private static Client clientFor(Job job) throws Exception {
    Client client = CLIENTS.get(job.clientConfiguration());
    if (client == null) {
      client = Clients.create(job);
      CLIENTS.put(job.clientConfiguration(), client);
    }
    return client;
  }

  private static byte[] run(Client client, Job job, byte[] given) throws Exception {
    if (given == null) {
      return client.get(job);
    }
    if (job.op().equals("rewrap")) {
      client.rewrap(job);
    } else {
      client.put(job, given);
    }
    return given;
  }

  private static String messages(Throwable failure) {
    StringBuilder text = new StringBuilder(String.valueOf(failure.getMessage()));
    for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
      text.append(" <- ").append(cause);
    }
    return text.toString();
  }
}
