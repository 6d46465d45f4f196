import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.kms.AWSKMS;
import com.amazonaws.services.kms.AWSKMSClientBuilder;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3EncryptionClientBuilder;
import com.amazonaws.services.s3.AmazonS3EncryptionClientV2Builder;
import com.amazonaws.services.s3.model.CryptoConfiguration;
import com.amazonaws.services.s3.model.CryptoConfigurationV2;
import com.amazonaws.services.s3.model.CryptoMode;
import com.amazonaws.services.s3.model.CryptoStorageMode;
import com.amazonaws.services.s3.model.EncryptedGetObjectRequest;
import com.amazonaws.services.s3.model.EncryptionMaterials;
import com.amazonaws.services.s3.model.EncryptionMaterialsProvider;
import com.amazonaws.services.s3.model.KMSEncryptionMaterials;
import com.amazonaws.services.s3.model.ObjectMetadata;
import com.amazonaws.services.s3.model.PutObjectRequest;
import com.amazonaws.services.s3.model.S3Object;
import com.amazonaws.services.s3.model.StaticEncryptionMaterialsProvider;
import java.io.ByteArrayInputStream;

/** AWS SDK for Java 1: AmazonS3EncryptionClient in its three modes, AmazonS3EncryptionClientV2 in its two. */
final class Clients {
  static Client create(Job job) throws Exception {
    EndpointConfiguration s3 = new EndpointConfiguration(job.s3Endpoint(), job.region());
    AWSKMS kms = AWSKMSClientBuilder.standard()
        .withEndpointConfiguration(new EndpointConfiguration(job.kmsEndpoint(), job.region()))
        .build();
    EncryptionMaterialsProvider materials = new StaticEncryptionMaterialsProvider(materials(job));
    CryptoStorageMode storage =
        job.usesInstructionFile() ? CryptoStorageMode.InstructionFile : CryptoStorageMode.ObjectMetadata;
    if (job.client().startsWith("java-v2-")) {
      return new SdkClient(AmazonS3EncryptionClientV2Builder.standard()
          .withEndpointConfiguration(s3)
          .withPathStyleAccessEnabled(true)
          .withKmsClient(kms)
          .withEncryptionMaterialsProvider(materials)
          .withCryptoConfiguration(new CryptoConfigurationV2(mode(job)).withStorageMode(storage))
          .build());
    }
    return new SdkClient(AmazonS3EncryptionClientBuilder.standard()
        .withEndpointConfiguration(s3)
        .withPathStyleAccessEnabled(true)
        .withKmsClient(kms)
        .withEncryptionMaterials(materials)
        .withCryptoConfiguration(new CryptoConfiguration(mode(job)).withStorageMode(storage))
        .build());
  }

  private static CryptoMode mode(Job job) {
    return switch (job.client()) {
      case "java-v1-eo" -> CryptoMode.EncryptionOnly;
      case "java-v1-ae", "java-v2-ae" -> CryptoMode.AuthenticatedEncryption;
      case "java-v1-strict", "java-v2-strict" -> CryptoMode.StrictAuthenticatedEncryption;
      default -> throw new IllegalArgumentException("unknown client " + job.client());
    };
  }

  /** These clients know no context of a call: the materials carry it, for reading too. */
  private static EncryptionMaterials materials(Job job) throws Exception {
    EncryptionMaterials materials = switch (job.keyringType()) {
      case "aes" -> new EncryptionMaterials(job.aesKey());
      case "rsa" -> new EncryptionMaterials(job.rsaKeyPair());
      case "kms" -> new KMSEncryptionMaterials(job.kmsKeyId());
      default -> throw new IllegalArgumentException("unknown keyring " + job.keyringType());
    };
    materials.addDescriptions(job.encryptionContext());
    materials.addDescriptions(job.materialDescription());
    return materials;
  }

  private record SdkClient(AmazonS3 s3) implements Client {
    public void put(Job job, byte[] plaintext) {
      ObjectMetadata metadata = new ObjectMetadata();
      metadata.setContentLength(plaintext.length);
      s3.putObject(new PutObjectRequest(job.bucket(), job.key(), new ByteArrayInputStream(plaintext), metadata));
    }

    public byte[] get(Job job) throws Exception {
      EncryptedGetObjectRequest request = new EncryptedGetObjectRequest(job.bucket(), job.key());
      if (!job.instructionFileSuffix().isEmpty()) {
        // It puts the dot itself.
        request.setInstructionFileSuffix(job.instructionFileSuffix().substring(1));
      }
      try (S3Object object = s3.getObject(request)) {
        return object.getObjectContent().readAllBytes();
      }
    }

    public void close() { s3.shutdown(); }
  }
}
