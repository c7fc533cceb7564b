package org.latentspark.sample;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.latentspark.cli.Figures;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.cli.VerbSession;

/** The verb {@code sample}: pictures for prompts from a checkpoint, and one labelled grid. */
public final class SampleJob implements Verb<SampleSettings> {
  /** Runs the verb. */
  public static void main(String[] arguments) {
    System.setProperty("java.awt.headless", "true");
    Launcher.main(new SampleJob(), arguments);
  }

  @Override
  public String name() {
    return "sample";
  }

  @Override
  public String summary() {
    return "Draws pictures for prompts from a checkpoint.";
  }

  @Override
  public List<String> references() {
    return List.of(DrawKeys.REFERENCE, "org/latentspark/sample/reference.conf");
  }

  @Override
  public SampleSettings configure(Settings settings) {
    return SampleSettings.read(settings);
  }

  @Override
  public void outline(SampleSettings settings, Outline outline) throws IOException {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    PromptRules rules = new PromptRules();
    for (int i = 0; i < settings.prompts().size(); i++) {
      rules.accept(
          new Prompt(settings.prompts().get(i), settings.negativePrompt(), null),
          "prompts, item " + (i + 1));
    }
    if (!settings.prompts().isEmpty()) {
      rules.finish();
    }
    boolean counted = settings.promptsFile().isEmpty();
    outline.tell(
        "prompts",
        "%s on the command line%s",
        Figures.whole(settings.prompts().size()),
        counted
            ? ""
            : ", and those of %d file(s), which are not read now"
                .formatted(PromptSource.files(new Path(settings.promptsFile()), hadoop).size()));
    long pictures = (long) settings.prompts().size() * settings.count();
    DrawOutline.read(settings.checkpoint(), settings.weights(), settings.encoders(), hadoop)
        .tell(settings.draw(), counted ? pictures : -1, outline);
    outline.tell("output", settings.output());
  }

  @Override
  public void run(SampleSettings settings) throws IOException {
    try (VerbSession session = VerbSession.open(VerbSession.settings(name()))) {
      new SampleRun(session.spark(), settings).run();
    }
  }
}
