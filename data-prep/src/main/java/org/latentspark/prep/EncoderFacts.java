package org.latentspark.prep;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.latentspark.cli.InputException;
import org.latentspark.image.Buckets;
import org.latentspark.image.ImageSettings;
import org.latentspark.latents.Bucket;
import org.latentspark.latents.LatentKind;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.RowLayout;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.ClipTextConfig;

/**
 * What a dataset's manifest says of the encoders.
 *
 * @param sha256 of the weights or files of each part, by the part's name
 * @param layout what the rows' latents look like
 * @param scalingFactor the autoencoder's
 * @param tokens tokens of a caption
 * @param dim width of the text embedding
 */
record EncoderFacts(
    SortedMap<String, String> sha256, RowLayout layout, double scalingFactor, int tokens, int dim)
    implements Serializable {

  /**
   * Returns what encoders of these configurations make of images cut as {@code image} says.
   *
   * @param directory of the encoders, for messages
   * @throws InputException if the autoencoder does not divide the sizes of the images
   */
  static EncoderFacts of(
      SortedMap<String, String> sha256,
      AutoencoderKLConfig vae,
      int tokens,
      ClipTextConfig text,
      ImageSettings image,
      LatentKind kind,
      String directory) {
    requireMultiple("image.size", image.size(), vae.downscale(), directory);
    requireMultiple("image.bucket-step", image.buckets().step(), vae.downscale(), directory);
    List<Bucket> buckets = new ArrayList<>();
    if (image.buckets().step() > 0) {
      for (Buckets.Shape shape : image.buckets().shapes()) {
        LatentShape latent = latent(vae, shape.width(), shape.height());
        buckets.add(new Bucket(shape.width(), shape.height(), latent));
      }
    }
    return new EncoderFacts(
        sha256,
        new RowLayout(kind, latent(vae, image.size(), image.size()), buckets, image.flip()),
        vae.scalingFactor(),
        tokens,
        text.hiddenSize());
  }

  private static LatentShape latent(AutoencoderKLConfig vae, int width, int height) {
    return new LatentShape(vae.latentChannels(), height / vae.downscale(), width / vae.downscale());
  }

  private static void requireMultiple(String key, int value, int downscale, String directory) {
    if (value % downscale != 0) {
      throw new InputException(
          "%s = %d: must be a multiple of %d, by which the autoencoder in %s divides"
              .formatted(key, value, downscale, directory));
    }
  }

  /** Returns about how many bytes a row takes. */
  long rowBytes() {
    return layout.mostBytes() + 2L * tokens * dim + 4L * tokens + 500;
  }
}
