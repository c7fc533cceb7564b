package org.latentspark.prep;

import java.io.IOException;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.cli.VerbSession;
import org.latentspark.latents.Manifest;

/**
 * The verb {@code prep}: metadata, filter, fetch, decode, encode, dataset.
 *
 * <p>Each task writes files of its own under names of their own; the driver writes the manifest
 * last and lists the files of the successful attempts only. So a retried or speculative task never
 * counts twice, and nothing depends on renames.
 */
public final class PrepJob implements Verb<PrepSettings> {
  /** Runs the verb. */
  public static void main(String[] arguments) {
    Launcher.main(new PrepJob(), arguments);
  }

  @Override
  public String name() {
    return "prep";
  }

  @Override
  public String summary() {
    return "Encodes image-text pairs into a dataset of latents and text embeddings.";
  }

  @Override
  public List<String> references() {
    return PrepSettings.REFERENCES;
  }

  @Override
  public PrepSettings configure(Settings settings) {
    return PrepSettings.read(settings);
  }

  @Override
  public void run(PrepSettings settings) throws IOException {
    try (VerbSession session = VerbSession.open(VerbSession.settings(name()))) {
      Manifest manifest = run(session.spark(), settings);
      System.out.print(AccountingTable.of(manifest));
      System.out.printf("dataset: %s, version %d%n", settings.output(), manifest.version());
    }
  }

  @Override
  public void outline(PrepSettings settings, Outline outline) throws IOException {
    PrepOutline.tell(settings, outline);
  }

  /** Makes the dataset, or its next version, and returns its manifest. */
  static Manifest run(SparkSession spark, PrepSettings settings) throws IOException {
    return new PrepRun(spark, settings).run();
  }
}
