package org.latentspark.prep;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.cli.Settings;
import org.latentspark.filter.FilterSettings;
import org.latentspark.image.FetchSettings;
import org.latentspark.image.ImageSettings;
import org.latentspark.latents.LatentKind;
import org.latentspark.tensor.FileSystems;

/**
 * The configuration of {@code prep}; {@code reference.conf} says what each key means.
 *
 * @param source paths or globs of metadata
 * @param output directory of the dataset
 * @param existing what happens to a complete dataset that is there
 * @param encoders directory of the encoders
 * @param latents what the rows' latents hold
 * @param precision arithmetic of the encoders
 * @param device where the encoders run
 * @param decodeThreads threads of each task that decode images
 * @param batchSize pairs encoded together
 * @param validationShare share of pairs held out
 * @param seed of the split
 * @param limit most pairs to read, 0 for all
 * @param subset file that names the pairs to read, empty for all
 * @param partitions number of tasks, 0 for automatic
 * @param targetBytes size of a data file
 * @param image what becomes of an image
 * @param filter which pairs are taken
 * @param fetch how images are fetched
 */
record PrepSettings(
    List<String> source,
    String output,
    Existing existing,
    String encoders,
    LatentKind latents,
    EncoderPrecision precision,
    Device device,
    int decodeThreads,
    int batchSize,
    double validationShare,
    long seed,
    int limit,
    String subset,
    int partitions,
    long targetBytes,
    ImageSettings image,
    FilterSettings filter,
    FetchSettings fetch)
    implements Serializable {

  static final List<String> REFERENCES = List.of("org/latentspark/prep/reference.conf");

  /** What happens to a complete dataset at the output. */
  enum Existing {
    /** The run is refused. */
    REFUSE,
    /** The run adds the pairs that the dataset does not hold, as a new version. */
    APPEND,
    /** The run makes the dataset anew. */
    REPLACE
  }

  /** Where the encoders run. */
  enum Device {
    /** On a GPU if there is one. */
    AUTO,
    CPU,
    CUDA
  }

  static PrepSettings read(Settings settings) {
    ImageSettings image = ImageSettings.read(settings);
    return new PrepSettings(
        source(settings),
        settings.required("output"),
        settings.oneOf("existing", Existing.class),
        settings.required("encoders"),
        settings.oneOf("latents", LatentKind.class),
        settings.oneOf("precision", EncoderPrecision.class),
        settings.oneOf("device", Device.class),
        settings.integer("decode-threads", 1, 256),
        settings.integer("batch-size", 1, 4096),
        settings.number("validation-share", 0, 0.9),
        settings.longInteger("seed", Long.MIN_VALUE, Long.MAX_VALUE),
        settings.integer("limit", 0, Integer.MAX_VALUE),
        settings.string("subset"),
        settings.integer("partitions", 0, 1_000_000),
        targetBytes(settings),
        image,
        FilterSettings.read(settings, image.size()),
        FetchSettings.read(settings));
  }

  /** Returns the defaults beside what has none, for images of the size of {@code image}. */
  static PrepSettings defaults(ImageSettings image) {
    List<String> given =
        List.of("source=none", "output=none", "encoders=none", "image.size=" + image.size());
    return Settings.load(REFERENCES, null, given).read(PrepSettings::read);
  }

  /** Returns the same with paths that mean the same on every machine, whatever its directory. */
  PrepSettings qualified(Configuration hadoop) throws IOException {
    return with(FileSystems.qualified(output, hadoop), FileSystems.qualified(encoders, hadoop));
  }

  /** Returns the same with another directory for the dataset. */
  PrepSettings withOutput(String directory) {
    return with(directory, encoders);
  }

  private PrepSettings with(String newOutput, String newEncoders) {
    return new PrepSettings(
        source,
        newOutput,
        existing,
        newEncoders,
        latents,
        precision,
        device,
        decodeThreads,
        batchSize,
        validationShare,
        seed,
        limit,
        subset,
        partitions,
        targetBytes,
        image,
        filter,
        fetch);
  }

  private static List<String> source(Settings settings) {
    List<String> source = new ArrayList<>(settings.strings("source"));
    if (source.isEmpty()) {
      settings.refuse("source", "is required, give it as source=PATH or in the --conf file");
    }
    return source;
  }

  private static long targetBytes(Settings settings) {
    long bytes = settings.bytes("files.target-bytes");
    if (bytes < 1024) {
      settings.refuse("files.target-bytes", "must be at least 1 KiB");
    }
    return bytes;
  }
}
