package org.latentspark.pairs;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.latentspark.latents.Digests;
import org.latentspark.latents.Scores;

/**
 * One row of metadata, in this project's names and types; everything but the key may be null.
 *
 * @param key stable identity: 32 hex digits of the SHA-256 of URL, line feed and caption
 * @param url where the image is, or was when it was stored
 * @param caption the text
 * @param width columns of the image, as claimed
 * @param height rows of the image, as claimed
 * @param language code of the caption's language, as claimed
 * @param nsfw tag that says how unsafe the image is, such as UNLIKELY
 * @param scores what the metadata says about the pair
 * @param location where the image is stored, as {@link ImageLocation} writes it; null if it has to
 *     be fetched
 * @param image the image file itself; null for most sources
 */
@SuppressWarnings("ArrayRecordComponent") // carried to the decoder, never compared
public record PairRecord(
    String key,
    String url,
    String caption,
    Integer width,
    Integer height,
    String language,
    String nsfw,
    Scores scores,
    String location,
    byte[] image) {

  /** The column with the code of the reason for which the source has no pair here; else null. */
  public static final String REASON = "reason";

  /** The column with what was found. */
  public static final String DETAIL = "detail";

  /** What a source yields: the pair's columns, then {@link #REASON} and {@link #DETAIL}. */
  public static final StructType SCHEMA =
      new StructType()
          .add("key", DataTypes.StringType)
          .add("url", DataTypes.StringType)
          .add("caption", DataTypes.StringType)
          .add("width", DataTypes.IntegerType)
          .add("height", DataTypes.IntegerType)
          .add("language", DataTypes.StringType)
          .add("nsfw", DataTypes.StringType)
          .add("similarity", DataTypes.DoubleType)
          .add("punsafe", DataTypes.DoubleType)
          .add("pwatermark", DataTypes.DoubleType)
          .add("aesthetic", DataTypes.DoubleType)
          .add("location", DataTypes.StringType)
          .add("image", DataTypes.BinaryType)
          .add(REASON, DataTypes.StringType)
          .add(DETAIL, DataTypes.StringType);

  /** The columns of a pair, in order; see {@link #ofRow}. */
  public static final List<String> COLUMNS =
      Arrays.stream(SCHEMA.fieldNames())
          .filter(name -> !name.equals(REASON) && !name.equals(DETAIL))
          .toList();

  /** The same without the image, by which pairs are ordered: the key first. */
  public static final List<String> ORDER =
      COLUMNS.stream().filter(name -> !name.equals("image")).toList();

  static final int KEY_DIGITS = 32;

  /** Returns the pair in the first columns of {@code row}, which must be {@link #COLUMNS}. */
  public static PairRecord ofRow(Row row) {
    return new PairRecord(
        row.getString(0),
        row.getString(1),
        row.getString(2),
        (Integer) row.get(3),
        (Integer) row.get(4),
        row.getString(5),
        row.getString(6),
        new Scores(
            (Double) row.get(7), (Double) row.get(8), (Double) row.get(9), (Double) row.get(10)),
        row.getString(11),
        row.getAs(12));
  }

  /** Returns whether the source holds the image, so that nothing is fetched. */
  public boolean isStored() {
    return location != null || image != null;
  }

  /** Returns the key of the pair of {@code url} and {@code caption}; null counts as empty. */
  public static String keyOf(String url, String caption) {
    String text = (url == null ? "" : url) + "\n" + (caption == null ? "" : caption);
    return Digests.sha256Hex(text.getBytes(StandardCharsets.UTF_8)).substring(0, KEY_DIGITS);
  }
}
