package org.latentspark.prep;

import org.latentspark.cli.Settings;

/**
 * The configuration of {@code verify}.
 *
 * @param dataset directory of the dataset
 * @param version the version to check, 0 for the newest
 */
record VerifySettings(String dataset, int version) {
  static VerifySettings read(Settings settings) {
    return new VerifySettings(
        settings.required("dataset"), settings.integer("version", 0, Integer.MAX_VALUE));
  }
}
