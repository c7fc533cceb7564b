package org.latentspark.pairs;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.isnan;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.when;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.latentspark.cli.InputException;

/**
 * Finds the columns of a table by alias, without case, and turns them into those of {@link
 * PairRecord#SCHEMA}.
 */
final class MetadataColumns {
  private static final String NONE = null;

  private final String file;
  private final StructType schema;
  private final List<String> present;

  private MetadataColumns(String file, StructType schema) {
    this.file = file;
    this.schema = schema;
    this.present = List.of(schema.fieldNames());
  }

  /**
   * Returns the pairs of {@code table}.
   *
   * @param file one of the table's files, for messages
   * @throws InputException if there is no caption among the columns, or neither URL nor image
   */
  static Dataset<Row> pairs(Dataset<Row> table, String file) {
    MetadataColumns columns = new MetadataColumns(file, table.schema());
    return columns
        .image()
        .map(image -> columns.select(table, image, image.isNull()))
        .orElseGet(() -> columns.select(table, noImage(), lit(false)));
  }

  /**
   * Returns what img2dataset's table beside an archive or a folder says of the pairs that are not
   * in it, because they could not be fetched; those that are in it are left out.
   */
  static Dataset<Row> failures(Dataset<Row> table, String file) {
    MetadataColumns columns = new MetadataColumns(file, table.schema());
    Column failed =
        columns
            .find(MetadataField.STATUS)
            .map(status -> not(text(status).eqNullSafe("success")))
            .orElse(lit(false));
    return columns.select(table.filter(failed), noImage(), lit(true));
  }

  private Dataset<Row> select(Dataset<Row> table, Column image, Column missing) {
    Column url = url();
    Column caption = text(required("caption", MetadataField.CAPTION));
    Column identity = concat(coalesce(url, lit("")), lit("\n"), coalesce(caption, lit("")));
    Column[] columns = {
      substring(sha2(identity.cast(DataTypes.BinaryType), 256), 1, PairRecord.KEY_DIGITS),
      url,
      caption,
      side(MetadataField.WIDTH),
      side(MetadataField.HEIGHT),
      optionalText(MetadataField.LANGUAGE),
      optionalText(MetadataField.NSFW),
      number(MetadataField.SIMILARITY),
      number(MetadataField.UNSAFE),
      number(MetadataField.WATERMARK),
      number(MetadataField.AESTHETIC),
      lit(NONE).cast(DataTypes.StringType),
      image,
      when(missing, lit(SourceFault.MISSING_IMAGE.code())),
      when(
          missing,
          concat_ws(": ", optionalText(MetadataField.STATUS), optionalText(MetadataField.ERROR)))
    };
    String[] names = PairRecord.SCHEMA.fieldNames();
    for (int i = 0; i < columns.length; i++) {
      columns[i] = columns[i].as(names[i]);
    }
    return table.select(columns);
  }

  /** An image that came without a URL goes by its file and its content. */
  private Column url() {
    if (find(MetadataField.URL).isEmpty() && image().isPresent()) {
      return concat(input_file_name(), lit("#"), substring(sha2(image().get(), 256), 1, 16));
    }
    return text(required("URL", MetadataField.URL));
  }

  /** The column of image files: bytes, or as Hugging Face has them a struct that holds bytes. */
  private Optional<Column> image() {
    return MetadataField.IMAGE.aliases().stream()
        .flatMap(alias -> present.stream().filter(alias::equalsIgnoreCase))
        .flatMap(column -> bytes(column).stream())
        .findFirst();
  }

  private Optional<Column> bytes(String column) {
    DataType type = schema.apply(column).dataType();
    if (type.equals(DataTypes.BinaryType)) {
      return Optional.of(quoted(column));
    }
    return type instanceof StructType struct && Arrays.asList(struct.fieldNames()).contains("bytes")
        ? Optional.of(quoted(column).getField("bytes").cast(DataTypes.BinaryType))
        : Optional.empty();
  }

  private static Column noImage() {
    return lit(NONE).cast(DataTypes.BinaryType);
  }

  private String required(String what, MetadataField field) {
    return find(field)
        .orElseThrow(
            () ->
                new InputException(
                    "%s: no %s column; it is known as %s (in any case), the file has %s"
                        .formatted(file, what, field.aliases(), present)));
  }

  private Optional<String> find(MetadataField field) {
    return field.find(present);
  }

  private static Column quoted(String column) {
    return col("`" + column.replace("`", "``") + "`");
  }

  private static Column text(String column) {
    return quoted(column).cast(DataTypes.StringType);
  }

  private Column optionalText(MetadataField field) {
    return find(field)
        .map(MetadataColumns::text)
        .orElseGet(() -> lit(NONE).cast(DataTypes.StringType));
  }

  /** A score as a double; a missing column and NaN are null. */
  private Column number(MetadataField field) {
    Optional<String> column = find(field);
    if (column.isEmpty()) {
      return lit(NONE).cast(DataTypes.DoubleType);
    }
    Column value = quoted(column.get()).cast(DataTypes.DoubleType);
    return when(isnan(value), lit(NONE)).otherwise(value);
  }

  /** A side in pixels; what cannot be one, such as NaN or -1, is null: not known. */
  private Column side(MetadataField field) {
    Column value = number(field);
    return when(value.between(1, Integer.MAX_VALUE), value.cast(DataTypes.IntegerType))
        .otherwise(lit(NONE).cast(DataTypes.IntegerType));
  }
}
