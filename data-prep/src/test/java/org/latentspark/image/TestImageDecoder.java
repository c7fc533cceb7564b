package org.latentspark.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Scalar;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;
import org.latentspark.latents.Crop;
import org.latentspark.latents.Flip;

class TestImageDecoder {
  private static final int RED = 0xff2000;
  private static final int BLUE = 0x0030ff;

  private final ImageDecoder decoder = new ImageDecoder(new ImageSettings(16, 1 << 20));

  @ParameterizedTest
  @ValueSource(strings = {".jpg", ".png", ".webp", ".gif"})
  void decodesEveryFormatToRgbOfTheCentralSquare(String extension) {
    // Left and right of the central square there is green, which must not be seen.
    byte[] file =
        Images.encode(
            extension, 96, 48, (x, y) -> x < 24 || x >= 72 ? 0x00ff00 : y < 24 ? RED : BLUE);
    CroppedImage image = decoder.decode(file);
    assertThat(image.sourceWidth()).isEqualTo(96);
    assertThat(image.sourceHeight()).isEqualTo(48);
    assertThat(image.crop()).isEqualTo(new Crop(24, 0, 48, 48));
    assertThat(image.rgb()).hasSize(16 * 16 * 3);
    assertColour(image, 8, 3, RED);
    assertColour(image, 8, 12, BLUE);
  }

  @Test
  void laysTransparencyOnWhite() {
    for (String extension : new String[] {".png", ".webp"}) {
      byte[] file =
          Images.encode(
              extension,
              32,
              32,
              4,
              (x, y) -> x < 16 ? 0x00123456 : y < 16 ? 0xff000000 : 0x80000000);
      CroppedImage image = decoder.decode(file);
      assertColour(image, 4, 8, 0xffffff);
      assertColour(image, 12, 4, 0x000000);
      assertColour(image, 12, 12, 0x7f7f7f);
    }
  }

  @Test
  void takesSixteenBitsAndGrey() {
    byte[] deep =
        Images.encode(
            ".png",
            () -> new Mat(32, 32, opencv_core.CV_16UC3, new Scalar(0x8080, 0x4040, 0xffff, 0)));
    assertColour(decoder.decode(deep), 8, 8, 0xff4080);
    byte[] grey =
        Images.encode(".png", () -> new Mat(32, 32, opencv_core.CV_8UC1, new Scalar(0x60)));
    assertColour(decoder.decode(grey), 8, 8, 0x606060);
    byte[] greyJpeg =
        Images.encode(".jpg", () -> new Mat(32, 32, opencv_core.CV_8UC1, new Scalar(0x60)));
    assertColour(decoder.decode(greyJpeg), 8, 8, 0x606060);
  }

  @Test
  void turnsAPhotographUpright() {
    byte[] file = Images.encode(".jpg", 96, 48, (x, y) -> x < 48 ? RED : BLUE);
    CroppedImage image = decoder.decode(Images.oriented(file, 6));
    // Orientation 6: the stored left side is the upright top.
    assertThat(image.sourceWidth()).isEqualTo(48);
    assertThat(image.sourceHeight()).isEqualTo(96);
    assertThat(image.crop()).isEqualTo(new Crop(0, 24, 48, 48));
    assertColour(image, 8, 3, RED);
    assertColour(image, 8, 12, BLUE);
  }

  @Test
  void cutsToTheNearestAspectRatio() {
    // Sides of multiples of 4: 12x20, 16x16, 20x12.
    ImageDecoder bucketed = new ImageDecoder(bucketed());
    byte[] file =
        Images.encode(".png", 96, 48, (x, y) -> x < 8 || x >= 88 ? 0x00ff00 : y < 24 ? RED : BLUE);
    CroppedImage wide = bucketed.decode(file);
    assertThat(wide.width()).isEqualTo(20);
    assertThat(wide.height()).isEqualTo(12);
    assertThat(wide.crop()).isEqualTo(new Crop(8, 0, 80, 48));
    for (int x : new int[] {0, 10, 19}) {
      assertColour(wide, x, 2, RED);
      assertColour(wide, x, 9, BLUE);
    }
    CroppedImage square = bucketed.decode(Images.encode(".png", 50, 48, (x, y) -> RED));
    assertThat(square.rgb()).hasSize(16 * 16 * 3);
    assertThat(square.crop()).isEqualTo(new Crop(1, 0, 48, 48));
  }

  @Test
  void theShapeIsThatOfTheUprightPicture() {
    byte[] file = Images.encode(".jpg", 96, 48, (x, y) -> x < 48 ? RED : BLUE);
    CroppedImage image = new ImageDecoder(bucketed()).decode(Images.oriented(file, 6));
    assertThat(image.width()).isEqualTo(12);
    assertThat(image.height()).isEqualTo(20);
    assertThat(image.crop()).isEqualTo(new Crop(0, 8, 48, 80));
    assertColour(image, 6, 3, RED);
    assertColour(image, 6, 16, BLUE);
  }

