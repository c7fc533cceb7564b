package org.latentspark.report;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import javax.imageio.ImageIO;

/** Turns a PNG file into text that a page can carry. */
final class EmbeddedPicture {
  /** Larger files become JPEG: a run's grids together must stay a page that opens. */
  static final int LARGEST_PNG = 1 << 20;

  private static final int WIDEST = 1600;
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

  private EmbeddedPicture() {}

  /** Returns a picture as a data URI; empty where {@code png} is no PNG file. */
  static Optional<String> dataUri(byte[] png) throws IOException {
    if (png.length < SIGNATURE.length
        || !Arrays.equals(png, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length)) {
      return Optional.empty();
    }
    if (png.length <= LARGEST_PNG) {
      return Optional.of(uri("image/png", png));
    }
    BufferedImage picture;
    try {
      picture = ImageIO.read(new ByteArrayInputStream(png));
    } catch (IOException e) {
      return Optional.empty();
    }
    ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
    ImageIO.write(narrowed(picture), "jpeg", jpeg);
    return Optional.of(uri("image/jpeg", jpeg.toByteArray()));
  }

  private static BufferedImage narrowed(BufferedImage picture) {
    int width = Math.min(WIDEST, picture.getWidth());
    int height =
        Math.max(1, (int) Math.round((double) picture.getHeight() * width / picture.getWidth()));
    BufferedImage opaque = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = opaque.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    graphics.drawImage(picture, 0, 0, width, height, null);
    graphics.dispose();
    return opaque;
  }

  private static String uri(String type, byte[] bytes) {
    return "data:" + type + ";base64," + Base64.getEncoder().encodeToString(bytes);
  }
}
