package org.latentspark.exchange;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Seals, or opens, what one worker says to another: AES-256 in Galois/counter mode, the number of
 * the message as the nonce, so that none can be read, changed, left out or said again.
 */
final class RecordCipher {
  private static final int TAG = 16;
  private static final int NONCE = 12;

  private final int mode;
  private final SecretKeySpec key;
  private final Cipher cipher;
  private long number;

  private RecordCipher(int mode, byte[] key) {
    this.mode = mode;
    this.key = new SecretKeySpec(key, "AES");
    try {
      cipher = Cipher.getInstance("AES/GCM/NoPadding");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java has no AES/GCM, which encryption needs", e);
    }
  }

  /** Makes the sender's side; a key of 32 bytes is for one direction of one connection. */
  static RecordCipher sealing(byte[] key) {
    return new RecordCipher(Cipher.ENCRYPT_MODE, key);
  }

  /** Makes the receiver's side. */
  static RecordCipher opening(byte[] key) {
    return new RecordCipher(Cipher.DECRYPT_MODE, key);
  }

  /** Returns memory for a sealed message of so many bytes. */
  ByteBuffer blank(int length) {
    return ByteBuffer.allocateDirect(length + TAG);
  }

  /** Returns {@code plain}, sealed. */
  ByteBuffer seal(ByteBuffer plain) {
    ByteBuffer sealed = blank(plain.remaining());
    next(plain, sealed);
    return sealed.flip();
  }

  /**
   * Opens a message into {@code plain}.
   *
   * @throws IllegalStateException when it is not the very one that was sealed
   */
  void open(ByteBuffer sealed, ByteBuffer plain) {
    next(sealed, plain);
  }

  private void next(ByteBuffer in, ByteBuffer out) {
    byte[] nonce = ByteBuffer.allocate(NONCE).putLong(NONCE - Long.BYTES, number++).array();
    try {
      cipher.init(mode, key, new GCMParameterSpec(8 * TAG, nonce));
      cipher.doFinal(in, out);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("A message of the exchange was changed on its way", e);
    }
  }
}
