import com.amazonaws.encryptionsdk.AwsCrypto;
import com.amazonaws.encryptionsdk.CommitmentPolicy;
import com.amazonaws.encryptionsdk.CryptoAlgorithm;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.Arrays;
import software.amazon.cryptography.materialproviders.IKeyring;

/** AWS Encryption SDK for Java 3 with the keyrings of its material providers library. */
final class Messages {
  static byte[] run(Job job) throws Exception {
    IKeyring keyring = Keyrings.of(job);
    return job.encrypts() ? encrypt(job, keyring) : decrypt(job, keyring);
  }

  private static byte[] encrypt(Job job, IKeyring keyring) throws Exception {
    CryptoAlgorithm suite = Arrays.stream(CryptoAlgorithm.values())
        .filter(algorithm -> algorithm.getValue() == (short) job.suite())
        .findFirst()
        .orElseThrow();
    AwsCrypto crypto = AwsCrypto.builder()
        .withCommitmentPolicy(policy(job))
        .withEncryptionAlgorithm(suite)
        .withEncryptionFrameSize(job.frameLength())
        .build();
    byte[] plaintext = job.plaintext();
    Files.write(job.file(), crypto.encryptData(keyring, plaintext, job.encryptionContext()).getResult());
    return plaintext;
  }

  private static byte[] decrypt(Job job, IKeyring keyring) throws Exception {
    AwsCrypto crypto = AwsCrypto.builder().withCommitmentPolicy(policy(job)).build();
    byte[] message = Files.readAllBytes(job.file());
    if (job.streamed() == 0) {
      return crypto.decryptData(keyring, message, job.encryptionContext()).getResult();
    }
    ByteArrayOutputStream plaintext = new ByteArrayOutputStream();
    byte[] buffer = new byte[job.streamed()];
    try (InputStream stream =
        crypto.createDecryptingStream(keyring, new ByteArrayInputStream(message), job.encryptionContext())) {
      for (int read; (read = stream.read(buffer)) != -1; ) {
        plaintext.write(buffer, 0, read);
      }
    }
    return plaintext.toByteArray();
  }

  private static CommitmentPolicy policy(Job job) {
    return switch (job.policy()) {
      case "forbid-allow" -> CommitmentPolicy.ForbidEncryptAllowDecrypt;
      case "require-allow" -> CommitmentPolicy.RequireEncryptAllowDecrypt;
      case "require-require" -> CommitmentPolicy.RequireEncryptRequireDecrypt;
      default -> throw new IllegalArgumentException("unknown policy " + job.policy());
    };
  }
}
