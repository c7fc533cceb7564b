package org.latentspark.sample;

import java.io.IOException;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.InputException;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Natives;

/**
 * The models that draw, held once in a JVM for all of its tasks: their weights are only read.
 *
 * @param source what they were loaded from
 * @param sha256 fingerprints of their weights by part
 * @param model the models
 */
record PictureModel(Source source, SortedMap<String, String> sha256, TextToImage model) {
  private static PictureModel shared;

  /** A checkpoint's directory, which of its weights, and the directory of the encoders. */
  record Source(String checkpoint, Weights weights, String encoders)
      implements java.io.Serializable {
    private SortedMap<String, String> fingerprints(Configuration configuration) throws IOException {
      SortedMap<String, String> sha256 = new TreeMap<>();
      sha256.put("unet", fingerprint(checkpoint, weights.directory(), configuration));
      for (String part : new String[] {"text_encoder", "vae"}) {
        sha256.put(part, fingerprint(encoders, part, configuration));
      }
      return sha256;
    }

    private static String fingerprint(String root, String part, Configuration configuration)
        throws IOException {
      return new ModelDirectory(new Path(root, part), configuration).fingerprint();
    }
  }

  /** Loads the models of {@code source}; later tasks of this JVM share them. */
  static synchronized PictureModel load(Source source, Configuration configuration)
      throws IOException {
    Natives.load();
    shared = null;
    TextToImage model = TextToImage.open(new Path(source.encoders()), configuration);
    model.load(new Path(source.checkpoint()), source.weights());
    shared = new PictureModel(source, source.fingerprints(configuration), model);
    return shared;
  }

  /**
   * Returns this JVM's models, which must have the weights {@code sha256}.
   *
   * @throws InputException when this machine's copy holds other weights
   */
  static synchronized PictureModel shared(
      Source source, SortedMap<String, String> sha256, Configuration configuration)
      throws IOException {
    if (shared == null || !shared.source.equals(source) || !shared.sha256.equals(sha256)) {
      load(source, configuration);
    }
    if (!shared.sha256.equals(sha256)) {
      throw new InputException(
          "%s has weights of SHA-256 %s here and %s on the driver"
              .formatted(source, shared.sha256, sha256));
    }
    return shared;
  }
}
