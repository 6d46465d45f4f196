import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.cryptography.materialproviders.IKeyring;
import software.amazon.cryptography.materialproviders.MaterialProviders;
import software.amazon.cryptography.materialproviders.model.AesWrappingAlg;
import software.amazon.cryptography.materialproviders.model.CreateAwsKmsKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateMultiKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateRawAesKeyringInput;
import software.amazon.cryptography.materialproviders.model.CreateRawRsaKeyringInput;
import software.amazon.cryptography.materialproviders.model.MaterialProvidersConfig;
import software.amazon.cryptography.materialproviders.model.PaddingScheme;

/** The keyrings that jobs describe, each made once. */
final class Keyrings {
  private static final MaterialProviders PROVIDERS =
      MaterialProviders.builder().MaterialProvidersConfig(MaterialProvidersConfig.builder().build()).build();
  private static final Map<JsonNode, IKeyring> MADE = new HashMap<>();
  private static KmsClient kms;

  static IKeyring of(Job job) {
    if (kms == null) {
      kms = KmsClient.builder()
          .endpointOverride(URI.create(job.kmsEndpoint()))
          .region(Region.of(job.region()))
          .build();
    }
    return MADE.computeIfAbsent(job.keyring(), Keyrings::create);
  }

  private static IKeyring create(JsonNode described) {
    return switch (text(described, "type")) {
      case "multi" -> multi(described);
      case "kms" -> PROVIDERS.CreateAwsKmsKeyring(
          CreateAwsKmsKeyringInput.builder().kmsKeyId(text(described, "keyId")).kmsClient(kms).build());
      case "aes" -> aes(described);
      case "rsa" -> rsa(described);
      default -> throw new IllegalArgumentException("unknown keyring " + described);
    };
  }

  private static IKeyring multi(JsonNode described) {
    List<IKeyring> members = new ArrayList<>();
    described.get("members").forEach(member -> members.add(create(member)));
    return PROVIDERS.CreateMultiKeyring(CreateMultiKeyringInput.builder()
        .generator(members.get(0))
        .childKeyrings(members.subList(1, members.size()))
        .build());
  }

  private static IKeyring aes(JsonNode described) {
    byte[] key = Base64.getDecoder().decode(text(described, "key"));
    return PROVIDERS.CreateRawAesKeyring(CreateRawAesKeyringInput.builder()
        .keyNamespace(text(described, "namespace"))
        .keyName(text(described, "name"))
        .wrappingKey(ByteBuffer.wrap(key))
        .wrappingAlg(AesWrappingAlg.valueOf("ALG_AES" + key.length * 8 + "_GCM_IV12_TAG16"))
        .build());
  }

  private static IKeyring rsa(JsonNode described) {
    return PROVIDERS.CreateRawRsaKeyring(CreateRawRsaKeyringInput.builder()
        .keyNamespace(text(described, "namespace"))
        .keyName(text(described, "name"))
        .paddingScheme(switch (text(described, "padding")) {
          case "pkcs1" -> PaddingScheme.PKCS1;
          case "oaep-sha1" -> PaddingScheme.OAEP_SHA1_MGF1;
          case "oaep-sha256" -> PaddingScheme.OAEP_SHA256_MGF1;
          case "oaep-sha384" -> PaddingScheme.OAEP_SHA384_MGF1;
          case "oaep-sha512" -> PaddingScheme.OAEP_SHA512_MGF1;
          default -> throw new IllegalArgumentException("unknown padding " + described);
        })
        .publicKey(utf8(text(described, "publicKey")))
        .privateKey(utf8(text(described, "privateKey")))
        .build());
  }

  private static String text(JsonNode described, String field) { return described.get(field).asText(); }

  private static ByteBuffer utf8(String text) { return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)); }
}
