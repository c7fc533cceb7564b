package org.latentspark.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class TestContactSheet {
  private static final int TILE = 128;
  private final ContactSheet sheet = new ContactSheet(4, TILE);

  @Test
  void laysTwelvePicturesOutInThreeRowsOfFour() {
    BufferedImage grid =
        sheet.draw(Collections.nCopies(12, picture(64, 64)), Collections.nCopies(12, "red apple"));
    assertThat(grid.getWidth()).isBetween(4 * TILE, 4 * TILE + 100);
    assertThat(grid.getHeight()).isBetween(3 * TILE, 3 * (TILE + 60));
    assertThat(count(grid, Color.RED)).isEqualTo(12 * TILE * TILE);
  }

  @Test
  void keepsThePicturesProportions() {
    BufferedImage grid = sheet.draw(List.of(picture(32, 64)), List.of("tall"));
    assertThat(count(grid, Color.RED)).isBetween(TILE * (TILE / 2 - 4), TILE * TILE / 2);
  }

  @Test
  void writesTheCaptionUnderThePicture() {
    BufferedImage bare = sheet.draw(List.of(picture(64, 64)), List.of(""));
    BufferedImage labelled = sheet.draw(List.of(picture(64, 64)), List.of("green apple"));
    assertThat(dark(bare, 0, bare.getHeight())).isZero();
    assertThat(dark(labelled, 0, TILE)).isZero();
    assertThat(dark(labelled, TILE, labelled.getHeight())).isGreaterThan(50);
  }

  @Test
  void wrapsLongCaptionsWithinTheirColumn() {
    String caption =
        "a man with a very long beard and a hat who holds an umbrella in the rain at night";
    BufferedImage one = sheet.draw(List.of(picture(64, 64)), List.of("apple"));
    BufferedImage grid =
        sheet.draw(List.of(picture(64, 64), picture(64, 64)), List.of(caption, "x".repeat(60)));
    assertThat(grid.getHeight()).isBetween(one.getHeight() + 20, one.getHeight() + 60);
    for (int y = 0; y < grid.getHeight(); y++) {
      assertThat(grid.getRGB(0, y)).isEqualTo(Color.WHITE.getRGB());
      assertThat(grid.getRGB(grid.getWidth() - 1, y)).isEqualTo(Color.WHITE.getRGB());
    }
  }

  @Test
  void refusesCaptionsThatDoNotMatch() {
    assertThatThrownBy(() -> sheet.draw(List.of(picture(8, 8)), List.of()))
        .hasMessage("1 pictures and 0 captions");
  }

  private static BufferedImage picture(int width, int height) {
    BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      picture.setRGB(i % width, i / width, Color.RED.getRGB());
    }
    return picture;
  }

  private static int count(BufferedImage image, Color color) {
    int count = 0;
    for (int i = 0; i < image.getWidth() * image.getHeight(); i++) {
      if (image.getRGB(i % image.getWidth(), i / image.getWidth()) == color.getRGB()) {
        count++;
      }
    }
    return count;
  }

  /** Counts the dark pixels, which are those of the text, from row {@code from} to {@code to}. */
  private static int dark(BufferedImage image, int from, int to) {
    int count = 0;
    for (int y = from; y < to; y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        Color color = new Color(image.getRGB(x, y));
        if (color.getRed() < 128 && color.getBlue() < 128) {
          count++;
        }
      }
    }
    return count;
  }
}
