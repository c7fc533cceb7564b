package org.latentspark.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.Tensors;
import org.latentspark.unet.ReferenceValues;

/** Compares Inception's features with those of pytorch-fid's network of the same weights. */
@Tag("parity")
class TestInceptionFeatures {
  private static final String FIXTURE = "src/test/fixtures/inception/features.safetensors";

  @Test
  void areThoseOfPytorchFid() throws IOException {
    InceptionFeatures network = new InceptionFeatures();
    network.parameters().allocate();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader fixture =
            SafetensorsReader.open(new Path(FIXTURE), new Configuration())) {
      network.parameters().parameters().forEach(TestInceptionFeatures::fill);
      Tensor pixels = ReferenceValues.of("pixels", 2, 3, 40, 56).mul(new Scalar(1 / Math.sqrt(3)));
      Tensor features = network.of(pixels);
      Tensor expected = fixture.read("features");
      assertThat(Tensors.sizes(features)).containsExactly(2, InceptionFeatures.WIDTH);
      double difference = features.sub(expected).abs().max().item_double();
      assertThat(difference / expected.abs().max().item_double()).isLessThan(1e-4);
    } finally {
      network.parameters().values().close();
    }
  }

  /** As make_inception_fixtures.py fills the reference. */
  static void fill(Parameter parameter) {
    try (PointerScope scope = new PointerScope()) {
      String name = parameter.name();
      double scale = 0.1;
      double centre = name.endsWith("bn.weight") || name.endsWith("running_var") ? 1 : 0;
      if (name.endsWith("conv.weight")) {
        scale = Math.sqrt(2.0 * parameter.shape()[0] / parameter.count());
      }
      parameter
          .tensor()
          .copy_(
              ReferenceValues.of(name, parameter.shape())
                  .mul(new Scalar(scale))
                  .add(new Scalar(centre)));
    }
  }
}
