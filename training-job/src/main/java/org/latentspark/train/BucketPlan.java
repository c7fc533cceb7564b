package org.latentspark.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.latentspark.latents.Bucket;
import org.latentspark.latents.DataFile;

/**
 * Batches of rows of one bucket each.
 *
 * <p>The files are grouped once, into windows whose order each epoch draws anew. In a window the
 * rows of each bucket are shuffled and cut into batches, the last of which has what is left, and
 * the batches of all buckets are shuffled. So an epoch has each row once, and all epochs have as
 * many batches: where a batch stands follows from its number alone.
 */
final class BucketPlan implements BatchPlan {
  private static final long WINDOWS = 3;
  private static final long BATCHES = 4;

  /** No epoch: the grouping is that of all. */
  private static final long ALL = -1;

  private final Share share;
  private final List<List<DataFile>> windows;
  private final int[][] counts;
  private long ordered = -1;
  private int[] order;
  private Window cut;
  private int cutSize;
  private List<Part> batches;

  private BucketPlan(Share share, List<List<DataFile>> windows, int[][] counts) {
    this.share = share;
    this.windows = windows;
    this.counts = counts;
  }

  /** Plans for files whose training rows are counted by bucket. */
  static BucketPlan ofFiles(Share share, List<Bucket> buckets) {
    List<List<DataFile>> windows =
        BatchPlan.windows(
            share.files(), share.bytes(), share.windowBytes(), share.derive(FILES, ALL));
    int[][] counts = new int[windows.size()][buckets.size()];
    for (int window = 0; window < counts.length; window++) {
      for (DataFile file : windows.get(window)) {
        for (int bucket = 0; bucket < buckets.size(); bucket++) {
          counts[window][bucket] +=
              Math.toIntExact(
                  file.trainRowsByBucket().getOrDefault(buckets.get(bucket).code(), 0L));
        }
      }
    }
    return new BucketPlan(share, windows, counts);
  }

  /** Plans for a share in memory with {@code rows} of each bucket. */
  static BucketPlan ofRows(Share share, int[] rows) {
    return new BucketPlan(share, List.of(List.of()), new int[][] {rows});
  }

  /** Returns how many batches of {@code size} an epoch has. */
  long steps(int size) {
    return Arrays.stream(counts).mapToLong(window -> batches(window, size)).sum();
  }

  private static long batches(int[] rows, int size) {
    return Arrays.stream(rows).mapToLong(count -> (count + size - 1) / size).sum();
  }

  /** {@inheritDoc} A batch has fewer rows where it is the last of its bucket in a window. */
  @Override
  public List<Part> parts(long position, int size) {
    if (position % size != 0) {
      throw new IllegalArgumentException(
          "position %d is not at the start of a batch of %d".formatted(position, size));
    }
    long step = position / size;
    long steps = steps(size);
    long epoch = step / steps;
    long offset = step % steps;
    int number = 0;
    for (int window : order(epoch)) {
      long here = batches(counts[window], size);
      if (offset < here) {
        break;
      }
      offset -= here;
      number++;
    }
    return List.of(cut(new Window(epoch, number), size).get((int) offset));
  }

  /** Returns the batches of a window in their order. */
  private List<Part> cut(Window window, int size) {
    if (!window.equals(cut) || size != cutSize) {
      List<Part> all = new ArrayList<>();
      int[] rows = counts[order(window.epoch())[window.number()]];
      for (int bucket = 0; bucket < rows.length; bucket++) {
        long seed = share.derive(ROWS, window.epoch(), window.number(), bucket);
        int[] places = Shuffle.of(rows[bucket], seed);
        for (int from = 0; from < places.length; from += size) {
          int to = Math.min(places.length, from + size);
          all.add(new Part(window, bucket, Arrays.copyOfRange(places, from, to)));
        }
      }
      long seed = share.derive(BATCHES, window.epoch(), window.number());
      batches = Arrays.stream(Shuffle.of(all.size(), seed)).mapToObj(all::get).toList();
      cut = window;
      cutSize = size;
    }
    return batches;
  }

  private int[] order(long epoch) {
    if (epoch != ordered) {
      order = Shuffle.of(windows.size(), share.derive(WINDOWS, epoch));
      ordered = epoch;
    }
    return order;
  }

  @Override
  public List<DataFile> files(Window window) {
    return windows.get(order(window.epoch())[window.number()]);
  }

  @Override
  public Window after(Window window) {
    return window.number() + 1 < windows.size()
        ? new Window(window.epoch(), window.number() + 1)
        : new Window(window.epoch() + 1, 0);
  }
}
