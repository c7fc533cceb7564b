package org.latentspark.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestEventFiles {
  @TempDir private Path run;

  @Test
  @Tag("parity")
  void bytesAreThoseThatTensorBoardsOwnClassesWrite() throws Exception {
    byte[] file = Files.readAllBytes(Path.of("src/test/fixtures/tensorboard/events"));
    List<Event> events = Records.decode(file);
    assertThat(Records.encode(events)).as("records of the file").isEqualTo(file);
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("loss/train", 0.25);
    scalars.put("optimizer/learning_rate", 1e-3);
    byte[] png = new byte[256];
    IntStream.range(0, png.length).forEach(index -> png[index] = (byte) index);
    assertThat(events.stream().skip(1).map(Event::bytes))
        .containsExactly(
            Event.scalars(1795435201.25, 20, scalars).bytes(),
            Event.image(1795435202, 3_000_000_000L, "samples/grid", 300, 2, png).bytes(),
            Event.restart(1795435203, 21).bytes(),
            Event.histograms(
                    1795435204,
                    40,
                    Map.of("weights/a", new Histogram(-1, 3, 9, 4.5, 20.25, new long[] {2, 3, 4})))
                .bytes());
    assertThat(events).extracting(Event::step).containsExactly(0L, 20L, 3_000_000_000L, 21L, 40L);
  }

  @Test
  void scalarsAndPicturesAreRead() throws Exception {
    EventFiles files = open(0);
    files.scalars(10, Map.of("loss/train", 0.5));
    files.scalars(20, Map.of("loss/train", 0.25, "loss/validation", 0.75));
    BufferedImage picture = new BufferedImage(5, 3, BufferedImage.TYPE_INT_RGB);
    picture.setRGB(4, 2, 0xc08040);
    files.image(20, "samples/grid", picture);
    files.histograms(20, Map.of("weights/a", new Histogram(0, 1, 5, 2, 1.5, new long[] {3, 0, 2})));
    files.flush();
    EventReader read = read();
    assertThat(read.histograms().get("weights/a").get(20L)).containsExactly(3, 0, 2);
    assertThat(read.scalars().get("loss/train")).isEqualTo(Map.of(10L, 0.5, 20L, 0.25));
    assertThat(read.scalars().get("loss/validation")).isEqualTo(Map.of(20L, 0.75));
    BufferedImage back =
        ImageIO.read(new ByteArrayInputStream(read.images().get("samples/grid").get(20L)));
    assertThat(back.getWidth()).isEqualTo(5);
    assertThat(back.getRGB(4, 2) & 0xffffff).isEqualTo(0xc08040);
  }

  @Test
  void runThatGoesOnHasNoStepTwice() throws Exception {
    write(open(0), 10, 20, 30);
    write(open(20), 30, 40);
    assertThat(read().steps()).containsExactly(10L, 20L, 30L, 40L);
    write(open(40), 50);
    EventFiles files = open(50);
    write(files, 60, 70);
    files.takeBack(50);
    write(files, 60);
    assertThat(read().steps()).containsExactly(10L, 20L, 30L, 40L, 50L, 60L);
  }

  @Test
  void tensorBoardThatReadTheLostStepsIsToldToForgetThem() throws Exception {
    EventFiles files = open(0);
    write(files, 10, 20, 30);
    byte[] before = Files.readAllBytes(files().get(0));
    files.takeBack(10);
    write(files, 20);
    // A reader that is past the first file's old end sees what is in the next.
    Files.write(files().get(0), before);
    assertThat(read().steps()).containsExactly(10L, 20L, 30L, 20L);
    assertThat(read().scalars().get("loss")).containsOnlyKeys(10L, 20L);
  }

  @Test
  @Tag("chaos")
  void fileThatWasCutOffAnywhereIsMended() throws Exception {
    write(open(0), 10, 20, 30);
    Path file = files().get(0);
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length += 5) {
      for (Path old : files()) {
        Files.delete(old);
      }
      Files.write(file, Arrays.copyOf(whole, length));
      write(open(30), 40);
      assertThat(read().steps()).as("after %s bytes", length).isSorted().endsWith(40L);
    }
  }

  @Test
  void growingRunBeginsNewFiles() throws Exception {
    EventFiles files = open(0);
    BufferedImage noise = new BufferedImage(512, 512, BufferedImage.TYPE_INT_RGB);
    java.util.Random random = new java.util.Random(20261123);
    IntStream.range(0, 512 * 512).forEach(i -> noise.setRGB(i % 512, i / 512, random.nextInt()));
    for (long step = 10; step <= 60; step += 10) {
      files.scalars(step, Map.of("loss", 1.0));
      files.image(step, "grid", noise);
    }
    files.flush();
    assertThat(files()).hasSizeBetween(3, 6);
    assertThat(read().images().get("grid")).hasSize(6);
    files.takeBack(30);
    write(files, 40);
    assertThat(read().scalars().get("loss")).containsOnlyKeys(10L, 20L, 30L, 40L);
    assertThat(read().images().get("grid")).containsOnlyKeys(10L, 20L, 30L);
  }

  private static void write(EventFiles files, long... steps) throws IOException {
    for (long step : steps) {
      files.scalars(step, Map.of("loss", 1.0 / step));
    }
    files.flush();
  }

  private EventFiles open(long steps) throws IOException {
    return new EventFiles(new org.apache.hadoop.fs.Path(run.toUri()), new Configuration(), steps);
  }

  private EventReader read() throws IOException {
    return EventReader.read(run.resolve("events"));
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(run.resolve("events"))) {
      return files.sorted().toList();
    }
  }
}
