package org.latentspark.pairs;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** What stands beside a stored image: its caption as text, its metadata as JSON, or both. */
final class SampleText implements PairFields {
  private static final int MAX_BYTES = 1 << 20;

  private final Map<String, Object> fields = new HashMap<>();
  private String caption;

  /** A text beside an image that nobody has written by hand. */
  static final class TooLongException extends IOException {
    private static final long serialVersionUID = 1L;

    TooLongException(String name, long bytes) {
      super("%s has %d bytes, most is %d".formatted(name, bytes, MAX_BYTES));
    }
  }

  static void requireShort(String name, long bytes) throws TooLongException {
    if (bytes > MAX_BYTES) {
      throw new TooLongException(name, bytes);
    }
  }

  void json(String json) throws JsonProcessingException {
    fields.putAll(JsonLinesScan.fields(json));
  }

  /** Sets the caption; editors end their files by a line break that is none of it. */
  void caption(String text) {
    caption = text.replaceFirst("[\\r\\n]+$", "");
  }

  boolean isEmpty() {
    return fields.isEmpty() && caption == null;
  }

  /** The metadata; a caption in it takes precedence, since it is kept to the letter. */
  @Override
  public Object value(MetadataField field) {
    Object value = PairFields.of(fields).value(field);
    return value == null && field == MetadataField.CAPTION ? caption : value;
  }
}
