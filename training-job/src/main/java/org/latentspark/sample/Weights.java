package org.latentspark.sample;

/** Which of a checkpoint's two sets of weights draws. */
public enum Weights {
  /** The moving average of the weights, which draws better. */
  EMA("unet_ema"),
  /** The weights as trained. */
  RAW("unet");

  private final String directory;

  Weights(String directory) {
    this.directory = directory;
  }

  /** Returns the name of the directory in a checkpoint. */
  String directory() {
    return directory;
  }
}
