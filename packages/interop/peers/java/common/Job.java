import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.nio.ByteBuffer;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/** The job as src/objects/job.ts describes it. */
record Job(JsonNode json) {
  String id() { return text("/id"); }
  String op() { return text("/op"); }
  String client() { return text("/client"); }
  String bucket() { return text("/bucket"); }
  String key() { return text("/key"); }
  String s3Endpoint() { return text("/s3/endpoint"); }
  String kmsEndpoint() { return text("/kms/endpoint"); }
  String region() { return text("/s3/region"); }
  String suite() { return text("/suite"); }
  String keyringType() { return text("/keyring/type"); }
  String kmsKeyId() { return text("/keyring/keyId"); }
  String instructionFileSuffix() { return text("/instructionFileSuffix"); }
  boolean usesInstructionFile() { return text("/placement").equals("instruction-file"); }
  boolean legacy() { return json.at("/legacy").asBoolean(); }
  boolean delayedAuthentication() { return json.at("/delayedAuthentication").asBoolean(); }
  Map<String, String> encryptionContext() { return strings("/encryptionContext"); }
  Map<String, String> materialDescription() { return strings("/materialDescription"); }

  SecretKey aesKey() throws Exception {
    return json.at("/keyring").has("store")
        ? (SecretKey) store().getKey(text("/keyring/store/alias"), storePassphrase())
        : new SecretKeySpec(bytes("/keyring/key"), "AES");
  }

  KeyPair rsaKeyPair() throws Exception {
    if (!json.at("/keyring").has("store")) return rsaKeyPair("/keyring");
    String alias = text("/keyring/store/alias");
    PrivateKey privateKey = (PrivateKey) store().getKey(alias, storePassphrase());
    return new KeyPair(store().getCertificate(alias).getPublicKey(), privateKey);
  }

  private KeyStore store() throws Exception {
    return KeyStore.getInstance(new File(text("/keyring/store/file")), storePassphrase());
  }

  private char[] storePassphrase() { return text("/keyring/store/passphrase").toCharArray(); }

  boolean hasChild() { return json.has("child"); }
  KeyPair childKeyPair() throws Exception { return rsaKeyPair("/child/keyring"); }
  String childSuffix() { return text("/child/instructionFileSuffix"); }
  Map<String, String> childDescription() { return strings("/child/materialDescription"); }

  String targetType() { return text("/to/keyring/type"); }
  SecretKey targetAesKey() { return new SecretKeySpec(bytes("/to/keyring/key"), "AES"); }
  KeyPair targetRsaKeyPair() throws Exception { return rsaKeyPair("/to/keyring"); }
  Map<String, String> targetDescription() { return strings("/to/materialDescription"); }
  String targetSuffix() { return text("/to/instructionFileSuffix"); }
  boolean enforcesRotation() { return json.at("/enforceRotation").asBoolean(); }

  private KeyPair rsaKeyPair(String path) throws Exception {
    KeyFactory rsa = KeyFactory.getInstance("RSA");
    return new KeyPair(
        rsa.generatePublic(new X509EncodedKeySpec(bytes(path + "/publicKey"))),
        rsa.generatePrivate(new PKCS8EncodedKeySpec(bytes(path + "/privateKey"))));
  }

  /** Jobs that agree in this text can share a client. */
  String clientConfiguration() {
    return client() + json.at("/keyring") + json.at("/suite") + json.at("/placement") + legacy()
        + delayedAuthentication() + json.at("/encryptionContext") + json.at("/materialDescription");
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

  private String text(String path) { return json.at(path).asText(""); }

  private byte[] bytes(String path) { return Base64.getDecoder().decode(text(path)); }

  private Map<String, String> strings(String path) {
    Map<String, String> map = new LinkedHashMap<>();
    json.at(path).fields().forEachRemaining(entry -> map.put(entry.getKey(), entry.getValue().asText()));
    return map;
  }
}
