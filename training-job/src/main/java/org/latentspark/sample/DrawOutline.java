package org.latentspark.sample;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.checkpoint.Checkpoints;
import org.latentspark.cli.Figures;
import org.latentspark.cli.Outline;
import org.latentspark.unet.ForwardFlops;
import org.latentspark.unet.UNet2DConditionConfig;

/** Tells what drawing from a checkpoint takes, without its weights. */
public final class DrawOutline {
  private final Path checkpoint;
  private final TextToImage model;

  private DrawOutline(Path checkpoint, TextToImage model) {
    this.checkpoint = checkpoint;
    this.model = model;
  }

  /**
   * Reads the configurations of a checkpoint, or of the newest complete one of a run, whose
   * checksums are left to the run, and of the encoders.
   *
   * @throws org.latentspark.cli.InputException when a part is missing or does not fit
   */
  public static DrawOutline read(
      String checkpoint, Weights weights, String encoders, Configuration hadoop)
      throws IOException {
    Path path = newest(new Path(checkpoint), hadoop);
    return new DrawOutline(path, TextToImage.declared(new Path(encoders), path, weights, hadoop));
  }

  private static Path newest(Path path, Configuration hadoop) throws IOException {
    Checkpoints checkpoints = Checkpoints.of(path, hadoop);
    List<Path> found = checkpoints.list();
    for (int i = found.size() - 1; i >= 0; i--) {
      if (checkpoints.isWhole(found.get(i))) {
        return found.get(i);
      }
    }
    return TextToImage.checkpoint(path, hadoop);
  }

  /** Returns the configuration of the U-Net. */
  public UNet2DConditionConfig unet() {
    return model.sampler().unet().config();
  }

  /** Returns the directory of the checkpoint. */
  public Path checkpoint() {
    return checkpoint;
  }

  /**
   * Tells of the models and of {@code pictures} pictures; -1 where their number is not known.
   *
   * @throws org.latentspark.cli.UsageException when the model does not allow the settings
   */
  public void tell(DrawSettings draw, long pictures, Outline outline) {
    ImageSampler sampler = model.sampler();
    sampler.require(draw);
    long parameters = model.parameters();
    outline.tell("checkpoint", checkpoint.toString());
    outline.tell(
        "models",
        "%s parameters, %s a process",
        Figures.whole(parameters),
        Figures.bytes((double) parameters * Float.BYTES));
    int downscale = sampler.downscale();
    long height = sampler.edge(draw.height(), "height");
    long width = sampler.edge(draw.width(), "width");
    int passes = draw.guidance().scale() == 1 ? 1 : 2;
    double flops =
        draw.steps() * passes * ForwardFlops.of(unet(), (int) height, (int) width, model.tokens());
    outline.tell(
        "a picture",
        "%d x %d pixels, %d steps of %s: %sFLOP in the U-Net",
        width * downscale,
        height * downscale,
        draw.steps(),
        passes == 1 ? "one pass" : "two passes, for guidance",
        Figures.scaled(flops));
    if (pictures < 0) {
      return;
    }
    long batches = (pictures + draw.batchSize() - 1) / draw.batchSize();
    outline.tell(
        "pictures",
        "%s in %s batches of %d: %sFLOP",
        Figures.whole(pictures),
        Figures.whole(batches),
        draw.batchSize(),
        Figures.scaled(flops * pictures));
    outline.time(pictures, "pictures");
  }
}
