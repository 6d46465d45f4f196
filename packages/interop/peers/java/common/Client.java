/** One configured S3 encryption client. */
interface Client {
  void put(Job job, byte[] plaintext) throws Exception;

  byte[] get(Job job) throws Exception;

  /** Wraps the data key of an object with another key; only the newer generations can. */
  default void rewrap(Job job) throws Exception {
    throw new UnsupportedOperationException("This client re-wraps nothing.");
  }

  void close();
}
