package org.latentspark.train;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.averaging.HadoopSettings;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Settings;
import org.latentspark.filter.RejectedException;
import org.latentspark.image.CroppedImage;
import org.latentspark.image.ImageDecoder;
import org.latentspark.image.ImageSettings;
import org.latentspark.latents.Split;
import org.latentspark.pairs.MetadataSource;
import org.latentspark.pairs.PairRecord;
import org.latentspark.tensor.FileSystems;

/**
 * The pictures and captions that the encoders learn from: metadata beside a folder of images.
 *
 * <p>The encoders of a pipeline are small beside its U-Net and learn from a sample of pairs, which
 * fits a worker's memory.
 *
 * @param images the folder of the images
 * @param size columns and rows as the model sees them
 * @param entries what was found in the metadata, in the order of the keys
 */
record Pictures(String images, int size, ArrayList<Entry> entries) implements Serializable {
  static final String REFERENCE = "org/latentspark/train/pictures.conf";
  private static final long MAX_PIXELS = 1 << 26;

  /** One pair of the metadata. */
  record Entry(String key, String file, String caption, Split split) implements Serializable {}

  /** Where the pairs are; the keys {@code data.*}. */
  record Source(List<String> metadata, String images, int size, double validationShare) {
    static Source read(Settings settings) {
      List<String> metadata = settings.strings("data.metadata");
      if (metadata.isEmpty()) {
        settings.refuse("data.metadata", "must be at least one path of Parquet metadata");
      }
      return new Source(
          metadata,
          settings.required("data.images"),
          settings.integer("data.size", 8, 4096),
          settings.number("data.validation-share", 0, 0.9));
    }
  }

  /** Pixels uint8 [n, 3, size, size] with the captions and keys of the same order. */
  record Loaded(Tensor pixels, List<String> captions, List<String> keys) implements AutoCloseable {
    /** Returns the pictures at {@code indices} int64 [B] as fp32 [B, 3, size, size] in [-1, 1]. */
    Tensor batch(Tensor indices) {
      return pixels
          .index_select(0, indices)
          .to(ScalarType.Float)
          .div_(new org.bytedeco.pytorch.Scalar(127.5))
          .sub_(new org.bytedeco.pytorch.Scalar(1.0));
    }

    int count() {
      return captions.size();
    }

    @Override
    public void close() {
      pixels.releaseReference();
    }
  }

  /** Lists the pairs on the driver; pairs without a caption or with a repeated URL are left out. */
  static Pictures list(SparkSession spark, Source source, long seed) throws IOException {
    Map<String, Entry> byFile = new TreeMap<>();
    MetadataSource.open(spark, source.metadata()).rows().collectAsList().stream()
        .map(PairRecord::ofRow)
        .filter(pair -> pair.url() != null && pair.caption() != null && !pair.caption().isBlank())
        .sorted(Comparator.comparing(PairRecord::key))
        .forEach(
            pair -> {
              String file = pair.url().substring(pair.url().lastIndexOf('/') + 1);
              Split split = Split.of(pair.key(), source.validationShare(), seed);
              byFile.putIfAbsent(file, new Entry(pair.key(), file, pair.caption(), split));
            });
    ArrayList<Entry> entries = new ArrayList<>(byFile.values());
    entries.sort(Comparator.comparing(Entry::key));
    String images =
        FileSystems.qualified(source.images(), spark.sparkContext().hadoopConfiguration());
    return new Pictures(images, source.size(), entries);
  }

  /** Reads this worker's share of a split; pictures that cannot be read are counted and skipped. */
  Loaded load(Split split, int rank, int workers) throws IOException {
    Configuration hadoop = HadoopSettings.here();
    Path folder = new Path(images);
    FileSystem fileSystem = FileSystems.of(folder, hadoop);
    ImageDecoder decoder = new ImageDecoder(new ImageSettings(size, MAX_PIXELS));
    List<byte[]> decoded = new ArrayList<>();
    List<String> captions = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    int position = 0;
    int broken = 0;
    for (Entry entry : entries) {
      if (entry.split() != split || position++ % workers != rank) {
        continue;
      }
      try (InputStream in = fileSystem.open(new Path(folder, entry.file()))) {
        CroppedImage image = decoder.decode(in.readAllBytes());
        decoded.add(image.rgb());
        captions.add(entry.caption());
        keys.add(entry.key());
      } catch (FileNotFoundException | RejectedException e) {
        broken++;
      }
    }
    if (decoded.isEmpty()) {
      throw new InputException(
          "Worker " + rank + " has no readable " + split.code() + " picture under " + images);
    }
    if (broken > 0) {
      System.out.printf(
          "Worker %d skipped %d unreadable %s pictures%n", rank, broken, split.code());
    }
    return new Loaded(pixels(decoded), captions, keys);
  }

  private Tensor pixels(List<byte[]> decoded) {
    try (PointerScope scope = new PointerScope()) {
      Tensor interleaved =
          torch.zeros(
              new long[] {decoded.size(), size, size, 3}, new TensorOptions(ScalarType.Byte));
      BytePointer target = new BytePointer(interleaved.data_ptr());
      long bytes = (long) size * size * 3;
      target.capacity(bytes * decoded.size());
      for (int index = 0; index < decoded.size(); index++) {
        target.position(index * bytes).put(decoded.get(index), 0, (int) bytes);
      }
      Tensor planar = interleaved.permute(0, 3, 1, 2).contiguous();
      planar.retainReference();
      return planar;
    }
  }
}
