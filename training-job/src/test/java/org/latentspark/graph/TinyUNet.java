package org.latentspark.graph;

import java.util.Random;
import org.bytedeco.pytorch.Tensor;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.latentspark.tensor.Tensors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/** A U-Net of a few thousand parameters, and made-up examples for it. */
public final class TinyUNet {
  /** Its config.json: latents [B, 2, 4, 4], text [B, 5, 12]. */
  public static final String CONFIG =
      """
      {"_class_name": "UNet2DConditionModel", "sample_size": 4, "in_channels": 2,
       "out_channels": 2, "block_out_channels": [16, 32], "layers_per_block": 1,
       "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
       "cross_attention_dim": 12, "attention_head_dim": 2, "norm_num_groups": 8}
      """;

  private TinyUNet() {}

  static ComputationGraph graph(long seed) {
    ComputationGraph graph =
        new ComputationGraph(
            TorchGraphs.configuration(Architecture.UNET, CONFIG, seed, new Adam(3e-3)));
    graph.init();
    return graph;
  }

  /** Returns noisy latents, time steps and texts with the noise that is in the latents. */
  static MultiDataSet examples(int count, long seed) {
    Random random = new Random(seed);
    INDArray noise = gaussian(random, count, 2, 4, 4);
    INDArray timesteps = Nd4j.create(count, 1);
    for (int example = 0; example < count; example++) {
      timesteps.putScalar(example, 0, random.nextInt(1000));
    }
    return new MultiDataSet(
        new INDArray[] {
          noise.add(gaussian(random, count, 2, 4, 4).mul(0.3)),
          timesteps,
          gaussian(random, count, 5, 12)
        },
        new INDArray[] {noise});
  }

  static Tensor[] tensors(INDArray... arrays) {
    Tensor[] tensors = new Tensor[arrays.length];
    for (int index = 0; index < arrays.length; index++) {
      INDArray array = arrays[index];
      tensors[index] = Tensors.of(floats(array), array.shape());
    }
    return tensors;
  }

  static float[] floats(INDArray array) {
    return array.dup('c').data().asFloat();
  }

  private static INDArray gaussian(Random random, int... shape) {
    int count = 1;
    for (int size : shape) {
      count *= size;
    }
    float[] values = new float[count];
    for (int index = 0; index < count; index++) {
      values[index] = (float) random.nextGaussian();
    }
    return Nd4j.create(values, shape, 'c');
  }
}
