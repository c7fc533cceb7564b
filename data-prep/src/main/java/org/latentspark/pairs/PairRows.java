package org.latentspark.pairs;

import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;

/** Makes rows of {@link PairRecord#SCHEMA} of sources that Spark does not read itself. */
final class PairRows {
  private PairRows() {}

  /**
   * Returns the row of a pair.
   *
   * @param fields values by the names the source has for them; text, numbers or null
   * @param location where the image is stored, null if it has to be fetched; an image without a URL
   *     goes by where it is stored
   * @param name what an image without a URL goes by
   */
  static Row of(Map<String, ?> fields, ImageLocation location, String name) {
    String url = text(fields, MetadataField.URL);
    if (url == null && location != null) {
      url = name;
    }
    String caption = text(fields, MetadataField.CAPTION);
    return row(
        PairRecord.keyOf(url, caption),
        url,
        caption,
        side(fields, MetadataField.WIDTH),
        side(fields, MetadataField.HEIGHT),
        text(fields, MetadataField.LANGUAGE),
        text(fields, MetadataField.NSFW),
        number(fields, MetadataField.SIMILARITY),
        number(fields, MetadataField.UNSAFE),
        number(fields, MetadataField.WATERMARK),
        number(fields, MetadataField.AESTHETIC),
        location == null ? null : location.toString(),
        null,
        null,
        null);
  }

  /** Returns the row of something that is no pair. */
  static Row refused(String url, String caption, SourceFault fault, String detail) {
    return row(
        PairRecord.keyOf(url, caption),
        url,
        caption,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        fault.code(),
        detail);
  }

  private static Row row(Object... values) {
    return new GenericRowWithSchema(values, PairRecord.SCHEMA);
  }

  static String text(Map<String, ?> fields, MetadataField field) {
    return value(fields, field).map(String::valueOf).orElse(null);
  }

  /** A score; what is no number, and NaN, is null. */
  private static Double number(Map<String, ?> fields, MetadataField field) {
    Object value = value(fields, field).orElse(null);
    double number = Double.NaN;
    if (value instanceof Number given) {
      number = given.doubleValue();
    } else if (value != null) {
      try {
        number = Double.parseDouble(value.toString().strip());
      } catch (NumberFormatException e) {
        // Not a number, then.
      }
    }
    return Double.isNaN(number) ? null : number;
  }

  /** A side in pixels; what cannot be one, such as NaN or -1, is null: not known. */
  private static Integer side(Map<String, ?> fields, MetadataField field) {
    Double value = number(fields, field);
    return value != null && value >= 1 && value <= Integer.MAX_VALUE ? value.intValue() : null;
  }

  private static Optional<Object> value(Map<String, ?> fields, MetadataField field) {
    return field.find(fields.keySet()).map(fields::get);
  }
}
