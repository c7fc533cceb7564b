package org.latentspark.tensor;

/**
 * A place in a model's tree of names, where layers declare their parameters.
 *
 * <p>Names join with dots exactly as PyTorch's modules join them, so a published state dict maps
 * one to one.
 */
public final class ParameterScope {
  private final ParameterTable table;
  private final String prefix;

  private ParameterScope(ParameterTable table, String prefix) {
    this.table = table;
    this.prefix = prefix;
  }

  /** Returns the root of a new model. */
  public static ParameterScope root() {
    return new ParameterScope(new ParameterTable(), "");
  }

  /** Returns the scope of a part, such as {@code child("conv_in")}. */
  public ParameterScope child(String name) {
    return new ParameterScope(table, prefix + name + ".");
  }

  /** Returns the scope of an element of a list of parts, such as {@code child("resnets", 0)}. */
  public ParameterScope child(String name, int index) {
    return child(name + "." + index);
  }

  /** Declares a parameter; its memory comes when the table is bound. */
  public Parameter declare(String name, Initializer initializer, long... shape) {
    return table.add(prefix + name, initializer, shape);
  }

  /** Returns the table of all parameters declared under the same root. */
  public ParameterTable table() {
    return table;
  }
}