  @Test
  void aReducedJpegIsCutWhereTheWholeOneIs() {
    Images.Painter painter = (x, y) -> x < 128 || x >= 896 ? 0x00ff00 : x < 512 ? RED : BLUE;
    CroppedImage reduced =
        new ImageDecoder(settings(new Buckets(16, 4, 1.5)))
            .decode(Images.encode(".jpg", 1024, 768, painter));
    assertThat(reduced.crop()).isEqualTo(new Crop(128, 0, 768, 768));
    assertColour(reduced, 1, 8, RED);
    assertColour(reduced, 14, 8, BLUE);
  }

  private static ImageSettings bucketed() {
    return settings(new Buckets(16, 4, 2));
  }

  private static ImageSettings settings(Buckets buckets) {
    return new ImageSettings(16, 1 << 20, buckets, Flip.NONE, ResizeFilter.AREA);
  }

  @ParameterizedTest
  @CsvSource({
    // Greatest mean and single difference to Pillow; decoders differ in how they upsample colour,
    // and a JPEG of three times the size is decoded at half of its own.
    "photo.png, 0.5, 1",
    "baseline.jpg, 1.2, 6",
    "progressive.jpg, 1.2, 6",
    "restarts.jpg, 1.2, 6",
    "grey.jpg, 1, 3",
    "cmyk.jpg, 2, 8",
    "orientation1.jpg, 1.2, 6",
    "orientation2.jpg, 1.2, 6",
    "orientation3.jpg, 1.2, 6",
    "orientation4.jpg, 1.2, 6",
    "orientation5.jpg, 1.2, 6",
    "orientation6.jpg, 1.2, 6",
    "orientation7.jpg, 1.2, 6",
    "orientation8.jpg, 1.2, 6",
    "alpha.png, 1, 2",
    "grey_alpha.png, 1, 2",
    "palette.png, 0.5, 1",
    "transparent_palette.png, 0.5, 1",
    "deep.png, 1, 2",
    "lossy.webp, 1.5, 8",
    "lossless.webp, 1, 2",
    "animated.gif, 0.5, 1",
    "animated.webp, 0.5, 1",
  })
  @Tag("parity")
  void seesWhatPillowSees(String name, double mean, int most) throws Exception {
    assertNear(decoder.decode(fixture(name)).rgb(), fixture(name + ".rgb"), mean, most);
  }

  @Test
  @Tag("parity")
  void resizesByAreaAsOpenCvDoesInPython() throws Exception {
    ImageDecoder twenty = new ImageDecoder(new ImageSettings(20, 1 << 20));
    assertNear(twenty.decode(fixture("photo.png")).rgb(), fixture("photo.png.area20"), 0.05, 1);
  }

  /** Random bytes are the worst there is: every weight and every rounding shows. */
  @ParameterizedTest
  @ValueSource(ints = {16, 20, 47, 77})
  @Tag("parity")
  void resizesByLanczosAsPillowDoesToTheBit(int size) throws Exception {
    ImageDecoder sized =
        new ImageDecoder(
            new ImageSettings(
                size, 1 << 20, Buckets.square(size), Flip.NONE, ResizeFilter.LANCZOS));
    assertThat(sized.decode(fixture("noise.png")).rgb())
        .isEqualTo(fixture("noise.png.lanczos" + size));
  }

  private static byte[] fixture(String name) throws IOException {
    return Files.readAllBytes(Path.of("src", "test", "resources", "decode", name));
  }

  private static void assertNear(byte[] actual, byte[] expected, double mean, int most) {
    assertThat(actual).hasSameSizeAs(expected);
    int greatest = 0;
    long sum = 0;
    for (int i = 0; i < actual.length; i++) {
      int difference = Math.abs((actual[i] & 0xff) - (expected[i] & 0xff));
      greatest = Math.max(greatest, difference);
      sum += difference;
    }
    assertThat((double) sum / actual.length).as("mean difference").isLessThanOrEqualTo(mean);
    assertThat(greatest).as("greatest difference").isLessThanOrEqualTo(most);
  }

  @Test
  void readsTheHeadersOfWebpInAllItsForms() {
    byte[] lossy = Images.encode(".webp", 70, 50, (x, y) -> RED);
    byte[] alpha = Images.encode(".webp", 70, 50, 4, (x, y) -> 0x40000000 | RED);
    assertThat(ImageHeader.read(lossy)).isEqualTo(new ImageHeader(ImageFormat.WEBP, 70, 50));
    assertThat(ImageHeader.read(alpha)).isEqualTo(new ImageHeader(ImageFormat.WEBP, 70, 50));
  }

