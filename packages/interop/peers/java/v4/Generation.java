import software.amazon.encryption.s3.CommitmentPolicy;
import software.amazon.encryption.s3.S3EncryptionClient;
import software.amazon.encryption.s3.algorithms.AlgorithmSuite;

/** Generation 4 chooses the suite, and what may be read, by its commitment policy. */
final class Generation {
  static S3EncryptionClient.Builder builder(Job job) {
    S3EncryptionClient.Builder builder = S3EncryptionClient.builderV4();
    // What is not committing is re-wrapped by a client that writes such.
    boolean writes = job.op().equals("put") || job.op().equals("rewrap");
    if (writes && !job.suite().equals("committing")) {
      return builder
          .commitmentPolicy(CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)
          .encryptionAlgorithm(AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF);
    }
    return job.legacy() ? builder.commitmentPolicy(CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT) : builder;
  }
}
