package org.latentspark.tensor;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * All parameters of a model in the order of their declaration, laid out in one flat fp32 vector.
 *
 * <p>Optimizer, averaging and checkpoints work on the flat vector; the layers see views of it.
 */
public final class ParameterTable {
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private long count;
  private Tensor values;

  ParameterTable() {}

  Parameter add(String name, Initializer initializer, long... shape) {
    Parameter parameter = new Parameter(name, shape, count, initializer);
    if (parameters.putIfAbsent(name, parameter) != null) {
      throw new IllegalArgumentException("Parameter " + name + " is declared twice");
    }
    count = Math.addExact(count, parameter.count());
    return parameter;
  }

  /** Returns the parameters in the order of the flat vector. */
  public Collection<Parameter> parameters() {
    return Collections.unmodifiableCollection(parameters.values());
  }

  /** Returns the parameter of that published name, or null. */
  public Parameter find(String name) {
    return parameters.get(name);
  }

  /** Returns the number of values in all parameters. */
  public long count() {
    return count;
  }

  /** Returns the flat vector that the parameters are bound to. */
  public Tensor values() {
    if (values == null) {
      throw new IllegalStateException("The model has no memory: bind its ParameterTable first");
    }
    return values;
  }

  /** Binds to fresh memory on the CPU for inference; the values are undefined until filled. */
  public void allocate() {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      bind(torch.empty(count));
    }
  }

  /** Binds the parameters to views of {@code flat} (fp32, [count]) for inference. */
  public void bind(Tensor flat) {
    bind(flat, null);
  }

  /**
   * Binds the parameters to views of {@code flat} and their gradients to views of {@code gradients}
   * (both fp32, [count], on one device); backward passes then add into {@code gradients}, which the
   * caller zeroes between steps. Null gradients bind for inference.
   */
  public void bind(Tensor flat, Tensor gradients) {
    Natives.load();
    requireLength("values", flat);
    if (gradients != null) {
      requireLength("gradients", gradients);
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (Parameter parameter : parameters.values()) {
        // A detached view is a leaf of the autograd graph that still shares the flat memory.
        Tensor view = view(flat, parameter).detach();
        if (gradients != null) {
          view.set_requires_grad(true);
          view.mutable_grad().put(view(gradients, parameter));
        }
        parameter.bind(view);
      }
      if (values != null) {
        values.releaseReference();
      }
      values = flat.detach();
      values.retainReference();
    }
  }

  /**
   * Gives back the hold on the vectors that the parameters are bound to, which a garbage collection
   * would do some time; before its next use the model must be bound anew.
   */
  public void unbind() {
    parameters.values().forEach(Parameter::unbind);
    if (values != null) {
      values.releaseReference();
      values = null;
    }
  }

  /**
   * Fills every parameter with its starting values, each from its own stream of {@code seed}; they
   * are drawn on the CPU, so that they are the same on every device.
   */
  public void initialize(long seed) {
    int index = 0;
    try (NoGradGuard guard = new NoGradGuard()) {
      for (Parameter parameter : parameters.values()) {
        try (PointerScope scope = new PointerScope()) {
          Tensor own = parameter.tensor();
          Tensor drawn = own.is_cpu() ? own : own.cpu();
          parameter.initializer().fill(drawn, Seeds.generator(seed, index));
          if (drawn != own) {
            own.copy_(drawn);
          }
        }
        index++;
      }
    }
  }

  /** Returns the part of a vector of this table's length that belongs to {@code parameter}. */
  public static Tensor view(Tensor flat, Parameter parameter) {
    return flat.narrow(0, parameter.offset(), parameter.count()).view(parameter.shape());
  }

  private void requireLength(String what, Tensor flat) {
    if (flat.dim() != 1 || flat.numel() != count) {
      throw new IllegalArgumentException(
          "Flat " + what + " must have shape [" + count + "], not " + Tensors.shape(flat));
    }
  }
}
