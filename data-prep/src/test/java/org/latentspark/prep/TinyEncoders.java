package org.latentspark.prep;

import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.BpeTrainer;
import org.latentspark.model.ClipActivation;
import org.latentspark.model.ClipHead;
import org.latentspark.model.ClipTextConfig;
import org.latentspark.model.ClipTextModel;
import org.latentspark.model.ClipTower;
import org.latentspark.model.ClipVocabulary;
import org.latentspark.model.ModelDirectory;
import org.latentspark.model.ModelDirectory.Layout;

/** Writes a directory of real, tiny encoders with random weights. */
final class TinyEncoders {
  static final int TOKENS = 12;
  static final int WIDTH = 16;

  private TinyEncoders() {}

  /** Writes vae/ (divides by 4), text_encoder/ and tokenizer/ into {@code directory}. */
  static Path write(Path directory, long seed) throws Exception {
    AutoencoderKL autoencoder =
        new AutoencoderKL(
            new AutoencoderKLConfig(3, 3, List.of(8, 8, 8), 1, 4, 4, 32, 0.2, false, true, true));
    autoencoder.parameters().allocate();
    autoencoder.parameters().initialize(seed);
    directory(directory, "vae").save(autoencoder, Layout.DIFFUSERS);

    ClipVocabulary vocabulary =
        BpeTrainer.train(List.of("a red apple on a table", "a blue bird", "the green apple"), 530);
    vocabulary.write(directory.resolve("tokenizer"), TOKENS);

    ClipTextModel text =
        new ClipTextModel(
            new ClipTextConfig(
                new ClipTower(
                    WIDTH, 32, WIDTH, 1, 2, ClipActivation.QUICK_GELU, 1e-5, ClipHead.NONE),
                vocabulary.size(),
                TOKENS,
                vocabulary.endToken()));
    text.parameters().allocate();
    text.parameters().initialize(seed + 1);
    directory(directory, "text_encoder").save(text, Layout.TRANSFORMERS);
    return directory;
  }

  private static ModelDirectory directory(Path directory, String part) {
    return new ModelDirectory(
        new org.apache.hadoop.fs.Path(directory.resolve(part).toUri()), new Configuration());
  }
}
