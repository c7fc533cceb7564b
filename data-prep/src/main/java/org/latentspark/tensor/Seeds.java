package org.latentspark.tensor;

import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Derives independent random streams from a run's seed and the place where they are used.
 *
 * <p>Mixing is SplitMix64's finalizer (Steele et al., "Fast splittable pseudorandom number
 * generators", 2014), so neighbouring keys give unrelated streams.
 */
public final class Seeds {
  private Seeds() {}

  /** Returns the seed of the stream named by keys such as (worker, round, step). */
  public static long derive(long seed, long... keys) {
    long state = mix(seed + 0x9E3779B97F4A7C15L);
    for (long key : keys) {
      state = mix(state ^ mix(key + 0x9E3779B97F4A7C15L));
    }
    return state;
  }

  /** Returns a CPU generator at the start of the stream named by the keys. */
  public static GeneratorOptional generator(long seed, long... keys) {
    return new GeneratorOptional(torch.make_generator_cpu(derive(seed, keys)));
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
