package org.latentspark.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * Spares the memory of a model's activations: blocks run without keeping them, and once more when
 * the way back comes to them (Chen et al., "Training deep nets with sublinear memory cost", 2016).
 *
 * <pre>
 * try (Recomputation blocks = Recomputation.begin(precision, device)) {
 *   Tensor loss = ... the model finds blocks by current() and runs its blocks through them
 *   loss.backward();
 *   blocks.backward();
 * }
 * </pre>
 *
 * <p>A loss that no block was run for needs nothing of this, and {@link #backward} then does
 * nothing.
 */
public final class Recomputation implements AutoCloseable {
  private static final ThreadLocal<Recomputation> CURRENT = new ThreadLocal<>();

  private final Precision precision;
  private final DeviceType device;
  private final List<Run> runs = new ArrayList<>();
  private final List<Tensor> computed = new ArrayList<>();
  private final List<Tensor> standIns = new ArrayList<>();

  /** A part of a model that always gives the same for the same inputs. */
  public interface Block {
    /** Returns the block's outputs. */
    List<Tensor> run(List<Tensor> inputs);
  }

  private record Run(Block block, List<Tensor> inputs, List<Tensor> outputs) {}

  private Recomputation(Precision precision, DeviceType device) {
    this.precision = precision;
    this.device = device;
  }

  /** Begins for the calling thread; blocks run again in {@code precision}. */
  public static Recomputation begin(Precision precision, DeviceType device) {
    Recomputation begun = new Recomputation(precision, device);
    CURRENT.set(begun);
    return begun;
  }

  /** Returns what the calling thread has begun, or null. */
  public static Recomputation current() {
    return CURRENT.get();
  }

  /** Returns a stand-in for a tensor that is computed in the ordinary way, for use by blocks. */
  public Tensor input(Tensor tensor) {
    Tensor standIn = leaf(tensor);
    computed.add(tensor);
    standIns.add(standIn);
    return standIn;
  }

  /**
   * Runs a block without keeping its activations.
   *
   * @param inputs outputs of other blocks, or of {@link #input}
   */
  public List<Tensor> run(List<Tensor> inputs, Block block) {
    PointerScope outer = PointerScope.getInnerScope();
    List<Tensor> outputs = new ArrayList<>();
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> results;
      try (NoGradGuard guard = new NoGradGuard()) {
        results = block.run(inputs);
      }
      for (Tensor result : results) {
        Tensor leaf = leaf(result);
        outer.attach(leaf);
        outputs.add(leaf);
      }
    }
    runs.add(new Run(block, List.copyOf(inputs), outputs));
    return outputs;
  }

  /** Takes the way back through all blocks, the last first, after that of the loss. */
  public void backward() {
    for (int index = runs.size() - 1; index >= 0; index--) {
      Run run = runs.get(index);
      try (PointerScope scope = new PointerScope()) {
        List<Tensor> again;
        try (Precision.Region region = precision.enter(device)) {
          again = run.block().run(run.inputs());
        }
        backward(again, run.outputs());
      }
    }
    if (!computed.isEmpty()) {
      backward(computed, standIns);
    }
  }

  /** Goes back from tensors with the gradients that those in their place have been given. */
  private static void backward(List<Tensor> tensors, List<Tensor> inTheirPlace) {
    try (PointerScope scope = new PointerScope()) {
      TensorVector roots = new TensorVector();
      TensorVector gradients = new TensorVector();
      for (int index = 0; index < tensors.size(); index++) {
        Tensor gradient = inTheirPlace.get(index).grad();
        if (gradient.defined()) {
          roots.push_back(tensors.get(index));
          gradients.push_back(gradient);
        }
      }
      torch.backward(roots, gradients, new BoolOptional(), false, new TensorVector());
    }
  }

  private static Tensor leaf(Tensor tensor) {
    return tensor.detach().set_requires_grad(true);
  }

  @Override
  public void close() {
    CURRENT.remove();
  }
}
