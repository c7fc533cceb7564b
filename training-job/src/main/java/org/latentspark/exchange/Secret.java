package org.latentspark.exchange;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.spark.SparkConf;
import org.apache.spark.network.sasl.SecretKeyHolder;

/**
 * What the processes of one stage prove to each other that they belong to it: drawn by the driver,
 * known to whoever receives the stage's tasks, and gone with the stage.
 *
 * <p>Tasks travel by Spark's own channels, which {@code spark.authenticate} and {@code
 * spark.network.crypto.enabled} protect. With the latter, what the processes say to each other
 * afterwards is encrypted, too.
 *
 * @param key what nobody else knows, in hexadecimal
 * @param crypto the settings of Spark that say whether and how its holders encrypt
 */
public record Secret(String key, Map<String, String> crypto)
    implements Serializable, SecretKeyHolder {
  private static final long serialVersionUID = 1;
  private static final int BYTES = 32;
  private static final String CRYPTO = "spark.network.crypto.";
  private static final String OLDER = "spark.authenticate.enableSaslEncryption";

  /** Draws a secret; {@code conf} says whether, and by what cipher, its holders encrypt. */
  public static Secret draw(SparkConf conf) {
    Map<String, String> crypto = new HashMap<>();
    Arrays.stream(conf.getAll())
        .filter(setting -> setting._1().startsWith(CRYPTO) || setting._1().equals(OLDER))
        .forEach(setting -> crypto.put(setting._1(), setting._2()));
    // Whoever cannot encrypt where it is asked for is not let in by the older protocol.
    crypto.put(CRYPTO + "saslFallback", "false");
    return new Secret(HexFormat.of().formatHex(random(BYTES)), crypto);
  }

  @Override
  public String getSaslUser(String application) {
    return "latentspark";
  }

  @Override
  public String getSecretKey(String application) {
    return key;
  }

  /** Returns bytes that nobody can foresee. */
  static byte[] random(int count) {
    byte[] bytes = new byte[count];
    new SecureRandom().nextBytes(bytes);
    return bytes;
  }

  /** Tells whether the holders encrypt what they say to each other. */
  boolean encrypts() {
    return Boolean.parseBoolean(crypto.get(CRYPTO + "enabled"))
        || Boolean.parseBoolean(crypto.get(OLDER));
  }

  /** Returns 32 bytes that only holders of the key can make of {@code text}: HMAC-SHA256. */
  byte[] sign(byte[] text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
      return mac.doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Every Java has HmacSHA256", e);
    }
  }

  /** Returns a name that only holders of the key can know, and that does not give it away. */
  String nameOf(String thing) {
    return HexFormat.of().formatHex(sign(thing.getBytes(StandardCharsets.UTF_8)));
  }

  /** Returns a text without the key. */
  @Override
  public String toString() {
    return "Secret[" + crypto + "]";
  }
}
