package org.latentspark.unet;

/** What becomes of a block's activations between the forward and the backward pass. */
public enum Activations {
  /** They stay in memory. */
  KEEP,
  /** They are computed once more: far less memory for about a third more time. */
  RECOMPUTE
}
