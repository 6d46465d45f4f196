import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;

/** The job as src/messages/message-job.ts describes it. */
record Job(JsonNode json) {
  String id() { return json.at("/id").asText(); }
  boolean encrypts() { return json.at("/op").asText().equals("encrypt"); }
  Path file() { return Path.of(json.at("/file").asText()); }
  String policy() { return json.at("/policy").asText(); }
  int suite() { return json.at("/suite").asInt(); }
  int frameLength() { return json.at("/frameLength").asInt(); }
  /** How many bytes to read at a time from the SDK's stream; 0: the whole message in one call. */
  int streamed() { return json.at("/streamed").asInt(); }
  JsonNode keyring() { return json.at("/keyring"); }
  String kmsEndpoint() { return json.at("/kms/endpoint").asText(); }
  String region() { return json.at("/kms/region").asText(); }

  Map<String, String> encryptionContext() {
    Map<String, String> context = new LinkedHashMap<>();
    json.at("/encryptionContext").fields().forEachRemaining(
        entry -> context.put(entry.getKey(), entry.getValue().asText()));
    return context;
  }

  /** The first bytes of SHA-256(be32(seed) || be32(0)) || SHA-256(be32(seed) || be32(1)) || ... */
  byte[] plaintext() throws Exception {
    int seed = json.at("/body/seed").asInt();
    int length = json.at("/body/length").asInt();
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    ByteArrayOutputStream plaintext = new ByteArrayOutputStream(length);
    for (int block = 0; plaintext.size() < length; block++) {
      byte[] digest = sha256.digest(ByteBuffer.allocate(8).putInt(seed).putInt(block).array());
      plaintext.write(digest, 0, Math.min(digest.length, length - plaintext.size()));
    }
    return plaintext.toByteArray();
  }
}
