package org.latentspark.retrain;

import java.time.Duration;
import org.latentspark.cli.Settings;
import org.latentspark.evaluate.EvaluateJob;
import org.latentspark.prep.PrepJob;
import org.latentspark.train.TrainJob;

/**
 * The checked configuration of {@code retrain}; {@code reference.conf} says what each key means.
 */
record RetrainSettings(
    String models,
    String dataset,
    String encoders,
    StageVerb<?> prep,
    StageVerb<?> train,
    StageVerb<?> evaluate,
    long minNewPairs,
    int keep,
    DecidingFigure figure,
    String command,
    Duration timeout) {
  static final String REFERENCE = "org/latentspark/retrain/reference.conf";

  static RetrainSettings read(Settings settings) {
    String dataset = settings.required("dataset");
    String encoders = settings.required("encoders");
    String[] common = {
      "encoders=" + (encoders.isEmpty() ? "encoders" : encoders),
      "output=" + settings.required("models")
    };
    settings.required("prep-conf");
    settings.required("train-conf");
    return new RetrainSettings(
        settings.string("models"),
        dataset,
        encoders,
        StageVerb.read(settings, "prep-conf", new PrepJob(), common),
        StageVerb.read(
            settings, "train-conf", new TrainJob(), common[0], common[1], "dataset=dataset"),
        StageVerb.read(
            settings,
            "evaluate-conf",
            new EvaluateJob(),
            common[0],
            common[1],
            "dataset=dataset",
            "checkpoint=checkpoint"),
        settings.longInteger("min-new-pairs", 0, Long.MAX_VALUE),
        settings.integer("keep", 0, 1_000_000),
        settings.oneOf("promotion.figure", DecidingFigure.class),
        settings.string("notify.command"),
        settings.duration("notify.timeout"));
  }
}
