package org.latentspark.events;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * TensorFlow's record file: for each record its length, the masked CRC32C of the length, the data
 * and the masked CRC32C of the data ({@code record_writer.h}).
 */
final class Records {
  /** Length and its checksum. */
  private static final int HEAD = Long.BYTES + Integer.BYTES;

  private Records() {}

  static byte[] encode(List<Event> events) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Event event : events) {
      byte[] data = event.bytes();
      ByteBuffer head = ByteBuffer.allocate(HEAD).order(ByteOrder.LITTLE_ENDIAN);
      head.putLong(data.length).putInt(masked(head.array(), 0, Long.BYTES));
      out.writeBytes(head.array());
      out.writeBytes(data);
      ByteBuffer foot = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      out.writeBytes(foot.putInt(masked(data, 0, data.length)).array());
    }
    return out.toByteArray();
  }

  /** Returns the events up to the end, or to the first that is damaged or cut off. */
  static List<Event> decode(byte[] file) {
    List<Event> events = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    while (in.remaining() >= HEAD) {
      int start = in.position();
      long length = in.getLong();
      boolean sound = in.getInt() == masked(file, start, Long.BYTES);
      if (!sound || length < 0 || length > in.remaining() - Integer.BYTES) {
        break;
      }
      byte[] data = new byte[(int) length];
      in.get(data);
      if (in.getInt() != masked(data, 0, data.length)) {
        break;
      }
      events.add(new Event(data));
    }
    return events;
  }

  /** Returns a checksum that stays sound where checksums are part of the data. */
  private static int masked(byte[] bytes, int offset, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, offset, length);
    return Integer.rotateRight((int) checksum.getValue(), 15) + 0xa282ead8;
  }
}
