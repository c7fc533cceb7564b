package org.latentspark.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.averaging.Objective;
import org.latentspark.model.ClipModel;
import org.latentspark.model.ClipPixels;
import org.latentspark.model.ClipTokenizer;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Tensors;

/**
 * CLIP's objective: each picture picks its caption out of the batch's, and each caption its picture
 * (Radford et al., 2021). Validation is the same loss over all held-out pairs of the worker.
 */
record ContrastiveObjective(
    Pictures pictures,
    ClipTokenizer tokenizer,
    int batchSize,
    long seed,
    PictureAugmentation augmentation)
    implements Objective {
  private static final long serialVersionUID = 1;

  @Override
  public Session open(TorchModel model, List<String> shards, int rank, int workers)
      throws IOException {
    ClipModel clip = (ClipModel) model;
    return new PictureSession(pictures, batchSize, seed, rank, workers) {
      @Override
      public Tensor loss(long step) {
        long[] batch = places(step);
        List<String> captions = new ArrayList<>();
        for (int index = 0; index < batch.length; index++) {
          String caption = train().captions().get((int) batch[index]);
          captions.add(augmentation.caption(caption, seed, rank, step, index));
        }
        Tensor pixels =
            augmentation.pictures(train().batch(Tensors.of(batch, batch.length)), seed, rank, step);
        return contrast(clip, pixels, captions);
      }

      @Override
      public Validation validate() {
        int count = heldOut().count();
        try (PointerScope scope = new PointerScope()) {
          Tensor all = torch.arange(new Scalar(0), new Scalar(count)).to(ScalarType.Long);
          double loss = contrast(clip, heldOut().batch(all), heldOut().captions()).item_double();
          return new Validation(loss * count, count);
        }
      }
    };
  }

  private Tensor contrast(ClipModel clip, Tensor pixels, List<String> captions) {
    Tensor here = clip.parameters().values();
    Tensor normalized = ClipPixels.of(Tensors.beside(here, pixels), pictures.size());
    Tensor logits = clip.similarity(normalized, Tensors.beside(here, tokenizer.tokenIds(captions)));
    Tensor all = torch.arange(new Scalar(0), new Scalar(captions.size())).to(ScalarType.Long);
    Tensor own = Tensors.beside(here, all);
    return torch
        .cross_entropy(logits, own)
        .add(torch.cross_entropy(logits.t(), own))
        .mul(new Scalar(0.5));
  }
}
