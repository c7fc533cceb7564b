package org.latentspark.retrain;

import java.util.List;
import org.latentspark.cli.Outline;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.cli.Verb;

/**
 * A verb that is a stage of the night, with its configuration file.
 *
 * @param file HOCON file; null for the defaults
 */
record StageVerb<C>(Verb<C> verb, String file) {
  /**
   * Reads a verb's file and checks it whole, with stand-ins for what the night will set.
   *
   * @param key that names the file
   */
  static <C> StageVerb<C> read(Settings settings, String key, Verb<C> verb, String... standIns) {
    String name = settings.string(key);
    StageVerb<C> stage = new StageVerb<>(verb, name.isEmpty() ? null : name);
    try {
      stage.configure(standIns);
    } catch (UsageException e) {
      settings.refuse(key, "has problems:\n" + e.getMessage());
    }
    return stage;
  }

  private C configure(String... overrides) {
    return Settings.loadFrom(verb.references(), file, List.of(overrides)).read(verb::configure);
  }

  void outline(Outline outline, String... overrides) throws Exception {
    verb.outline(configure(overrides), outline);
  }

  void run(String... overrides) throws Exception {
    verb.run(configure(overrides));
  }
}
