package org.latentspark.cli;

import java.util.List;

/**
 * One command of LatentSpark, such as {@code train}.
 *
 * <p>The configuration is read and checked as a whole before {@link #run} is called, so that a
 * typing error in the last key costs seconds and not a finished data set.
 *
 * @param <C> the verb's checked configuration, usually a record
 */
public interface Verb<C> {
  /** Returns the name as typed on the command line. */
  String name();

  /** Returns one sentence for {@code --help}. */
  String summary();

  /** Returns the class path resources that hold the defaults; later ones override and add keys. */
  List<String> references();

  /** Reads every key; reads record their problems in the settings, and no work is done here. */
  C configure(Settings settings);

  /**
   * Does the work.
   *
   * @throws InputException if the input data cannot be used
   * @throws HeldException if another run holds the output
   * @throws Exception if anything else fails
   */
  void run(C configuration) throws Exception;

  /**
   * Tells what {@link #run} would do and what it would take, for {@code --dry-run}: reads what is
   * cheap to read, writes nothing and needs no cluster.
   *
   * @throws UsageException if the verb cannot tell
   * @throws InputException if the input data cannot be used
   * @throws Exception if anything else fails
   */
  default void outline(C configuration, Outline outline) throws Exception {
    throw new UsageException("--dry-run: " + name() + " has none");
  }
}
