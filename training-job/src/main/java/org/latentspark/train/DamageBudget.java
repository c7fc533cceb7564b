package org.latentspark.train;

import java.util.LinkedHashMap;
import java.util.Map;
import org.latentspark.cli.InputException;

/**
 * Counts the data files that a worker could not read: each is told when it is met, and there may be
 * only so many. May be used by several threads.
 */
final class DamageBudget {
  private final int most;
  private final Map<String, String> damaged = new LinkedHashMap<>();

  /** Allows {@code most} files. */
  DamageBudget(int most) {
    this.most = most;
  }

  /**
   * Reports a file of which no more rows are taken.
   *
   * @throws InputException naming all of them if there are more than allowed
   */
  synchronized void spend(String file, long row, InputException damage) {
    if (damaged.putIfAbsent(file, damage.getMessage()) != null) {
      return;
    }
    String text = "%s is damaged: no row from number %d on is used".formatted(file, row);
    if (damaged.size() > most) {
      throw new InputException(
          "%s; %d damaged files, data.damaged-files allows %d:%n%s"
              .formatted(text, damaged.size(), most, String.join("\n", damaged.values())),
          damage);
    }
    System.err.printf(
        "train: %s (%d of at most %d damaged files): %s%n",
        text, damaged.size(), most, damage.getMessage());
  }

  /** Returns how many files were damaged so far. */
  synchronized int count() {
    return damaged.size();
  }
}
