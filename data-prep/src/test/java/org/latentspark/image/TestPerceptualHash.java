package org.latentspark.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TestPerceptualHash {
  private static final Images.Painter SCENE = scene(1);

  @Test
  void hardlyChangesWithSizeCompressionAndBrightness() {
    long hash = hash(Images.encode(".png", 400, 400, SCENE));
    assertThat(Long.bitCount(hash ^ hash(Images.encode(".jpg", 250, 250, scaled(400, 250)))))
        .isLessThanOrEqualTo(3);
    assertThat(Long.bitCount(hash ^ hash(Images.encode(".webp", 400, 400, SCENE))))
        .isLessThanOrEqualTo(3);
    Images.Painter darker = (x, y) -> (SCENE.at(x, y) >> 1) & 0x7f7f7f;
    assertThat(Long.bitCount(hash ^ hash(Images.encode(".png", 400, 400, darker))))
        .isLessThanOrEqualTo(3);
  }

  @Test
  void tellsPicturesApart() {
    long hash = hash(Images.encode(".png", 400, 400, SCENE));
    for (int seed = 2; seed < 12; seed++) {
      assertThat(Long.bitCount(hash ^ hash(Images.encode(".png", 400, 400, scene(seed)))))
          .isGreaterThan(10);
    }
  }

  private static long hash(byte[] file) {
    return PerceptualHash.of(new ImageDecoder(new ImageSettings(128, 1 << 20)).decode(file));
  }

  private static Images.Painter scaled(int from, int to) {
    return (x, y) -> SCENE.at(x * from / to, y * from / to);
  }

  /** Smooth waves that differ for each seed. */
  private static Images.Painter scene(int seed) {
    Random random = new Random(seed);
    double[] wave = random.doubles(12, 0.01, 0.06).toArray();
    double[] phase = random.doubles(12, 0, 6).toArray();
    return (x, y) -> {
      int colour = 0;
      for (int channel = 0; channel < 3; channel++) {
        double value = 0;
        for (int i = channel * 4; i < channel * 4 + 4; i += 2) {
          value += Math.sin(wave[i] * x + wave[i + 1] * y + phase[i]);
          value += Math.sin(wave[i + 1] * x - wave[i] * y + phase[i + 1]);
        }
        colour = colour << 8 | (int) Math.round(127 + 31 * value);
      }
      return colour;
    };
  }
}
