package org.latentspark.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import org.latentspark.cli.InputException;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RowReader;
import org.latentspark.latents.Split;

/**
 * All rows of a split in the order of their keys, with one row of each of the dataset's versions in
 * memory: rows ascend by key through the files of a version.
 */
final class KeyOrder implements Iterator<EncodedPair>, AutoCloseable {
  private final LatentDataset dataset;
  private final Split split;
  private final DamageBudget budget;
  private final PriorityQueue<Run> runs =
      new PriorityQueue<>(Comparator.comparing((Run run) -> run.head.key()));

  KeyOrder(LatentDataset dataset, Split split, DamageBudget budget) {
    this.dataset = dataset;
    this.split = split;
    this.budget = budget;
    int from = 0;
    for (Manifest.Version version : dataset.manifest().versions()) {
      Run run = new Run(dataset.files().subList(from, from + version.files()));
      from += version.files();
      if (run.advance()) {
        runs.add(run);
      }
    }
  }

  /** Reads the rows of a split in {@code file} as far as they can be read. */
  static List<EncodedPair> readable(
      LatentDataset dataset, DataFile file, Split split, DamageBudget budget) {
    List<EncodedPair> rows = new ArrayList<>();
    try (RowReader<EncodedPair> reader = dataset.read(file, split)) {
      reader.forEachRemaining(rows::add);
    } catch (InputException e) {
      budget.spend(file.path(), rows.size(), e);
    }
    return rows;
  }

  @Override
  public boolean hasNext() {
    return !runs.isEmpty();
  }

  @Override
  public EncodedPair next() {
    Run run = runs.poll();
    if (run == null) {
      throw new NoSuchElementException("no more rows in " + dataset.directory());
    }
    EncodedPair pair = run.head;
    if (run.advance()) {
      runs.add(run);
    }
    return pair;
  }

  @Override
  public void close() {
    runs.forEach(Run::close);
  }

  /** The files of one version, one after the other. */
  private final class Run {
    private final Iterator<DataFile> files;
    private DataFile file;
    private RowReader<EncodedPair> reader;
    private long rows;
    private EncodedPair head;

    Run(List<DataFile> files) {
      this.files = files.iterator();
    }

    boolean advance() {
      while (reader != null || files.hasNext()) {
        try {
          if (reader == null) {
            file = files.next();
            rows = 0;
            reader = dataset.read(file, split);
          }
          if (reader.hasNext()) {
            head = reader.next();
            rows++;
            return true;
          }
        } catch (InputException e) {
          budget.spend(file.path(), rows, e);
        }
        close();
      }
      return false;
    }

    private void close() {
      if (reader != null) {
        reader.close();
        reader = null;
      }
    }
  }
}
