package org.latentspark.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Settings;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;

/**
 * One worker's share of a split, shuffled anew for each epoch, in bounded memory.
 *
 * <p>A share that fits stays in memory. Of a larger one the worker has every n-th file; an epoch
 * goes through its files in a random order, a few at a time, and through the rows of those few in a
 * random order. What stands at a position follows from seed, worker and position alone, so that a
 * position is all there is to save, and any can be gone to at the cost of reading a few files. The
 * files of the next few are read while those before are in use.
 */
final class LatentStream implements AutoCloseable {
  private static final long FILES = 1;
  private static final long ROWS = 2;

  private final LatentDataset dataset;
  private final Split split;
  private final int rank;
  private final long seed;
  private final long windowBytes;
  private final DamageBudget budget;
  private final List<DataFile> files;
  private final LatentRows resident;
  private final long count;
  private final ExecutorService reader =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread thread = new Thread(work, "read-latents");
            thread.setDaemon(true);
            return thread;
          });

  private Window current;
  private Window next;
  private EpochPlan plan;

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

  /**
   * Some rows.
   *
   * @param mean of the posterior, fp32 [B, C, h, w]
   * @param std of the posterior, the same shape
   * @param text the captions' last hidden states, fp32 [B, T, D]
   * @param ends places of the captions' end tokens, int64 [B]
   * @param keys the rows' keys
   */
  record Batch(Tensor mean, Tensor std, Tensor text, Tensor ends, List<String> keys) {}

  /** The order of one epoch: files, cut into windows that are in memory together. */
  private record EpochPlan(long epoch, List<List<DataFile>> windows, long[] starts) {}

  /** A window's rows, or the promise of them, and their order. */
  private record Window(long epoch, int number, Future<LatentRows> rows, int[] order) {}

  private LatentStream(
      LatentDataset dataset, Split split, int rank, int workers, long seed, Limits limits) {
    this.dataset = dataset;
    this.split = split;
    this.rank = rank;
    this.seed = seed;
    this.windowBytes = limits.bufferBytes() / 2;
    this.budget = new DamageBudget(limits.damagedFiles());
    long rowBytes = LatentRows.rowBytes(dataset.manifest());
    long rows = dataset.manifest().rows(split);
    if ((rows + workers - 1) / workers * rowBytes <= limits.bufferBytes()) {
      resident = LatentRows.share(dataset, split, rank, workers, rows, budget);
      files = List.of();
      count = resident.count();
    } else {
      resident = null;
      files = every(dataset.files(), rank, workers);
      count = files.stream().mapToLong(file -> file.rows(split)).sum();
    }
    if (count == 0) {
      throw new InputException(
          "%s has too few training pairs for %d workers: none for %d"
              .formatted(dataset.directory(), workers, rank));
    }
  }

  /**
   * Opens the share of worker {@code rank} of {@code workers}.
   *
   * @throws InputException if the share is empty, or too many of its files are damaged
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
   * Returns the rows at {@code position} and after it, counted from the start of the first epoch
   * and on through all epochs.
   *
   * @throws InputException if too many files are damaged
   */
  Batch batch(long position, int size) {
    List<Batch> parts = new ArrayList<>();
    long at = position;
    while (at < position + size) {
      long epoch = at / count;
      EpochPlan order = plan(epoch);
      int number = window(order, at % count);
      long start = epoch * count + order.starts()[number];
      long end = Math.min(epoch * count + order.starts()[number + 1], position + size);
      parts.add(part(go(epoch, number), at - start, end - at));
      at = end;
    }
    return parts.size() == 1 ? parts.get(0) : joined(parts);
  }

  private static int window(EpochPlan order, long offset) {
    int place = Arrays.binarySearch(order.starts(), offset);
    // Windows may be empty: the last of those that start here is the one with rows.
    while (place >= 0 && order.starts()[place + 1] == offset) {
      place++;
    }
    return place >= 0 ? place : -place - 2;
  }

  private Batch part(Window window, long offset, long length) {
    LatentRows rows = rows(window);
    long[] indices = new long[Math.toIntExact(length)];
    for (int index = 0; index < indices.length; index++) {
      // Where rows could not be read, others of the window stand in, and all other places keep.
      indices[index] = window.order()[Math.toIntExact(offset + index)] % rows.count();
    }
    Tensor selected = Tensors.of(indices, indices.length);
    TensorVector posterior = rows.posterior(selected);
    List<String> keys =
        Arrays.stream(indices).mapToObj(index -> rows.keys().get((int) index)).toList();
    return new Batch(
        posterior.get(0), posterior.get(1), rows.text(selected), rows.ends(selected), keys);
  }

  private static Batch joined(List<Batch> parts) {
    return new Batch(
        cat(parts.stream().map(Batch::mean).toList()),
        cat(parts.stream().map(Batch::std).toList()),
        cat(parts.stream().map(Batch::text).toList()),
        cat(parts.stream().map(Batch::ends).toList()),
        parts.stream().flatMap(part -> part.keys().stream()).toList());
  }

  private static Tensor cat(List<Tensor> parts) {
    return torch.cat(new TensorVector(parts.toArray(Tensor[]::new)), 0);
  }

  private EpochPlan plan(long epoch) {
    if (plan == null || plan.epoch() != epoch) {
      plan = resident == null ? shuffled(epoch) : whole(epoch);
    }
    return plan;
  }

  private EpochPlan whole(long epoch) {
    return new EpochPlan(epoch, List.of(List.of()), new long[] {0, count});
  }

  private EpochPlan shuffled(long epoch) {
    long rowBytes = LatentRows.rowBytes(dataset.manifest());
    List<List<DataFile>> windows = new ArrayList<>();
    List<Long> starts = new ArrayList<>();
    long rows = 0;
    long bytes = Long.MAX_VALUE;
    for (int index : Shuffle.of(files.size(), Seeds.derive(seed, rank, FILES, epoch))) {
      DataFile file = files.get(index);
      long fileBytes = file.rows(split) * rowBytes;
      if (bytes == Long.MAX_VALUE || bytes + fileBytes > windowBytes) {
        windows.add(new ArrayList<>());
        starts.add(rows);
        bytes = 0;
      }
      windows.get(windows.size() - 1).add(file);
      bytes += fileBytes;
      rows += file.rows(split);
    }
    starts.add(rows);
    return new EpochPlan(epoch, windows, starts.stream().mapToLong(Long::longValue).toArray());
  }

  /** Makes a window the current one and has the one after it read. */
  private Window go(long epoch, int number) {
    if (is(current, epoch, number)) {
      return current;
    }
    discard(current);
    if (is(next, epoch, number)) {
      current = next;
    } else {
      discard(next);
      current = start(plan(epoch), number);
    }
    next = null;
    if (resident == null) {
      EpochPlan order = plan(epoch);
      next =
          number + 1 < order.windows().size()
              ? start(order, number + 1)
              : start(shuffled(epoch + 1), 0);
    }
    return current;
  }

  private static boolean is(Window window, long epoch, int number) {
    return window != null && window.epoch() == epoch && window.number() == number;
  }

  private Window start(EpochPlan order, int number) {
    int size = Math.toIntExact(order.starts()[number + 1] - order.starts()[number]);
    long epoch = order.epoch();
    if (resident != null) {
      return new Window(epoch, 0, null, Shuffle.of(size, Seeds.derive(seed, rank, epoch)));
    }
    return new Window(
        epoch,
        number,
        reader.submit(() -> LatentRows.files(dataset, split, order.windows().get(number), budget)),
        Shuffle.of(size, Seeds.derive(seed, rank, ROWS, epoch, number)));
  }

  private LatentRows rows(Window window) {
    LatentRows rows = resident == null ? await(window.rows()) : resident;
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

  private void discard(Window window) {
    if (window != null && window.rows() != null) {
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
