package org.latentspark.sample;

import java.io.IOException;
import java.util.List;
import org.latentspark.cli.Launcher;
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
  public void run(SampleSettings settings) throws IOException {
    try (VerbSession session = VerbSession.open(VerbSession.settings(name()))) {
      new SampleRun(session.spark(), settings).run();
    }
  }
}
