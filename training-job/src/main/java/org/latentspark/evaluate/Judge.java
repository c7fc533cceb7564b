package org.latentspark.evaluate;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.cli.InputException;
import org.latentspark.model.ClipModel;
import org.latentspark.model.ModelDirectory;
import org.latentspark.sample.DrawSettings;
import org.latentspark.sample.PromptMatch;
import org.latentspark.sample.TextToImage;
import org.latentspark.tensor.Tensors;
import org.latentspark.train.HeldOutLoss;

/**
 * Measures a loaded model on held-out pairs.
 *
 * @param model the U-Net and the encoders around it
 * @param clip what turns pictures and captions into features
 * @param held the pairs
 * @param draw how pictures are drawn
 * @param seed of noise and pictures
 */
record Judge(
    TextToImage model, PromptMatch clip, MeasuredPairs held, DrawSettings draw, long seed) {
  private static final double CLIP_SCORE_SCALE = 100;

  /** Loads CLIP's two encoders. */
  static PromptMatch clip(Path encoders, Configuration configuration) throws IOException {
    return PromptMatch.open(encoders, configuration)
        .orElseThrow(
            () ->
                new InputException(
                    encoders
                        + " has no image_encoder/, or a text_encoder/ without a projection:"
                        + " evaluate compares pictures by CLIP's image features"));
  }

  /**
   * Returns the fingerprints of what the features of the real pictures depend on.
   *
   * @throws InputException when another autoencoder or text encoder made the data set
   */
  static SortedMap<String, String> origin(
      MeasuredPairs held, Path encoders, Configuration configuration) throws IOException {
    SortedMap<String, String> origin = new TreeMap<>();
    origin.put("dataset", held.dataset().fingerprint());
    origin.put("pairs", Integer.toString(held.count()));
    for (String part : List.of("vae", "text_encoder", "image_encoder")) {
      String found = new ModelDirectory(new Path(encoders, part), configuration).fingerprint();
      String made = held.dataset().manifest().encoders().sha256().get(part);
      if (made != null && !made.equals(found)) {
        throw new InputException(
            "%s was made by another %s than that of %s: its SHA-256 is %s, not %s"
                .formatted(held.dataset().directory(), part, encoders, found, made));
      }
      origin.put(part, found);
    }
    return origin;
  }

  /** Returns each pair's loss in each bucket, [buckets][pairs]. */
  double[][] losses(LongConsumer done) {
    HeldOutLoss loss =
        new HeldOutLoss(
            model.sampler().unet(), model.sampler().schedule(), model.sampler().scale(), seed);
    double[][] losses = new double[HeldOutLoss.BUCKETS][held.count()];
    for (int pair = 0; pair < held.count(); pair++) {
      double[] found = loss.of(held.pairs().get(pair), held.dataset().manifest());
      if (!Double.isFinite(Arrays.stream(found).sum())) {
        throw new InputException(
            "The loss of pair %s is %s: the checkpoint's weights are of no use"
                .formatted(held.pairs().get(pair).key(), Arrays.toString(found)));
      }
      for (int bucket = 0; bucket < found.length; bucket++) {
        losses[bucket][pair] = found[bucket];
      }
      done.accept(1);
    }
    return losses;
  }

  /** Turns pictures of one size into features [B, d], such as CLIP's embeddings. */
  interface Features {
    Tensor of(List<BufferedImage> pictures);
  }

  /** Returns the features [n, d] of the real pictures as their latents decode. */
  Tensor realFeatures(Features features, LongConsumer done) {
    return pictures(
            (from, to) -> {
              List<BufferedImage> pictures = new ArrayList<>();
              for (int index = from; index < to; index++) {
                pictures.add(model.sampler().decodeRaw(held.latent(index)));
              }
              return pictures;
            },
            List.of(features),
            done)
        .get(0);
  }

  /** Returns features [n, d], each in its turn, of pictures drawn once for the captions. */
  List<Tensor> drawnFeatures(List<Features> features, LongConsumer done) {
    return pictures(
        (from, to) ->
            model.draw(
                held.captions().subList(from, to),
                "",
                LongStream.range(from, to).map(index -> seed + index).toArray(),
                draw,
                () -> {}),
        features,
        done);
  }

  private List<Tensor> pictures(
      BiFunction<Integer, Integer, List<BufferedImage>> pictures,
      List<Features> features,
      LongConsumer done) {
    List<TensorVector> parts = features.stream().map(any -> new TensorVector()).toList();
    for (int from = 0; from < held.count(); from += draw.batchSize()) {
      int to = Math.min(held.count(), from + draw.batchSize());
      List<BufferedImage> batch = pictures.apply(from, to);
      for (int kind = 0; kind < parts.size(); kind++) {
        Features one = features.get(kind);
        parts.get(kind).push_back(Tensors.scoped(() -> one.of(batch)));
      }
      done.accept(to - from);
    }
    return parts.stream().map(part -> torch.cat(part, 0)).toList();
  }

  /** Returns the features [n, P] of the held-out captions. */
  Tensor captionFeatures() {
    TensorVector parts = new TensorVector();
    for (int from = 0; from < held.count(); from += draw.batchSize()) {
      List<String> captions =
          held.captions().subList(from, Math.min(held.count(), from + draw.batchSize()));
      parts.push_back(Tensors.scoped(() -> clip.texts(captions)));
    }
    return torch.cat(parts, 0);
  }

  /**
   * Returns the CLIP score of each picture with its own caption (Hessel et al., "CLIPScore", 2021):
   * 100 times the cosine similarity, at least 0.
   */
  static double[] clipScores(Tensor pictures, Tensor captions) {
    double[] scores = new double[(int) pictures.size(0)];
    for (int row = 0; row < scores.length; row++) {
      try (PointerScope scope = new PointerScope()) {
        double cosine =
            ClipModel.cosines(pictures.narrow(0, row, 1), captions.narrow(0, row, 1)).item_double();
        scores[row] = CLIP_SCORE_SCALE * Math.max(0, cosine);
      }
    }
    return scores;
  }
}
