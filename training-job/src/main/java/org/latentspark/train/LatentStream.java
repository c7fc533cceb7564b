package org.latentspark.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Settings;
import org.latentspark.latents.Bucket;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;
import org.latentspark.tensor.BackgroundThreads;

/**
 * One worker's share of a split, shuffled anew for each epoch, in bounded memory.
 *
 * <p>A share that fits stays in memory. Of a larger one the worker has every n-th file; an epoch
 * goes through its files in a random order, a few at a time, and through the rows of those few in a
 * random order. What stands at a position follows from seed, worker and position alone, so that a
 * position is all there is to save, and any can be gone to at the cost of reading a few files. The
 * files of the next few are read while those before are in use.
 *
 * <p>Of a data set with buckets each batch is of one, see {@link BucketPlan}.
 */
final class LatentStream implements AutoCloseable {
  private static final long FLIP = 5;

  private final LatentDataset dataset;
  private final Split split;
  private final BatchPlan.Share share;
  private final DamageBudget budget;
  private final LatentRows resident;
  private final BatchPlan plan;
  private final long count;
  private final ExecutorService reader = BackgroundThreads.one("read-latents");

  private Loaded current;
  private Loaded next;

  /**
   * How much a worker may hold and bear.
   *
   * @param bufferBytes memory for rows, beyond which a share is read file by file
   * @param damagedFiles files of the share that may be unreadable
   */
  record Limits(long bufferBytes, int damagedFiles) implements Serializable {
    private static final long serialVersionUID = 1;

    /** Reads the keys {@code data.*}. */
    static Limits read(Settings settings) {
      return new Limits(
          settings.bytes("data.buffer"), settings.integer("data.damaged-files", 0, 1_000_000));
    }

    /** Returns how many held-out rows a worker's share may be drawn from: the first by key. */
    long heldOutRows(Manifest manifest, int workers) {
      return Math.max(workers, workers * (bufferBytes / 4 / LatentRows.rowBytes(manifest)));
    }
  }

  /** A window, and its rows or the promise of them. */
  private record Loaded(BatchPlan.Window window, Future<LatentRows> rows) {}

  private LatentStream(
      LatentDataset dataset, Split split, int rank, int workers, long seed, Limits limits) {
    this.dataset = dataset;
    this.split = split;
    this.budget = new DamageBudget(limits.damagedFiles());
    Manifest manifest = dataset.manifest();
    long rowBytes = LatentRows.rowBytes(manifest);
    long rows = manifest.rows(split);
    List<DataFile> files;
    if ((rows + workers - 1) / workers * rowBytes <= limits.bufferBytes()) {
      resident = LatentRows.share(dataset, split, rank, workers, rows, budget);
      files = List.of();
      count = resident.count();
    } else {
      resident = null;
      files = every(dataset.files(), rank, workers);
      count = files.stream().mapToLong(file -> file.rows(split)).sum();
    }
    this.share =
        new BatchPlan.Share(
            seed,
            rank,
            files,
            files.stream().mapToLong(file -> file.rows(split) * rowBytes).toArray(),
            limits.bufferBytes() / 2);
    this.plan = plan(manifest.layout().buckets());
  }

  private BatchPlan plan(List<Bucket> buckets) {
    if (buckets.isEmpty()) {
      return new PlainPlan(share, split, count);
    }
    if (resident == null) {
      return BucketPlan.ofFiles(share, buckets);
    }
    return BucketPlan.ofRows(
        share,
        IntStream.range(0, buckets.size()).map(bucket -> resident.rowsOf(bucket).size()).toArray());
  }

  /**
   * Opens the share of worker {@code rank} of {@code workers}, which is empty where there are fewer
   * rows, or files of a large data set, than workers.
   *
   * @throws InputException if too many of the share's files are damaged
   */
  static LatentStream open(
      LatentDataset dataset, Split split, int rank, int workers, long seed, Limits limits) {
    return new LatentStream(dataset, split, rank, workers, seed, limits);
  }