  @Test
  void reducedDecodingLooksLikeAnAreaFilter() {
    Random random = new Random(3);
    byte[] noise = new byte[64 * 64 * 3];
    random.nextBytes(noise);
    // Blocks of 8: detail at every scale that survives the reduction, and sharp edges.
    Images.Painter painter =
        (x, y) -> {
          int at = ((y / 8) * 64 + x / 8) * 3;
          return (noise[at] & 0xff) << 16 | (noise[at + 1] & 0xff) << 8 | (noise[at + 2] & 0xff);
        };
    byte[] jpeg = Images.encode(".jpg", 512, 512, painter);
    byte[] png = Images.encode(".png", 512, 512, painter);
    for (int size : new int[] {256, 200, 128, 64, 32}) {
      ImageDecoder sized = new ImageDecoder(new ImageSettings(size, 1 << 20));
      double psnr = psnr(sized.decode(jpeg).rgb(), sized.decode(png).rgb());
      assertThat(psnr).as("PSNR at size %d in dB", size).isGreaterThan(30);
    }
  }

  @Test
  void refusesWhatIsNoImage() {
    assertThat(reason("<!DOCTYPE html><html><body>gone</body></html>"))
        .isEqualTo(RejectReason.NOT_AN_IMAGE);
    assertThat(reason("x")).isEqualTo(RejectReason.NOT_AN_IMAGE);
    assertThat(reason("\u001f\u008b\b\0compressed")).isEqualTo(RejectReason.NOT_AN_IMAGE);
  }

  @Test
  void namesFormatsThatItDoesNotDecode() {
    assertThat(reason("\0\0\0\u001cftypavif\0\0\0\0")).isEqualTo(RejectReason.UNSUPPORTED_FORMAT);
    assertThat(reason("<?xml version='1.0'?><svg xmlns='x'/>"))
        .isEqualTo(RejectReason.UNSUPPORTED_FORMAT);
  }

  @ParameterizedTest
  @CsvSource({".jpg", ".png", ".webp", ".gif"})
  void refusesAFileThatWasCutOffAnywhere(String extension) {
    byte[] file =
        Images.encode(extension, 64, 64, (x, y) -> x * 4 << 16 | y * 4 << 8 | x * y & 255);
    for (int length = 16; length < file.length; length += 1 + file.length / 97) {
      assertThat(reason(Arrays.copyOf(file, length)))
          .as("%s cut to %d of %d bytes", extension, length, file.length)
          .isEqualTo(RejectReason.TRUNCATED);
    }
  }

  @Test
  void takesACompleteFileWithPaddingBehindIt() {
    byte[] file = Images.jpeg(40, 40, 1);
    assertThat(decoder.decode(Arrays.copyOf(file, file.length + 100)).rgb())
        .isEqualTo(decoder.decode(file).rgb());
  }

  @Test
  void refusesTooManyPixelsByTheHeaderAlone() {
    assertThat(reason(Images.pngHeader(20_000, 20_000))).isEqualTo(RejectReason.TOO_MANY_PIXELS);
    assertThat(reason(Images.pngHeader(65_000, 65_000))).isEqualTo(RejectReason.TOO_MANY_PIXELS);
  }

  @Test
  void refusesImpossibleHeaders() {
    assertThat(reason(Images.pngHeader(0, 10))).isEqualTo(RejectReason.UNDECODABLE);
    assertThat(reason(Images.pngHeader(-5, 10))).isEqualTo(RejectReason.UNDECODABLE);
    assertThat(reason(Images.pngHeader(100, 100))).isEqualTo(RejectReason.UNDECODABLE);
  }

  @ParameterizedTest
  @CsvSource({".jpg", ".png", ".webp", ".gif"})
  void survivesRandomDamage(String extension) {
    Random random = new Random(5);
    byte[] file =
        Images.encode(extension, 64, 64, (x, y) -> x * 4 << 16 | y * 4 << 8 | x * y & 255);
    for (int round = 0; round < 300; round++) {
      byte[] damaged = file.clone();
      for (int flips = 0; flips < 5; flips++) {
        damaged[random.nextInt(file.length)] = (byte) random.nextInt();
      }
      try (PointerScope scope = new PointerScope()) {
        assertThat(decoder.decode(damaged).rgb()).hasSize(16 * 16 * 3);
      } catch (RejectedException e) {
        assertThat(e.rejection().reason()).isNotNull();
      }
    }
  }

  private RejectReason reason(String file) {
    return reason(file.getBytes(StandardCharsets.ISO_8859_1));
  }

  private RejectReason reason(byte[] file) {
    RejectedException rejected =
        catchThrowableOfType(RejectedException.class, () -> decoder.decode(file));
    return rejected == null ? null : rejected.rejection().reason();
  }

  private static void assertColour(CroppedImage image, int x, int y, int colour) {
    int at = (y * image.width() + x) * 3;
    for (int channel = 0; channel < 3; channel++) {
      assertThat(image.rgb()[at + channel] & 0xff)
          .as("channel %d at %d, %d", channel, x, y)
          .isBetween(
              (colour >> 16 - 8 * channel & 0xff) - 12, (colour >> 16 - 8 * channel & 0xff) + 12);
    }
  }

  private static double psnr(byte[] actual, byte[] expected) {
    double sum = 0;
    for (int i = 0; i < actual.length; i++) {
      double difference = (actual[i] & 0xff) - (expected[i] & 0xff);
      sum += difference * difference;
    }
    return 10 * Math.log10(255 * 255 / (sum / actual.length));
  }
}
