package org.latentspark.diffusion;

/** Which of the trained steps a sampler visits (table 2 of Lin et al., 2024). */
public enum TimestepSpacing {
  /** Multiples of T / n, plus the offset as far as there is room for it. */
  LEADING("leading") {
    @Override
    int[] timesteps(int trained, int count, int offset) {
      int[] steps = new int[count];
      int ratio = trained / count;
      int shift = Math.min(offset, trained - 1 - (count - 1) * ratio);
      for (int i = 0; i < count; i++) {
        steps[i] = (count - 1 - i) * ratio + shift;
      }
      return steps;
    }
  },
  /** From the last step down by T / n. */
  TRAILING("trailing") {
    @Override
    int[] timesteps(int trained, int count, int offset) {
      int[] steps = new int[count];
      // NumPy's arange counts in this difference; its last digits decide where halves round to.
      double ratio = trained - (double) trained / count - trained;
      for (int i = 0; i < count; i++) {
        steps[i] = (int) Math.rint(trained + i * ratio) - 1;
      }
      return steps;
    }
  },
  /** Evenly from the last step to the first, both included. */
  LINSPACE("linspace") {
    @Override
    int[] timesteps(int trained, int count, int offset) {
      int[] steps = new int[count];
      for (int i = 0; i < count; i++) {
        int index = count - 1 - i;
        steps[i] = count == 1 ? 0 : (int) Math.rint(index * ((trained - 1.0) / (count - 1)));
      }
      return steps;
    }
  };

  private final String published;

  TimestepSpacing(String published) {
    this.published = published;
  }

  /** Returns the name in {@code scheduler_config.json}. */
  public String published() {
    return published;
  }

  /** Returns {@code count} of the steps 0 to {@code trained - 1}, noisiest first. */
  abstract int[] timesteps(int trained, int count, int offset);
}
