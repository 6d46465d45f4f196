import java.net.URI;
import java.util.Map;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.encryption.s3.S3EncryptionClient;
import software.amazon.encryption.s3.internal.InstructionFileConfig;
import software.amazon.encryption.s3.internal.ReEncryptInstructionFileRequest;
import software.amazon.encryption.s3.materials.AesKeyring;
import software.amazon.encryption.s3.materials.KmsKeyring;
import software.amazon.encryption.s3.materials.MaterialsDescription;
import software.amazon.encryption.s3.materials.PartialRsaKeyPair;
import software.amazon.encryption.s3.materials.RsaKeyring;
import software.amazon.encryption.s3.materials.S3Keyring;

/** amazon-s3-encryption-client-java, what its generations 3 and 4 have in common. */
final class Clients {
  static Client create(Job job) throws Exception {
    URI endpoint = URI.create(job.s3Endpoint());
    Region region = Region.of(job.region());
    S3Client plain = S3Client.builder().endpointOverride(endpoint).region(region).forcePathStyle(true).build();
    S3AsyncClient plainAsync =
        S3AsyncClient.builder().endpointOverride(endpoint).region(region).forcePathStyle(true).build();
    KmsClient kms = KmsClient.builder().endpointOverride(URI.create(job.kmsEndpoint())).region(region).build();

    S3EncryptionClient client = Generation.builder(job)
        .wrappedClient(plain)
        .wrappedAsyncClient(plainAsync)
        .keyring(keyring(job, kms))
        .enableLegacyUnauthenticatedModes(job.legacy())
        .enableDelayedAuthenticationMode(job.delayedAuthentication())
        .instructionFileConfig(InstructionFileConfig.builder()
            .instructionFileClient(plain)
            .enableInstructionFilePutObject(job.usesInstructionFile())
            .build())
        .build();
    return new EncryptingClient(client, plain, plainAsync, kms);
  }

  private static S3Keyring keyring(Job job, KmsClient kms) throws Exception {
    MaterialsDescription description =
        MaterialsDescription.builder().putAll(job.materialDescription()).build();
    return switch (job.keyringType()) {
      case "aes" -> AesKeyring.builder()
          .wrappingKey(job.aesKey())
          .materialsDescription(description)
          .enableLegacyWrappingAlgorithms(job.legacy())
          .build();
      case "rsa" -> RsaKeyring.builder()
          .wrappingKeyPair(new PartialRsaKeyPair(job.rsaKeyPair()))
          .materialsDescription(description)
          .enableLegacyWrappingAlgorithms(job.legacy())
          .build();
      case "kms" -> KmsKeyring.builder()
          .kmsClient(kms)
          .wrappingKeyId(job.kmsKeyId())
          .enableLegacyWrappingAlgorithms(job.legacy())
          .build();
      default -> throw new IllegalArgumentException("unknown keyring " + job.keyringType());
    };
  }

  private record EncryptingClient(S3EncryptionClient s3, S3Client plain, S3AsyncClient plainAsync, KmsClient kms)
      implements Client {
    public void put(Job job, byte[] plaintext) throws Exception {
      PutObjectRequest request = PutObjectRequest.builder()
          .bucket(job.bucket())
          .key(job.key())
          .overrideConfiguration(configuration(job))
          .build();
      s3.putObject(request, RequestBody.fromBytes(plaintext));
      if (job.hasChild()) {
        addChild(job);
      }
    }

    /** To it, a child is the object's data key wrapped once more, with the file's suffix given without its dot. */
    private void addChild(Job job) throws Exception {
      RsaKeyring child = RsaKeyring.builder()
          .wrappingKeyPair(new PartialRsaKeyPair(job.childKeyPair()))
          .materialsDescription(MaterialsDescription.builder().putAll(job.childDescription()).build())
          .build();
      s3.reEncryptInstructionFile(ReEncryptInstructionFileRequest.builder()
          .bucket(job.bucket())
          .key(job.key())
          .instructionFileSuffix(job.childSuffix().substring(1))
          .newKeyring(child)
          .build());
    }

    public void rewrap(Job job) throws Exception {
      MaterialsDescription description =
          MaterialsDescription.builder().putAll(job.targetDescription()).build();
      ReEncryptInstructionFileRequest.Builder request = ReEncryptInstructionFileRequest.builder()
          .bucket(job.bucket())
          .key(job.key())
          .enforceRotation(job.enforcesRotation())
          .newKeyring(switch (job.targetType()) {
            case "aes" -> AesKeyring.builder()
                .wrappingKey(job.targetAesKey())
                .materialsDescription(description)
                .build();
            case "rsa" -> RsaKeyring.builder()
                .wrappingKeyPair(new PartialRsaKeyPair(job.targetRsaKeyPair()))
                .materialsDescription(description)
                .build();
            default -> throw new IllegalArgumentException("unknown keyring " + job.targetType());
          });
      if (!job.targetSuffix().isEmpty()) {
        request.instructionFileSuffix(job.targetSuffix().substring(1));
      }
      s3.reEncryptInstructionFile(request.build());
    }

    public byte[] get(Job job) {
      GetObjectRequest request = GetObjectRequest.builder()
          .bucket(job.bucket())
          .key(job.key())
          .overrideConfiguration(configuration(job))
          .build();
      return s3.getObjectAsBytes(request).asByteArray();
    }

    private static AwsRequestOverrideConfiguration configuration(Job job) {
      AwsRequestOverrideConfiguration.Builder builder = AwsRequestOverrideConfiguration.builder();
      Map<String, String> context = job.encryptionContext();
      if (!context.isEmpty()) {
        builder.putExecutionAttribute(S3EncryptionClient.ENCRYPTION_CONTEXT, context);
      }
      if (!job.instructionFileSuffix().isEmpty()) {
        builder.putExecutionAttribute(S3EncryptionClient.CUSTOM_INSTRUCTION_FILE_SUFFIX, job.instructionFileSuffix());
      }
      return builder.build();
    }

    public void close() {
      s3.close();
      plain.close();
      plainAsync.close();
      kms.close();
    }
  }
}
