package org.latentspark.model;

import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * How the names in a weights file meet a model's parameters.
 *
 * @param rename gives the parameter's name for a name in the file
 * @param surplus says which names, after renaming, may be in the file without a parameter
 */
public record WeightNames(UnaryOperator<String> rename, Predicate<String> surplus) {
  /** The same names on both sides, none missing, none left over. */
  public static final WeightNames EXACT = new WeightNames(name -> name, name -> false);

  /** Returns these names with others that the file may hold besides. */
  public WeightNames allowing(Predicate<String> names) {
    return new WeightNames(rename, surplus.or(names));
  }

  /** Returns these names with a renaming of the file's. */
  public WeightNames renaming(UnaryOperator<String> renaming) {
    return new WeightNames(name -> renaming.apply(rename.apply(name)), surplus);
  }
}
