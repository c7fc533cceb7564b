package org.latentspark.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.image.Buckets.Shape;

class TestBuckets {
  @Test
  void sidesAreMultiplesOfTheStepWithinTheBudgetOfPixels() {
    assertThat(new Buckets(512, 64, 2).shapes())
        .containsExactly(
            new Shape(384, 640),
            new Shape(448, 576),
            new Shape(512, 512),
            new Shape(576, 448),
            new Shape(640, 384));
  }

  /** Podell et al., "SDXL", 2023, appendix I: the portrait half of its table, as height x width. */
  @Test
  void allShapesOf1024StandInTheTableOfSdxl() {
    assertThat(new Buckets(1024, 64, 4).shapes())
        .filteredOn(shape -> shape.width() < shape.height())
        .containsExactly(
            new Shape(512, 2048),
            new Shape(576, 1792),
            new Shape(640, 1600),
            new Shape(704, 1472),
            new Shape(768, 1344),
            new Shape(832, 1216),
            new Shape(896, 1152),
            new Shape(960, 1088));
  }

  @Test
  void theSquareAloneIsOneShape() {
    assertThat(Buckets.square(512).shapes()).containsExactly(new Shape(512, 512));
    assertThat(Buckets.square(512)).hasToString("none");
  }

  @ParameterizedTest
  @CsvSource({
    "1000, 1000, 512, 512",
    "1024, 768, 576, 448",
    "768, 1024, 448, 576",
    "1920, 1080, 640, 384",
    // Beyond the last shape there is no other.
    "5000, 100, 640, 384",
    "1, 65535, 384, 640",
    // Half-way between 1 and 576/448 by ratio.
    "1133, 1000, 512, 512",
    "1135, 1000, 576, 448",
  })
  void aPictureGoesToTheNearestAspectRatio(int width, int height, int across, int down) {
    List<Shape> shapes = new Buckets(512, 64, 2).shapes();
    assertThat(Buckets.nearest(shapes, width, height)).isEqualTo(new Shape(across, down));
  }

  @Test
  void aPictureThatIsTurnedGoesToTheShapeThatIsTurned() {
    List<Shape> shapes = new Buckets(1024, 64, 4).shapes();
    for (int width = 100; width < 3000; width += 7) {
      Shape shape = Buckets.nearest(shapes, width, 1000);
      assertThat(Buckets.nearest(shapes, 1000, width))
          .as("1000x%d", width)
          .isEqualTo(new Shape(shape.height(), shape.width()));
    }
  }
}
