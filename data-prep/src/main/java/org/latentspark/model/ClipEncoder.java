package org.latentspark.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.ParameterScope;
import org.latentspark.tensor.Tensors;

/** The pre-norm transformer that both towers of CLIP share (Radford et al., 2021). */
final class ClipEncoder {
  private final List<Layer> layers = new ArrayList<>();

  ClipEncoder(ParameterScope scope, ClipTower tower) {
    for (int index = 0; index < tower.layers(); index++) {
      this.layers.add(new Layer(scope.child("layers", index), tower));
    }
  }

  /** Maps states [B, T, width] to the same. */
  Tensor forward(Tensor input, Attention.Mask mask) {
    Tensor hidden = input;
    for (Layer layer : layers) {
      Tensor before = hidden;
      hidden = Tensors.scoped(() -> layer.forward(before, mask));
    }
    return hidden;
  }

  private static final class Layer {
    private final LayerNorm attentionNorm;
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear out;
    private final LayerNorm feedForwardNorm;
    private final Linear widen;
    private final Linear narrow;
    private final long heads;
    private final ClipActivation activation;

    Layer(ParameterScope scope, ClipTower tower) {
      int width = tower.hiddenSize();
      long intermediate = tower.intermediateSize();
      double epsilon = tower.epsilon();
      // The published implementation scales its starting weights by width and depth.
      double inward = Math.pow(width, -0.5) * Math.pow(2.0 * tower.layers(), -0.5);
      ParameterScope attention = scope.child("self_attn");
      this.key = linear(attention.child("k_proj"), width, width, inward);
      this.value = linear(attention.child("v_proj"), width, width, inward);
      this.query = linear(attention.child("q_proj"), width, width, inward);
      this.out = linear(attention.child("out_proj"), width, width, Math.pow(width, -0.5));
      this.attentionNorm = new LayerNorm(scope.child("layer_norm1"), width, epsilon);
      ParameterScope feedForward = scope.child("mlp");
      this.widen =
          linear(feedForward.child("fc1"), width, intermediate, Math.pow(2.0 * width, -0.5));
      this.narrow = linear(feedForward.child("fc2"), intermediate, width, inward);
      this.feedForwardNorm = new LayerNorm(scope.child("layer_norm2"), width, epsilon);
      this.heads = tower.heads();
      this.activation = tower.activation();
    }

    private static Linear linear(ParameterScope scope, long in, long out, double deviation) {
      return Linear.of(scope, in, out, Initializer.normal(deviation), Initializer.constant(0));
    }

    Tensor forward(Tensor input, Attention.Mask mask) {
      Tensor normed = attentionNorm.forward(input);
      Tensor attended =
          Attention.apply(
              query.forward(normed), key.forward(normed), value.forward(normed), heads, mask);
      Tensor hidden = input.add(out.forward(attended));
      Tensor widened = activation.apply(widen.forward(feedForwardNorm.forward(hidden)));
      return hidden.add(narrow.forward(widened));
    }
  }
}
