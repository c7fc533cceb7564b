package org.latentspark.evaluate;

import org.latentspark.cli.Settings;
import org.latentspark.sample.DrawKeys;
import org.latentspark.sample.DrawSettings;
import org.latentspark.sample.Weights;

/** The checked configuration of {@code evaluate}. */
record EvaluateSettings(
    String checkpoint,
    String dataset,
    int version,
    String encoders,
    String output,
    String reference,
    String inception,
    Weights weights,
    int count,
    long seed,
    Distances.Options distances,
    DrawSettings draw,
    int threads,
    String record) {

  static EvaluateSettings read(Settings settings) {
    String output = settings.required("output");
    String reference = settings.string("reference");
    EvaluateSettings read =
        new EvaluateSettings(
            settings.required("checkpoint"),
            settings.required("dataset"),
            settings.integer("version", 0, Integer.MAX_VALUE),
            settings.required("encoders"),
            output,
            reference.isEmpty() ? output + "/reference" : reference,
            settings.string("inception"),
            settings.oneOf("weights", Weights.class),
            settings.integer("count", Distances.FEWEST, 1_000_000),
            settings.longInteger("seed", 0, Long.MAX_VALUE),
            new Distances.Options(
                settings.integer("neighbours", 1, 1000),
                settings.integer("kernel.subsets", 2, 100_000),
                settings.integer("kernel.subset-size", 2, 1_000_000)),
            DrawKeys.read(settings, 0, 0),
            settings.integer("threads", 0, 1024),
            settings.render());
    int fewest = read.distances.fewest();
    if (read.count < fewest) {
      settings.refuse(
          "count",
          "must be at least %d with neighbours = %d"
              .formatted(fewest, read.distances.neighbours()));
    }
    return read;
  }
}
