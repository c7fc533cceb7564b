package org.latentspark.prep;

import java.io.IOException;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.latentspark.cli.Figures;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Settings;
import org.latentspark.latents.Flip;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.ClipTextConfig;
import org.latentspark.model.ClipTokenizer;
import org.latentspark.model.ModelDirectory;
import org.latentspark.pairs.SourceListing;

/** Tells what {@code prep} would do, from names, lengths and the encoders' configurations. */
final class PrepOutline {
  private PrepOutline() {}

  static void tell(PrepSettings settings, Outline outline) throws IOException {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    Path encoders = new Path(settings.encoders());
    EncoderFacts facts =
        EncoderFacts.of(
            new TreeMap<>(),
            new ModelDirectory(new Path(encoders, "vae"), hadoop)
                .config(AutoencoderKLConfig::fromJson),
            ClipTokenizer.load(new Path(encoders, "tokenizer"), hadoop).maxLength(),
            new ModelDirectory(new Path(encoders, "text_encoder"), hadoop)
                .config(ClipTextConfig::parse),
            settings.image(),
            settings.latents(),
            settings.encoders());
    SourceListing source = SourceListing.of(settings.source(), hadoop);
    outline.tell(
        "source",
        "%s, %s",
        source.files().entrySet().stream()
            .map(format -> format.getValue() + " of " + format.getKey())
            .collect(Collectors.joining(", ")),
        Figures.bytes(source.bytes()));
    output(settings, outline, hadoop);
    LatentShape shape = facts.layout().shape();
    outline.tell(
        "pictures",
        "%d x %d pixels%s to latents of %d x %d x %d%s",
        settings.image().size(),
        settings.image().size(),
        settings.image().buckets().step() == 0
            ? ""
            : " and %d further shapes".formatted(settings.image().buckets().shapes().size() - 1),
        shape.channels(),
        shape.height(),
        shape.width(),
        facts.layout().flip() == Flip.BOTH ? ", mirrored, too" : "");
    outline.tell("texts", "%d tokens to vectors of %d", facts.tokens(), facts.dim());
    outline.tell(
        "a row",
        "about %s before compression: %s for a million, %s files of %s",
        Figures.bytes(facts.rowBytes()),
        Figures.bytes(1e6 * facts.rowBytes()),
        Figures.whole(1_000_000 * facts.rowBytes() / settings.targetBytes() + 1),
        Figures.bytes(settings.targetBytes()));
    outline.tell(
        "pairs",
        settings.limit() == 0
            ? "not counted: that would read the source"
            : "at most " + Figures.whole(settings.limit()));
    outline.tell("held out", "%s of them", settings.validationShare());
    if (settings.limit() > 0) {
      outline.time(settings.limit(), "pairs");
    } else {
      outline.time(1_000_000, "pairs (for a million)");
    }
  }

  /** Refuses what the run would refuse. */
  private static void output(PrepSettings settings, Outline outline, Configuration hadoop)
      throws IOException {
    Path output = new Path(settings.output());
    if (!LatentDataset.exists(output, hadoop)) {
      outline.tell("output", "%s, a new data set", output);
      return;
    }
    PrepRun.requireNotRefused(settings, output);
    Manifest manifest = LatentDataset.inspect(output, hadoop).manifest();
    outline.tell(
        "output",
        "%s holds version %d with %s pairs; existing = %s",
        output,
        manifest.version(),
        Figures.whole(manifest.rows(Split.TRAIN) + manifest.rows(Split.VALIDATION)),
        Settings.kebab(settings.existing()));
  }
}
