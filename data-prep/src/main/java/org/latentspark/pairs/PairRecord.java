package org.latentspark.pairs;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.spark.sql.Row;
import org.latentspark.latents.Digests;
import org.latentspark.latents.Scores;

/**
 * One row of metadata, in this project's names and types; everything but the key may be null.
 *
 * @param key stable identity: 32 hex digits of the SHA-256 of URL, line feed and caption
 * @param url where the image is
 * @param caption the text
 * @param width columns of the image, as claimed
 * @param height rows of the image, as claimed
 * @param scores what the metadata says about the pair
 */
public record PairRecord(
    String key, String url, String caption, Integer width, Integer height, Scores scores) {

  /** The columns of a row, in order; see {@link #ofRow}. */
  public static final List<String> COLUMNS =
      List.of(
          "key",
          "url",
          "caption",
          "width",
          "height",
          "similarity",
          "punsafe",
          "pwatermark",
          "aesthetic");

  static final int KEY_DIGITS = 32;

  /** Returns the pair in the first columns of {@code row}, which must be {@link #COLUMNS}. */
  public static PairRecord ofRow(Row row) {
    return new PairRecord(
        row.getString(0),
        row.getString(1),
        row.getString(2),
        (Integer) row.get(3),
        (Integer) row.get(4),
        new Scores(
            (Double) row.get(5), (Double) row.get(6), (Double) row.get(7), (Double) row.get(8)));
  }

  /** Returns the key of the pair of {@code url} and {@code caption}; null counts as empty. */
  public static String keyOf(String url, String caption) {
    String text = (url == null ? "" : url) + "\n" + (caption == null ? "" : caption);
    return Digests.sha256Hex(text.getBytes(StandardCharsets.UTF_8)).substring(0, KEY_DIGITS);
  }

  /**
   * A source file that cannot be read; it costs itself and nothing else.
   *
   * @param path the file
   * @param cause why not
   */
  public record UnreadableFile(String path, String cause) implements Serializable {}
}
