package org.latentspark.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.parquet.example.data.Group;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.train.TrainProcess;

/** Ten thousand prompts on two workers, of which one is killed. */
@Tag("slow")
@Tag("chaos")
@Timeout(1800)
class TestSampleOnCluster {
  private static final int PROMPTS = 10_000;

  @TempDir private Path folder;

  @Test
  void aKilledWorkerCostsNoPictureAndChangesNoByte() throws Exception {
    TinyModels.encoders(folder.resolve("encoders"));
    TinyModels.checkpoint(folder.resolve("checkpoint"));
    Files.writeString(
        folder.resolve("prompts.txt"),
        IntStream.range(0, PROMPTS)
            .mapToObj(number -> "red apple " + number)
            .collect(Collectors.joining("\n")));
    System.setProperty("spark.master", "local[1]");
    System.setProperty("spark.ui.enabled", "false");
    try {
      assertThat(Launcher.run(new SampleJob(), arguments("one").toArray(String[]::new))).isZero();
    } finally {
      System.clearProperty("spark.master");
      System.clearProperty("spark.ui.enabled");
    }
    Path own = Files.createDirectories(folder.resolve("process"));
    try (TrainProcess run =
        TrainProcess.start(
            own,
            SampleJob.class,
            List.of("-Dspark.master=local-cluster[2,1,1024]"),
            arguments("two"))) {
      Path started = folder.resolve("two/pictures/00002");
      run.await("pictures of the third thousand", () -> Files.exists(started));
      run.awaitExecutors(2).get(1).destroyForcibly();
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isZero();
      assertThat(run.log()).containsPattern("Lost executor|ExecutorLostFailure");
    }
    Map<String, Path> one = files("one");
    Map<String, Path> two = files("two");
    assertThat(one).hasSize(PROMPTS);
    assertThat(two.keySet()).isEqualTo(one.keySet());
    for (Map.Entry<String, Path> picture : one.entrySet()) {
      assertThat(Files.mismatch(picture.getValue(), two.get(picture.getKey())))
          .as(picture.getKey())
          .isEqualTo(-1);
    }
    List<Group> rows = PictureRecords.read(folder.resolve("two/record"));
    assertThat(rows.stream().map(row -> row.getString("file", 0)).sorted().toList())
        .isEqualTo(List.copyOf(two.keySet()));
  }

  /** Returns all files below pictures/ by their place in the output. */
  private Map<String, Path> files(String output) throws IOException {
    Path root = folder.resolve(output);
    try (Stream<Path> files = Files.walk(root.resolve("pictures"))) {
      return files
          .filter(Files::isRegularFile)
          .collect(
              Collectors.toMap(
                  file -> root.relativize(file).toString(),
                  file -> file,
                  (first, second) -> first,
                  TreeMap::new));
    }
  }

  private List<String> arguments(String output) {
    return List.of(
        "checkpoint=" + folder.resolve("checkpoint"),
        "encoders=" + folder.resolve("encoders"),
        "output=" + folder.resolve(output),
        "prompts-file=" + folder.resolve("prompts.txt"),
        "steps=1",
        "guidance-scale=1",
        "width=8",
        "height=8",
        "batch-size=40");
  }
}
