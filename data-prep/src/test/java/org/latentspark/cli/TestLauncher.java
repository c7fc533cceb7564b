package org.latentspark.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestLauncher {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private Integer ranWith;

  /** What a run of the verb does; the verb's only freedom in these tests. */
  private interface Work {
    void run() throws Exception;
  }

  private final class Count implements Verb<Integer> {
    private final Work work;

    private Count(Work work) {
      this.work = work;
    }

    @Override
    public String name() {
      return "count";
    }

    @Override
    public String summary() {
      return "Counts to 100 %.";
    }

    @Override
    public List<String> references() {
      return List.of("org/latentspark/cli/base.conf");
    }

    @Override
    public Integer configure(Settings settings) {
      return settings.integer("steps", 1, 1000);
    }

    @Override
    public void run(Integer steps) throws Exception {
      ranWith = steps;
      work.run();
    }
  }

  private int run(Work work, String... arguments) {
    return Launcher.run(
        new Count(work),
        arguments,
        new PrintStream(out, true, UTF_8),
        new PrintStream(err, true, UTF_8));
  }

  private List<String> errors() {
    return err.toString(UTF_8)
        .lines()
        .filter(line -> !line.equals("count: run " + RunId.here()))
        .toList();
  }

  @Test
  void doneIsZero() {
    assertThat(run(() -> {}, "steps=5")).isZero();
    assertThat(ranWith).isEqualTo(5);
    assertThat(errors()).isEmpty();
    assertThat(err.toString(UTF_8)).isEqualTo("count: run " + RunId.here() + "\n");
  }

  @Test
  void readsTheConfigurationFile(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("x.conf"), "steps = 9");
    assertThat(run(() -> {}, "--conf", file.toString(), "rate=1")).isZero();
    assertThat(ranWith).isEqualTo(9);
  }

  @Test
  void helpListsEveryKeyWithDefaultAndMeaning() {
    assertThat(run(() -> {}, "--help")).isZero();
    assertThat(ranWith).isNull();
    assertThat(out.toString(UTF_8))
        .contains("Usage: count", "--conf=FILE", "key=value", "Counts to 100 %.")
        .contains("  averaging.frequency=10\n      Local steps between two averages.\n")
        .contains("  out=\n      Where the result goes.\n")
        .contains("  words=[\"a\",\"b\"]\n");
  }

  @Test
  void badUsageIsTwoAndStopsBeforeTheWork() {
    assertThat(run(() -> {}, "steps=0", "stps=1")).isEqualTo(2);
    assertThat(ranWith).isNull();
    assertThat(errors())
        .containsExactly(
            "count: stps = 1 (command line): is not a known key; did you mean steps?",
            "count: steps = 0 (command line): must be a whole number from 1 to 1000");
  }

  @Test
  void badOptionsAreTwo() {
    assertThat(run(() -> {}, "--steps=5")).isEqualTo(2);
    assertThat(run(() -> {}, "--conf")).isEqualTo(2);
    assertThat(run(() -> {}, "steps")).isEqualTo(2);
    assertThat(run(() -> {}, "@file")).isEqualTo(2);
    assertThat(ranWith).isNull();
  }

  @Test
  void badInputIsThreeAndAHeldOutputIsFour() {
    assertThat(run(() -> fail(new InputException("x.parquet: truncated")))).isEqualTo(3);
    assertThat(run(() -> fail(new HeldException("/out: held by pid 7")))).isEqualTo(4);
    assertThat(errors())
        .containsExactly("count: x.parquet: truncated", "count: /out: held by pid 7");
  }

  @Test
  void theCodeOfAWrappedFailureCounts() {
    Exception wrapped = new IOException("task failed", new InputException("row 3: no url"));
    assertThat(run(() -> fail(new RuntimeException(wrapped)))).isEqualTo(3);
    assertThat(errors()).containsExactly("count: row 3: no url");
  }

  @Test
  void anythingElseIsOneAndOneLine() {
    Exception cause = new IOException("disk full\nat trace line");
    assertThat(run(() -> fail(new IllegalStateException("round 3 failed", cause)))).isEqualTo(1);
    assertThat(errors())
        .containsExactly(
            "count: failed: round 3 failed; caused by: disk full",
            "count: LATENTSPARK_TRACE=1 shows the stack trace");
  }

  @Test
  void errorsOfTheMachineAreOneToo() {
    Work work =
        () -> {
          throw new UnsatisfiedLinkError("no libtorch");
        };
    assertThat(run(work)).isEqualTo(1);
    assertThat(errors().get(0)).isEqualTo("count: failed: no libtorch");
  }

  private static void fail(Exception failure) throws Exception {
    throw failure;
  }
}
