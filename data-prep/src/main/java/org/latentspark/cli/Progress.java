package org.latentspark.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A progress line on the standard error stream for long work: done, total, rate, time left.
 *
 * <p>A terminal sees one line that redraws itself; a log file gets a line at most every 10 s. May
 * be advanced from several threads.
 */
public final class Progress implements AutoCloseable {
  private static final int WIDTH = 110;
  private static final Duration REDRAW = Duration.ofMillis(500);
  private static final Duration LOG_EVERY = Duration.ofSeconds(10);

  private final ProgressBar bar;

  private Progress(ProgressBar bar) {
    this.bar = bar;
  }

  /**
   * Starts a progress line.
   *
   * @param task what is being done, such as "encode"
   * @param unit what is counted, such as "pairs"
   * @param total how many there are, or -1 if that is not known
   */
  public static Progress start(String task, String unit, long total) {
    return isTerminal()
        ? start(task, unit, total, new ConsoleProgressBarConsumer(System.err, WIDTH), REDRAW)
        : start(task, unit, total, System.err::println, LOG_EVERY);
  }

  static Progress start(
      String task, String unit, long total, Consumer<String> lines, Duration every) {
    AtomicReference<String> last = new AtomicReference<>();
    Consumer<String> trimmed =
        padded -> {
          String line = padded.stripTrailing();
          // The library draws its last line twice.
          if (!line.equals(last.getAndSet(line))) {
            lines.accept(line);
          }
        };
    return start(task, unit, total, new DelegatingProgressBarConsumer(trimmed, WIDTH), every);
  }

  private static Progress start(
      String task, String unit, long total, ProgressBarConsumer consumer, Duration every) {
    return new Progress(
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(total)
            .setUnit(" " + unit, 1)
            .showSpeed()
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(Math.toIntExact(every.toMillis()))
            .setConsumer(consumer)
            .build());
  }

  /** Whether the standard error stream is a terminal; the JDK can only say it of all three. */
  private static boolean isTerminal() {
    Path error = Path.of("/proc/self/fd/2");
    try {
      String target = Files.readSymbolicLink(error).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      return System.console() != null;
    }
  }

  /** Counts more items as done. */
  public void advance(long items) {
    bar.stepBy(items);
  }

  /** Sets how many items are done. */
  public void at(long done) {
    bar.stepTo(done);
  }

  /** Sets how many items there are, once that is known. */
  public void total(long items) {
    bar.maxHint(items);
  }

  /** Shows a short text at the end of the line, such as the loss. */
  public void note(String text) {
    // The library puts nothing between it and the rate.
    bar.setExtraMessage(" " + text);
  }

  /** Draws the line a last time and ends it. */
  @Override
  public void close() {
    bar.close();
  }
}
