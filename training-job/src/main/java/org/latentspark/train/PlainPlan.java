package org.latentspark.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.Split;

/**
 * Batches of rows that all have one shape: the files are grouped anew for each epoch, and a batch
 * may begin in one window, or epoch, and end in the next.
 */
final class PlainPlan implements BatchPlan {
  private final Share share;
  private final Split split;
  private final long count;
  private Epoch epoch;
  private Window ordered;
  private int[] order;

  /** The windows of an epoch, and how many rows are before each, and before the end. */
  private record Epoch(long number, List<List<DataFile>> windows, long[] starts) {}

  /** Plans for a share of {@code count} rows. */
  PlainPlan(Share share, Split split, long count) {
    this.share = share;
    this.split = split;
    this.count = count;
  }

  @Override
  public List<Part> parts(long position, int size) {
    List<Part> parts = new ArrayList<>();
    long at = position;
    while (at < position + size) {
      Epoch now = epoch(at / count);
      int number = window(now, at % count);
      long start = now.number() * count + now.starts()[number];
      long end = Math.min(now.number() * count + now.starts()[number + 1], position + size);
      int[] places =
          Arrays.copyOfRange(
              order(new Window(now.number(), number)), (int) (at - start), (int) (end - start));
      parts.add(new Part(ordered, 0, places));
      at = end;
    }
    return parts;
  }

  private static int window(Epoch epoch, long offset) {
    int place = Arrays.binarySearch(epoch.starts(), offset);
    // Windows may be empty: the last of those that start here is the one with rows.
    while (place >= 0 && epoch.starts()[place + 1] == offset) {
      place++;
    }
    return place >= 0 ? place : -place - 2;
  }

  private int[] order(Window window) {
    if (!window.equals(ordered)) {
      long[] starts = epoch(window.epoch()).starts();
      int rows = Math.toIntExact(starts[window.number() + 1] - starts[window.number()]);
      order =
          Shuffle.of(
              rows,
              share.isResident()
                  ? share.derive(window.epoch())
                  : share.derive(ROWS, window.epoch(), window.number()));
      ordered = window;
    }
    return order;
  }

  @Override
  public List<DataFile> files(Window window) {
    return epoch(window.epoch()).windows().get(window.number());
  }

  @Override
  public Window after(Window window) {
    return window.number() + 1 < epoch(window.epoch()).windows().size()
        ? new Window(window.epoch(), window.number() + 1)
        : new Window(window.epoch() + 1, 0);
  }

  private Epoch epoch(long number) {
    if (epoch == null || epoch.number() != number) {
      epoch =
          share.isResident()
              ? new Epoch(number, List.of(List.of()), new long[] {0, count})
              : shuffled(number);
    }
    return epoch;
  }

  private Epoch shuffled(long number) {
    List<List<DataFile>> windows =
        BatchPlan.windows(
            share.files(), share.bytes(), share.windowBytes(), share.derive(FILES, number));
    long[] starts = new long[windows.size() + 1];
    for (int window = 0; window < windows.size(); window++) {
      starts[window + 1] =
          starts[window] + windows.get(window).stream().mapToLong(file -> file.rows(split)).sum();
    }
    return new Epoch(number, windows, starts);
  }
}
