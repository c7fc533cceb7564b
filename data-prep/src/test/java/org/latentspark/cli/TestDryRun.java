package org.latentspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestDryRun {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final List<String> done = new ArrayList<>();

  /** Counts apples. */
  private class Counting implements Verb<Integer> {
    @Override
    public String name() {
      return "count";
    }

    @Override
    public String summary() {
      return "Counts.";
    }

    @Override
    public List<String> references() {
      return List.of("org/latentspark/cli/dry-run.conf");
    }

    @Override
    public Integer configure(Settings settings) {
      return settings.integer("apples", 1, 1000);
    }

    @Override
    public void run(Integer apples) {
      done.add(apples + " apples");
    }
  }

  /** Tells beforehand. */
  private final class Telling extends Counting {
    @Override
    public void outline(Integer apples, Outline outline) {
      if (apples == 13) {
        throw new InputException("13 apples are bad");
      }
      outline.tell("apples", "%s of them", apples);
      outline.time(apples, "apples");
    }
  }

  @Test
  void tellsAndDoesNothing() {
    assertThat(run(new Telling(), "--dry-run", "apples=20")).isZero();
    assertThat(done).isEmpty();
    assertThat(text(out))
        .startsWith("count would do this; nothing is done now:")
        .containsPattern("apples +20 of them")
        .containsPattern("time +not known: nothing was measured; --rate takes measured apples");
    assertThat(run(new Telling(), "apples=20")).isZero();
    assertThat(done).containsExactly("20 apples");
  }

  @Test
  void timeFollowsFromAGivenRateOnly() {
    assertThat(run(new Telling(), "--dry-run", "--rate=0.1", "apples=20")).isZero();
    assertThat(text(out)).containsPattern("time +3 min 20 s at the given 0.1 apples a second");
    for (String rate : List.of("0", "-1", "NaN", "Infinity", "many")) {
      assertThat(run(new Telling(), "--dry-run", "--rate=" + rate)).as(rate).isEqualTo(2);
    }
  }

  @Test
  void endsWithTheCodesOfARun() {
    assertThat(run(new Telling(), "--dry-run", "apples=0")).isEqualTo(2);
    assertThat(run(new Telling(), "--dry-run", "pears=1")).isEqualTo(2);
    assertThat(run(new Telling(), "--dry-run", "apples=13")).isEqualTo(3);
    assertThat(run(new Counting(), "--dry-run")).isEqualTo(2);
    assertThat(text(err)).contains("count: --dry-run: count has none");
    assertThat(done).isEmpty();
  }

  private int run(Verb<?> verb, String... arguments) {
    return Launcher.run(
        verb,
        arguments,
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  private static String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
