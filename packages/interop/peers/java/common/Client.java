/** One configured S3 encryption client. */
interface Client {
  void put(Job job, byte[] plaintext) throws Exception;

  byte[] get(Job job) throws Exception;

  void close();
}
