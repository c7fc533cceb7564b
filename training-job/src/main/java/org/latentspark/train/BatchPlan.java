package org.latentspark.train;

import java.util.ArrayList;
import java.util.List;
import org.latentspark.latents.DataFile;
import org.latentspark.tensor.Seeds;

/**
 * Which rows of a worker's share make a batch; it follows from seed, worker and position alone.
 *
 * <p>An epoch goes through windows, groups of files that are in memory together. A share that is in
 * memory as a whole is one window without files.
 */
interface BatchPlan {
  /** Tags of the random streams of one worker. */
  long FILES = 1;

  /** The order of the rows in a window. */
  long ROWS = 2;

  /** A window of an epoch, the {@code number}-th in its order. */
  record Window(long epoch, int number) {}

  /**
   * Rows of one window.
   *
   * @param bucket whose rows they are, by its place in the manifest; 0 without buckets
   * @param places of the rows among those of that bucket
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  record Part(Window window, int bucket, int[] places) {}

  /**
   * Returns the rows of the batch at {@code position}, which counts examples from the start of the
   * first epoch on through all epochs.
   */
  List<Part> parts(long position, int size);

  /** Returns what the window reads. */
  List<DataFile> files(Window window);

  /** Returns the window that follows. */
  Window after(Window window);

  /**
   * Cuts files, in a random order, into windows.
   *
   * @param bytes memory that each file takes
   * @param most bytes of a window, though it has one file at least
   */
  static List<List<DataFile>> windows(List<DataFile> files, long[] bytes, long most, long order) {
    List<List<DataFile>> windows = new ArrayList<>();
    long room = -1;
    for (int index : Shuffle.of(files.size(), order)) {
      if (windows.isEmpty() || bytes[index] > room) {
        windows.add(new ArrayList<>());
        room = most;
      }
      windows.get(windows.size() - 1).add(files.get(index));
      room -= bytes[index];
    }
    return windows;
  }

  /**
   * What a plan is made of.
   *
   * @param seed of the run
   * @param rank of the worker
   * @param files of the worker's share; empty where it is in memory as a whole
   * @param bytes memory that each of the files takes
   * @param windowBytes memory of a window
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  record Share(long seed, int rank, List<DataFile> files, long[] bytes, long windowBytes) {
    boolean isResident() {
      return files.isEmpty();
    }

    long derive(long... keys) {
      long[] all = new long[keys.length + 1];
      all[0] = rank;
      System.arraycopy(keys, 0, all, 1, keys.length);
      return Seeds.derive(seed, all);
    }
  }
}
