package org.latentspark.model;

import org.bytedeco.pytorch.Tensor;
import org.latentspark.tensor.Initializer;
import org.latentspark.tensor.ParameterScope;

/**
 * The linear map of a tower's pooled state into the space that text and images share, where the
 * tower has one.
 */
final class ClipProjection {
  private final String name;
  private final Linear linear;

  ClipProjection(ParameterScope scope, String name, ClipTower tower) {
    int width = tower.hiddenSize();
    this.name = name;
    this.linear =
        tower.head() == ClipHead.NONE
            ? null
            : Linear.of(
                scope.child(name),
                width,
                tower.projectionSize(),
                Initializer.normal(Math.pow(width, -0.5)),
                null);
  }

  /** Maps [B, width] to [B, projection size]. */
  Tensor forward(Tensor pooled) {
    if (linear == null) {
      throw new IllegalStateException(
          "This tower has no "
              + name
              + ".weight: the architectures of its config.json name no class WithProjection");
    }
    return linear.forward(pooled);
  }
}
