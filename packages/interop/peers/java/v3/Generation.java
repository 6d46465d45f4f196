import software.amazon.encryption.s3.S3EncryptionClient;

/** Generation 3 writes V2 objects and has no commitment policy. */
final class Generation {
  static S3EncryptionClient.Builder builder(Job job) {
    return S3EncryptionClient.builder();
  }
}
