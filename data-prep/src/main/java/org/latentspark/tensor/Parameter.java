package org.latentspark.tensor;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/** A named parameter of a model: a view into the model's flat vector once the model is bound. */
public final class Parameter {
  private final String name;
  private final long[] shape;
  private final long offset;
  private final Initializer initializer;
  private Tensor tensor;

  Parameter(String name, long[] shape, long offset, Initializer initializer) {
    this.name = name;
    this.shape = shape.clone();
    this.offset = offset;
    this.initializer = initializer;
  }

  /** Returns the published name, such as {@code down_blocks.0.resnets.0.conv1.weight}. */
  public String name() {
    return name;
  }

  /** Returns the shape, outermost dimension first. */
  public long[] shape() {
    return shape.clone();
  }

  /** Returns the number of values. */
  public long count() {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /** Returns the index of the first value within the flat vector. */
  public long offset() {
    return offset;
  }

  /** Returns the values, shared with the flat vector; throws when the model is not bound yet. */
  public Tensor tensor() {
    if (tensor == null) {
      throw new IllegalStateException(
          "Parameter " + name + " has no memory: bind the model's ParameterTable first");
    }
    return tensor;
  }

  Initializer initializer() {
    return initializer;
  }

  void bind(Tensor view) {
    unbind();
    view.retainReference();
    tensor = view;
  }

  void unbind() {
    if (tensor != null) {
      tensor.releaseReference();
      tensor = null;
    }
  }
}
