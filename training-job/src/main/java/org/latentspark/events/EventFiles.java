package org.latentspark.events;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.latentspark.tensor.FileSystems;

/**
 * The run's event files, {@code <run>/events/}, which TensorBoard shows while the run writes them.
 *
 * <p>Object stores cannot append: the newest file is written whole, at most every few seconds, and
 * another is begun when it has grown. Events of steps that a failure cost are taken out of the
 * files, and a TensorBoard that has read them already is told to forget them.
 */
public final class EventFiles {
  private static final Pattern NAME = Pattern.compile("events\\.out\\.tfevents\\.(\\d{10})\\.run");
  private static final long FILE_BYTES = 1 << 20;
  private static final long WRITE_NANOS = 5_000_000_000L;

  private final Path directory;
  private final FileSystem fileSystem;
  private final List<Event> events = new ArrayList<>();
  private long number;
  private long bytes;
  private long written;

  /** Opens the events of the run at {@code run} to go on after {@code steps} steps. */
  public EventFiles(Path run, Configuration configuration, long steps) throws IOException {
    directory = new Path(run, "events");
    fileSystem = FileSystems.of(directory, configuration);
    takeBack(steps);
  }

  /** Adds a number for each tag, on disk a few seconds later; NaN marks what was not measured. */
  public synchronized void scalars(long step, Map<String, Double> values) throws IOException {
    add(Event.scalars(now(), step, values));
  }

  /** Adds a picture, on disk a few seconds later. */
  public synchronized void image(long step, String tag, BufferedImage picture) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(picture, "png", png);
    add(Event.image(now(), step, tag, picture.getWidth(), picture.getHeight(), png.toByteArray()));
  }

  /** Adds a histogram for each tag, on disk a few seconds later. */
  public synchronized void histograms(long step, Map<String, Histogram> values) throws IOException {
    add(Event.histograms(now(), step, values));
  }

  /** Writes what is not on disk yet. */
  public synchronized void flush() throws IOException {
    if (events.isEmpty()) {
      return;
    }
    write(path(number), events);
    written = System.nanoTime();
  }

  /** Takes out the events after {@code steps} steps; those of later ones go into a new file. */
  public synchronized void takeBack(long steps) throws IOException {
    if (!events.isEmpty()) {
      flush();
    }
    long newest = 0;
    if (fileSystem.exists(directory)) {
      for (FileStatus file : fileSystem.listStatus(directory)) {
        Matcher name = NAME.matcher(file.getPath().getName());
        if (name.matches()) {
          newest = Math.max(newest, Long.parseLong(name.group(1)));
          takeBack(file.getPath(), steps);
        }
      }
    }
    begin(newest + 1);
    if (newest > 0) {
      events.add(Event.restart(now(), steps + 1));
    }
  }

  private void takeBack(Path file, long steps) throws IOException {
    byte[] content;
    try (InputStream in = fileSystem.open(file)) {
      content = in.readAllBytes();
    }
    List<Event> kept = Records.decode(content);
    kept.removeIf(event -> event.step() > steps);
    byte[] rest = Records.encode(kept);
    if (kept.stream().allMatch(event -> event.step() == 0)) {
      fileSystem.delete(file, false);
    } else if (!Arrays.equals(content, rest)) {
      write(file, kept);
    }
  }

  private void add(Event event) throws IOException {
    if (bytes > FILE_BYTES) {
      flush();
      begin(number + 1);
    }
    events.add(event);
    bytes += event.bytes().length;
    if (System.nanoTime() - written > WRITE_NANOS) {
      flush();
    }
  }

  private void begin(long next) {
    number = next;
    bytes = 0;
    events.clear();
    events.add(Event.version(now()));
  }

  private void write(Path file, List<Event> content) throws IOException {
    try (OutputStream out = fileSystem.create(file, true)) {
      out.write(Records.encode(content));
    }
  }

  private static double now() {
    return System.currentTimeMillis() * 1e-3;
  }

  private Path path(long file) {
    return new Path(directory, "events.out.tfevents.%010d.run".formatted(file));
  }
}
