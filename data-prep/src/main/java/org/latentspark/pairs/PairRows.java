package org.latentspark.pairs;

import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.latentspark.latents.Digests;

/** Makes rows of {@link PairRecord#SCHEMA}. */
final class PairRows {
  private static final int CONTENT_DIGITS = 16;

  private PairRows() {}

  /**
   * Returns the row of a pair.
   *
   * @param location where the image is stored, null if it has to be fetched; an image without a URL
   *     goes by where it is stored
   * @param name what an image without a URL goes by
   */
  static Row of(PairFields fields, ImageLocation location, String name) {
    String url = fields.text(MetadataField.URL);
    if (url == null && location != null) {
      url = name;
    }
    return row(fields, url, location, null, null, null);
  }

  /** Returns the row of a pair whose image came with it; without a URL it goes by its content. */
  static Row withImage(PairFields fields, byte[] image, String file) {
    String url = fields.text(MetadataField.URL);
    if (url == null) {
      url = file + "#" + Digests.sha256Hex(image).substring(0, CONTENT_DIGITS);
    }
    return row(fields, url, null, image, null, null);
  }

  /** Returns the row of a pair without its image, with what img2dataset says of that. */
  static Row missing(PairFields fields) {
    String detail =
        Stream.of(MetadataField.STATUS, MetadataField.ERROR)
            .map(fields::text)
            .filter(Objects::nonNull)
            .collect(Collectors.joining(": "));
    String url = fields.text(MetadataField.URL);
    return row(fields, url, null, null, SourceFault.MISSING_IMAGE, detail);
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

  private static Row row(
      PairFields fields,
      String url,
      ImageLocation location,
      byte[] image,
      SourceFault fault,
      String detail) {
    String caption = fields.text(MetadataField.CAPTION);
    return row(
        PairRecord.keyOf(url, caption),
        url,
        caption,
        side(fields, MetadataField.WIDTH),
        side(fields, MetadataField.HEIGHT),
        fields.text(MetadataField.LANGUAGE),
        fields.text(MetadataField.NSFW),
        number(fields, MetadataField.SIMILARITY),
        number(fields, MetadataField.UNSAFE),
        number(fields, MetadataField.WATERMARK),
        number(fields, MetadataField.AESTHETIC),
        location == null ? null : location.toString(),
        image,
        fault == null ? null : fault.code(),
        detail);
  }

  private static Row row(Object... values) {
    return new GenericRowWithSchema(values, PairRecord.SCHEMA);
  }

  /** A score; what is no number, and NaN, is null. */
  private static Double number(PairFields fields, MetadataField field) {
    Object value = fields.value(field);
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
  private static Integer side(PairFields fields, MetadataField field) {
    Double value = number(fields, field);
    return value != null && value >= 1 && value <= Integer.MAX_VALUE ? value.intValue() : null;
  }
}