  private static List<DataFile> every(List<DataFile> all, int rank, int workers) {
    List<DataFile> own = new ArrayList<>();
    for (int index = rank; index < all.size(); index += workers) {
      own.add(all.get(index));
    }
    return own;
  }

  /** Returns how many rows an epoch has. */
  long count() {
    return count;
  }

  /** Returns how many files could not be read so far. */
  int damagedFiles() {
    return budget.count();
  }

  /**
   * Returns the batch at {@code position}, counted from the start of the first epoch and on through
   * all epochs: {@code size} rows, or, with buckets, up to as many. Any thread may ask for it.
   *
   * @param position with buckets, a multiple of {@code size}
   * @throws InputException if too many files are damaged
   */
  synchronized LatentBatch batch(long position, int size) {
    List<LatentBatch> parts = new ArrayList<>();
    long at = position;
    for (BatchPlan.Part part : plan.parts(position, size)) {
      LatentRows rows = rows(go(part.window()));
      List<Integer> own = own(rows, part.bucket());
      // Where rows could not be read, others of the window stand in; all places keep.
      long[] chosen =
          Arrays.stream(part.places()).mapToLong(place -> own.get(place % own.size())).toArray();
      parts.add(rows.batch(chosen, drawn(at, chosen.length, rows.encodings())));
      at += chosen.length;
    }
    return LatentBatch.joined(parts);
  }

  /** Draws which of its latents each example shows, by the example's position. */
  private int[] drawn(long position, int count, int encodings) {
    int[] drawn = new int[count];
    if (encodings > 1) {
      Arrays.setAll(
          drawn,
          index -> (int) Long.remainderUnsigned(share.derive(FLIP, position + index), encodings));
    }
    return drawn;
  }

  /** Returns the rows of a bucket, or, if none of them can be read, those of the largest. */
  private static List<Integer> own(LatentRows rows, int bucket) {
    List<Integer> own = rows.rowsOf(bucket);
    return own.isEmpty() ? rows.mostOfOneBucket() : own;
  }

  /** Makes a window the current one and has the one after it read. */
  private Loaded go(BatchPlan.Window window) {
    if (current != null && current.window().equals(window)) {
      return current;
    }
    discard(current);
    if (next != null && next.window().equals(window)) {
      current = next;
    } else {
      discard(next);
      current = start(window);
    }
    next = resident == null ? start(plan.after(window)) : null;
    return current;
  }

  private Loaded start(BatchPlan.Window window) {
    if (resident != null) {
      return new Loaded(window, CompletableFuture.completedFuture(resident));
    }
    List<DataFile> files = plan.files(window);
    return new Loaded(window, reader.submit(() -> LatentRows.files(dataset, split, files, budget)));
  }

  private LatentRows rows(Loaded window) {
    LatentRows rows = await(window.rows());
    if (rows.count() == 0 && next != null) {
      // Nothing of these files can be read: those after them stand in.
      rows = await(next.rows());
    }
    if (rows.count() == 0) {
      throw new InputException(
          "%s: too many files in a row cannot be read".formatted(dataset.directory()));
    }
    return rows;
  }

  private static LatentRows await(Future<LatentRows> rows) {
    try {
      return rows.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof InputException damage) {
        throw damage;
      }
      throw new IllegalStateException("latents could not be read", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while latents were read", e);
    }
  }

  private void discard(Loaded window) {
    if (window != null && resident == null) {
      // The reader works in order: what is being read is complete before it is given back.
      reader.execute(() -> closeQuietly(window.rows()));
    }
  }

  private static void closeQuietly(Future<LatentRows> rows) {
    try {
      rows.get().close();
    } catch (ExecutionException | InterruptedException e) {
      // What was not read holds no memory, and was told when it was asked for.
    }
  }

  @Override
  public void close() {
    discard(current);
    discard(next);
    reader.shutdown();
    if (resident != null) {
      resident.close();
    }
  }
}
