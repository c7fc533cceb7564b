package org.latentspark.sample;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.FileSystems;

/**
 * The prompts of a run, one after the other and in an order that no cluster changes: those of the
 * command line, then the rows of the files in the order of their names. Files may hold millions.
 */
final class PromptSource {
  private static final String PROMPT = "prompt";
  private static final String NEGATIVE = "negative_prompt";
  private static final String SEED = "seed";
  private static final StructType COLUMNS =
      StructType.fromDDL("prompt STRING, negative_prompt STRING, seed STRING");
  private static final List<String> ENDINGS =
      List.of(".txt", ".csv", ".tsv", ".jsonl", ".json", ".parquet");

  private final SparkSession spark;
  private final List<String> prompts;
  private final String negativePrompt;
  private final List<Path> files;

  /** Takes each prompt with where it stands, such as {@code prompts.csv, row 7}. */
  interface Reader {
    void accept(Prompt prompt, String place) throws IOException;
  }

  private PromptSource(
      SparkSession spark, List<String> prompts, String negativePrompt, List<Path> files) {
    this.spark = spark;
    this.prompts = prompts;
    this.negativePrompt = negativePrompt;
    this.files = files;
  }

  /**
   * Finds the prompts.
   *
   * @param prompts of the command line
   * @param file text (a prompt a line), CSV, TSV, JSON lines or Parquet with a column {@code
   *     prompt} and, where wanted, {@code negative_prompt} and {@code seed}; or a folder of them;
   *     "" for none
   * @param negativePrompt of the prompts that have none of their own
   * @throws InputException when there is no such file, or of another kind
   */
  static PromptSource open(
      SparkSession spark, List<String> prompts, String file, String negativePrompt)
      throws IOException {
    return new PromptSource(
        spark,
        prompts,
        negativePrompt,
        file.isEmpty()
            ? List.of()
            : files(new Path(file), spark.sparkContext().hadoopConfiguration()));
  }

  /** Returns the files of prompts; {@link #open} says what they may be. */
  static List<Path> files(Path file, Configuration configuration) throws IOException {
    FileSystem fileSystem = FileSystems.of(file, configuration);
    List<Path> files = new ArrayList<>();
    try {
      FileStatus[] found = fileSystem.listStatus(file);
      Arrays.sort(found);
      for (FileStatus status : found) {
        String name = status.getPath().getName();
        if (status.isFile() && !name.startsWith(".") && !name.startsWith("_")) {
          files.add(status.getPath());
        }
      }
    } catch (FileNotFoundException e) {
      throw new InputException("prompts-file = " + file + ": there is no such file", e);
    }
    if (files.isEmpty()) {
      throw new InputException("prompts-file = " + file + ": the folder holds no file");
    }
    for (Path path : files) {
      if (ENDINGS.stream().noneMatch(ending(path)::equals)) {
        throw new InputException(
            "prompts-file = %s: must end in %s, or in one of these and .gz"
                .formatted(path, String.join(", ", ENDINGS)));
      }
    }
    return files;
  }

  private static String ending(Path path) {
    String name = path.getName().toLowerCase(Locale.ROOT).replaceAll("\\.gz$", "");
    return name.substring(Math.max(0, name.lastIndexOf('.')));
  }

  /** Hands every prompt to {@code reader}, in order. */
  void read(Reader reader) throws IOException {
    for (int i = 0; i < prompts.size(); i++) {
      reader.accept(new Prompt(prompts.get(i), negativePrompt, null), "prompts, item " + (i + 1));
    }
    for (Path file : files) {
      long row = 0;
      // Spark cuts a file into parts in the order of its rows, and hands part by part over.
      for (var rows = rows(file).toLocalIterator(); rows.hasNext(); ) {
        row++;
        String place = file.getName() + ", row " + row;
        Prompt prompt = prompt(rows.next(), place);
        if (!(ending(file).equals(".txt") && prompt.text().isEmpty())) {
          reader.accept(prompt, place);
        }
      }
    }
  }

  private Dataset<Row> rows(Path file) {
    String path = file.toString().replaceAll("[\\\\{}\\[\\]*?]", "\\\\$0");
    return switch (ending(file)) {
      case ".txt" -> spark.read().text(path).toDF(PROMPT);
      case ".parquet" -> required(spark.read().parquet(path), file);
      case ".json", ".jsonl" -> spark.read().schema(COLUMNS).json(path);
      default ->
          required(
              spark
                  .read()
                  .option("header", true)
                  .option("multiLine", true)
                  .option("escape", "\"")
                  .option("sep", ending(file).equals(".tsv") ? "\t" : ",")
                  .csv(path),
              file);
    };
  }

  private static Dataset<Row> required(Dataset<Row> rows, Path file) {
    List<String> names = List.of(rows.columns());
    if (names.stream().noneMatch(PROMPT::equalsIgnoreCase)) {
      throw new InputException(
          "prompts-file = %s: has no column %s; its columns are %s"
              .formatted(file, PROMPT, String.join(", ", names)));
    }
    List<String> wanted =
        names.stream()
            .filter(
                name ->
                    Arrays.stream(COLUMNS.fields())
                        .map(StructField::name)
                        .anyMatch(name::equalsIgnoreCase))
            .toList();
    return rows.selectExpr(wanted.stream().map(name -> "`" + name + "`").toArray(String[]::new));
  }

  private Prompt prompt(Row row, String place) {
    String negative = text(row, NEGATIVE);
    String seed = text(row, SEED);
    try {
      return new Prompt(
          text(row, PROMPT).strip(),
          negative.isBlank() ? negativePrompt : negative.strip(),
          seed.isBlank() ? null : Long.valueOf(seed.strip()));
    } catch (NumberFormatException e) {
      throw new InputException(place + ": seed = " + seed + ": must be a whole number", e);
    }
  }

  private static String text(Row row, String column) {
    String[] names = row.schema().fieldNames();
    for (int i = 0; i < names.length; i++) {
      if (names[i].equalsIgnoreCase(column) && !row.isNullAt(i)) {
        return row.get(i).toString();
      }
    }
    return "";
  }
}
