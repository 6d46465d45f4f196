import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/**
 * Hadoop's S3A with CSE-KMS: {@code put|get|get-v1 ENDPOINT KMS_KEY_ARN NAME FILE ...}; get-v1 reads in the mode that is
 * compatible with V1. Prints a line a file: what went wrong, or the name with the length that S3A lists. KMS is where
 * AWS_ENDPOINT_URL_KMS says.
 */
final class Main {
  public static void main(String[] arguments) throws Exception {
    FileSystem files = FileSystem.newInstance(URI.create("s3a://demo/"), configuration(arguments));
    for (int i = 3; i < arguments.length; i += 2) {
      var name = new org.apache.hadoop.fs.Path("/" + arguments[i]);
      Path file = Path.of(arguments[i + 1]);
      try {
        if (arguments[0].equals("put")) {
          try (OutputStream out = files.create(name)) {
            Files.copy(file, out);
          }
        } else {
          try (InputStream in = files.open(name)) {
            Files.write(file, in.readAllBytes());
          }
        }
        System.out.println(arguments[i] + " " + files.getFileStatus(name).getLen());
      } catch (Exception failure) {
        System.out.println(arguments[i] + " " + failure.getMessage().replace('\n', ' '));
      }
    }
    System.exit(0); // SDK threads must not keep the process
  }

  private static Configuration configuration(String[] arguments) {
    Configuration configuration = new Configuration();
    configuration.set("fs.s3a.endpoint", arguments[1]);
    configuration.set("fs.s3a.endpoint.region", "us-west-2");
    configuration.set("fs.s3a.path.style.access", "true");
    configuration.set("fs.s3a.connection.ssl.enabled", "false");
    configuration.set("fs.s3a.access.key", System.getenv("AWS_ACCESS_KEY_ID"));
    configuration.set("fs.s3a.secret.key", System.getenv("AWS_SECRET_ACCESS_KEY"));
    configuration.set("fs.s3a.encryption.algorithm", "CSE-KMS");
    configuration.set("fs.s3a.encryption.key", arguments[2]);
    configuration.setBoolean("fs.s3a.encryption.cse.v1.compatibility.enabled", arguments[0].equals("get-v1"));
    configuration.set("fs.s3a.encryption.cse.kms.region", "us-west-2");
    configuration.set("fs.s3a.attempts.maximum", "1");
    configuration.set("fs.s3a.retry.limit", "1");
    return configuration;
  }
}
