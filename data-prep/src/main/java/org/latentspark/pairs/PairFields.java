package org.latentspark.pairs;

import java.util.Map;

/** The values that a source has for a pair: text, numbers, or null. */
interface PairFields {
  Object value(MetadataField field);

  /** Returns the values in {@code byName}, whose names are the source's. */
  static PairFields of(Map<String, ?> byName) {
    return field -> field.find(byName.keySet()).<Object>map(byName::get).orElse(null);
  }

  /** Returns a value as text, or null. */
  default String text(MetadataField field) {
    Object value = value(field);
    return value == null ? null : String.valueOf(value);
  }
}
