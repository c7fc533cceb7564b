package org.latentspark.train;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.latentspark.cli.Settings;
import org.latentspark.diffusion.BetaSchedule;
import org.latentspark.diffusion.Betas;
import org.latentspark.diffusion.PredictionType;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.diffusion.TimestepSpacing;

/** Reads the keys {@code noise.*} and {@code loss.*} of {@code train}. */
final class NoiseKeys {
  /**
   * What training does to noise and loss besides the schedule.
   *
   * @param offset deviation of the noise that all places of a channel share; 0 for none
   * @param inputPerturbation deviation of the noise that only the noised input has; 0 for none
   * @param minSnrGamma bound of the loss weights; 0 for none
   */
  record Training(double offset, double inputPerturbation, double minSnrGamma)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  private NoiseKeys() {}

  static Training training(Settings settings) {
    return new Training(
        settings.number("noise.offset", 0, 10),
        settings.number("noise.input-perturbation", 0, 10),
        settings.number("loss.min-snr-gamma", 0, 1e9));
  }

  static SchedulerConfig scheduler(Settings settings) {
    SchedulerConfig published = SchedulerConfig.STABLE_DIFFUSION;
    PredictionType type = settings.oneOf("noise.prediction-type", PredictionType.class);
    boolean zeroSnr = settings.flag("noise.rescale-zero-snr");
    if (zeroSnr && type == PredictionType.EPSILON) {
      settings.refuse(
          "noise.rescale-zero-snr",
          "must be false with noise.prediction-type = epsilon: nothing of the sample is left at"
              + " the last step, so the noise there says nothing; train v-prediction or sample");
    }
    Betas betas = betas(settings);
    return new SchedulerConfig(
        zeroSnr ? betas.endingWithoutSignal() : betas,
        type,
        published.clipSampleRange(),
        published.setAlphaToOne(),
        published.stepsOffset(),
        // Only spacings that visit the last step make use of its having no signal.
        zeroSnr ? TimestepSpacing.TRAILING : published.timestepSpacing());
  }

  private static Betas betas(Settings settings) {
    int steps = settings.integer("noise.timesteps", HeldOutLoss.BUCKETS, 1_000_000);
    BetaSchedule schedule = settings.oneOf("noise.schedule", BetaSchedule.class);
    double start = settings.number("noise.beta-start", Double.MIN_VALUE, 1);
    double end = settings.number("noise.beta-end", Double.MIN_VALUE, 1);
    if (end < start || end == 1) {
      settings.refuse("noise.beta-end", "must be from noise.beta-start (" + start + ") to below 1");
    }
    List<Double> trained = trained(settings);
    if (!trained.isEmpty() && trained.size() != steps) {
      settings.refuse(
          "noise.trained-betas",
          "must be as many as noise.timesteps (" + steps + "), not " + trained.size());
    }
    return new Betas(steps, schedule, start, end, trained, false);
  }

  private static List<Double> trained(Settings settings) {
    List<Double> betas = new ArrayList<>();
    for (String text : settings.strings("noise.trained-betas")) {
      try {
        betas.add(Double.valueOf(text));
      } catch (NumberFormatException e) {
        betas.add(Double.NaN);
      }
    }
    if (betas.stream().anyMatch(beta -> !(beta > 0 && beta < 1))) {
      settings.refuse("noise.trained-betas", "must be numbers above 0 and below 1");
    }
    return betas;
  }
}
