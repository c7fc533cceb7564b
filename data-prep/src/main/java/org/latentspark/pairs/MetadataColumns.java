package org.latentspark.pairs;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.isnan;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.DataTypes;
import org.latentspark.cli.InputException;

/**
 * Finds the columns of LAION-style metadata by alias, without case, and turns them into those of
 * {@link PairRecord}.
 */
final class MetadataColumns {
  private static final List<String> URL = List.of("url", "image_url", "imageurl");
  private static final List<String> CAPTION =
      List.of("text", "caption", "txt", "top_caption", "alt_text");
  private static final List<String> WIDTH = List.of("width", "original_width", "image_width");
  private static final List<String> HEIGHT = List.of("height", "original_height", "image_height");
  private static final List<String> SIMILARITY =
      List.of("similarity", "clip_similarity", "clip_similarity_vitb32");
  private static final List<String> UNSAFE = List.of("punsafe", "p_unsafe");
  private static final List<String> WATERMARK = List.of("pwatermark", "p_watermark");
  private static final List<String> AESTHETIC =
      List.of("aesthetic", "aesthetic_score", "aesthetics_score", "aesthetic_score_laion_v2");

  private MetadataColumns() {}

  /**
   * Returns the columns to select from a table with the columns {@code present}.
   *
   * @throws InputException if there is no URL or no caption among them
   */
  static Column[] select(String file, List<String> present) {
    Column url = text(required(file, "URL", URL, present));
    Column caption = text(required(file, "caption", CAPTION, present));
    Column identity = concat(coalesce(url, lit("")), lit("\n"), coalesce(caption, lit("")));
    List<Column> columns = new ArrayList<>();
    columns.add(
        substring(sha2(identity.cast(DataTypes.BinaryType), 256), 1, PairRecord.KEY_DIGITS)
            .as("key"));
    columns.add(url.as("url"));
    columns.add(caption.as("caption"));
    columns.add(side(find(WIDTH, present)).as("width"));
    columns.add(side(find(HEIGHT, present)).as("height"));
    columns.add(number(find(SIMILARITY, present)).as("similarity"));
    columns.add(number(find(UNSAFE, present)).as("punsafe"));
    columns.add(number(find(WATERMARK, present)).as("pwatermark"));
    columns.add(number(find(AESTHETIC, present)).as("aesthetic"));
    return columns.toArray(new Column[0]);
  }

  private static String required(
      String file, String what, List<String> aliases, List<String> present) {
    return find(aliases, present)
        .orElseThrow(
            () ->
                new InputException(
                    "%s: no %s column; it is known as %s (in any case), the file has %s"
                        .formatted(file, what, aliases, present)));
  }

  private static Optional<String> find(List<String> aliases, List<String> present) {
    for (String alias : aliases) {
      for (String column : present) {
        if (column.toLowerCase(Locale.ROOT).equals(alias)) {
          return Optional.of(column);
        }
      }
    }
    return Optional.empty();
  }

  private static Column quoted(String column) {
    return col("`" + column.replace("`", "``") + "`");
  }

  private static Column text(String column) {
    return quoted(column).cast(DataTypes.StringType);
  }

  /** A score as a double; a missing column and NaN are null. */
  private static Column number(Optional<String> column) {
    if (column.isEmpty()) {
      return lit(null).cast(DataTypes.DoubleType);
    }
    Column value = quoted(column.get()).cast(DataTypes.DoubleType);
    return when(isnan(value), lit(null)).otherwise(value);
  }

  /** A side in pixels; what cannot be one, such as NaN or -1, is null: not known. */
  private static Column side(Optional<String> column) {
    Column value = number(column);
    return when(value.between(1, Integer.MAX_VALUE), value.cast(DataTypes.IntegerType))
        .otherwise(lit(null).cast(DataTypes.IntegerType));
  }
}
