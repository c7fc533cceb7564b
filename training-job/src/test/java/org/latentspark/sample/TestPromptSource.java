package org.latentspark.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;

class TestPromptSource {
  private static SparkSession spark;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            // Small parts, so that the order of many is seen.
            .config("spark.sql.files.maxPartitionBytes", "1000")
            .config("spark.sql.files.openCostInBytes", "1")
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  @Test
  void readsEveryFormatAlike() throws IOException {
    List<Prompt> expected =
        List.of(
            new Prompt("a \"red\" apple, ripe", "", 7L), new Prompt("gr\u00fcn", "blue car", null));
    write(
        "rows.csv",
        "seed,prompt,negative_prompt\n7,\"a \"\"red\"\" apple, ripe\",\n,gr\u00fcn,blue car\n");
    write(
        "rows.tsv",
        "prompt\tSeed\tnegative_prompt\na \"red\" apple, ripe\t7\t\ngr\u00fcn\t\tblue car\n");
    write(
        "rows.jsonl",
        "{\"prompt\": \"a \\\"red\\\" apple, ripe\", \"seed\": 7, \"more\": [1]}\n"
            + "{\"negative_prompt\": \"blue car\", \"prompt\": \"gr\u00fcn\"}\n");
    spark
        .createDataFrame(
            List.of(
                RowFactory.create(7L, "a \"red\" apple, ripe", null),
                RowFactory.create(null, "gr\u00fcn", "blue car")),
            StructType.fromDDL("seed BIGINT, prompt STRING, negative_prompt STRING"))
        .coalesce(1)
        .write()
        .parquet(folder.resolve("rows.parquet").toString());
    for (String name : List.of("rows.csv", "rows.tsv", "rows.jsonl", "rows.parquet")) {
      assertThat(read(name, "")).as(name).isEqualTo(expected);
    }
  }

  @Test
  void keepsTheOrderOfManyRowsAndFiles() throws IOException {
    Path files = Files.createDirectories(folder.resolve("many"));
    List<String> expected = new ArrayList<>();
    for (int file = 0; file < 3; file++) {
      StringBuilder lines = new StringBuilder();
      // The last file is the largest, which Spark by itself would read first.
      for (int row = 0; row < 200 * (file + 1); row++) {
        lines.append("prompt ").append(file).append(' ').append(row).append("\n\n");
        expected.add("prompt " + file + " " + row);
      }
      Files.writeString(files.resolve("part-" + file + ".txt"), lines);
    }
    Files.writeString(files.resolve("_SUCCESS"), "");
    assertThat(read("many", "").stream().map(Prompt::text)).isEqualTo(expected);
  }

  @Test
  void readsCompressedFilesAndGivesTheRunsNegativePromptToRowsWithoutOne() throws IOException {
    try (OutputStream out =
        new GZIPOutputStream(Files.newOutputStream(folder.resolve("rows.txt.gz")))) {
      out.write("red apple\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(read("rows.txt.gz", "blurred"))
        .containsExactly(new Prompt("red apple", "blurred", null));
  }

  @Test
  void refusesWhatHoldsNoPromptsByName() throws IOException {
    write("no-column.csv", "text,seed\nred apple,1\n");
    write("bad-seed.csv", "prompt,seed\nred apple,one\n");
    write("table.xlsx", "");
    Files.createDirectories(folder.resolve("empty"));
    refused("no-column.csv", "has no column prompt; its columns are text, seed");
    refused("bad-seed.csv", "bad-seed.csv, row 1: seed = one: must be a whole number");
    refused("table.xlsx", "must end in .txt, .csv");
    refused("empty", "the folder holds no file");
    refused("gone.txt", "there is no such file");
  }

  private void refused(String name, String message) {
    assertThatThrownBy(() -> read(name, ""))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  private List<Prompt> read(String name, String negative) throws IOException {
    List<Prompt> prompts = new ArrayList<>();
    PromptSource.open(spark, List.of(), folder.resolve(name).toString(), negative)
        .read((prompt, place) -> prompts.add(prompt));
    return prompts;
  }
}
