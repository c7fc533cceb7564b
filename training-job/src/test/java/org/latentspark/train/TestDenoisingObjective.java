package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.averaging.Objective;
import org.latentspark.diffusion.Betas;
import org.latentspark.diffusion.LatentScale;
import org.latentspark.diffusion.NoiseSchedule;
import org.latentspark.diffusion.PredictionType;
import org.latentspark.diffusion.SchedulerConfig;
import org.latentspark.diffusion.TimestepSpacing;
import org.latentspark.graph.TinyUNet;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RowReader;
import org.latentspark.latents.Split;
import org.latentspark.unet.Activations;
import org.latentspark.unet.UNet2DConditionConfig;
import org.latentspark.unet.UNet2DConditionModel;

class TestDenoisingObjective {
  private static final long SEED = 20261123;
  private static final NoiseKeys.Training PLAIN = new NoiseKeys.Training(0, 0, 0);

  @TempDir static Path folder;

  @BeforeAll
  static void writeDataset() throws IOException {
    TinyDataset.write(folder, 12, 2, SEED);
  }

  @Test
  void repeatsTheLossOfAStepAndNoOther() throws IOException {
    NoiseKeys.Training all = new NoiseKeys.Training(0.1, 0.1, 5);
    Set<Double> losses = new HashSet<>();
    for (long step = 0; step < 4; step++) {
      losses.add(loss(all, PredictionType.EPSILON, 0, step));
      losses.add(loss(all, PredictionType.EPSILON, 1, step));
    }
    assertThat(losses).hasSize(8);
    assertThat(loss(all, PredictionType.EPSILON, 1, 3)).isIn(losses);
  }

  @Test
  void batchesPreparedAheadAreThoseAskedForAlone() throws IOException {
    List<Double> inTurn = new ArrayList<>();
    long[] steps = {0, 1, 2, 2, 1L << 40, 3};
    try (Objective.Session session =
        objective(PLAIN, PredictionType.EPSILON, 6).open(model(), List.of(), 0, 2)) {
      for (long step : steps) {
        try (PointerScope scope = new PointerScope();
            NoGradGuard guard = new NoGradGuard()) {
          session.await(step);
          inTurn.add(session.loss(step).item_double());
        }
      }
    }
    List<Double> alone = new ArrayList<>();
    for (long step : steps) {
      alone.add(loss(PLAIN, PredictionType.EPSILON, 0, step));
    }
    assertThat(inTurn).isEqualTo(alone);
  }

  @Test
  void eachOptionChangesTheLoss() throws IOException {
    assertThat(
            Set.of(
                loss(PLAIN, PredictionType.EPSILON, 0, 0),
                loss(new NoiseKeys.Training(0.5, 0, 0), PredictionType.EPSILON, 0, 0),
                loss(new NoiseKeys.Training(0, 0.5, 0), PredictionType.EPSILON, 0, 0),
                loss(new NoiseKeys.Training(0, 0, 0.01), PredictionType.EPSILON, 0, 0),
                loss(PLAIN, PredictionType.V_PREDICTION, 0, 0),
                loss(PLAIN, PredictionType.SAMPLE, 0, 0)))
        .hasSize(6);
  }

  /** A model that is all zeros predicts 0, so the loss is the mean square of its target. */
  @Test
  void theOffsetIsPartOfTheTargetAndThePerturbationIsNot() throws IOException {
    double plain = zeroLoss(PLAIN);
    assertThat(plain).as("mean square of standard normal noise").isCloseTo(1, within(0.1));
    assertThat(zeroLoss(new NoiseKeys.Training(3, 0, 0))).isCloseTo(10, within(4.0));
    assertThat(zeroLoss(new NoiseKeys.Training(0, 3, 0))).isEqualTo(plain);
  }

  @Test
  void aGammaAboveEverySnrWeighsNoiseAsOneAndASmallOneLess() throws IOException {
    double plain = loss(PLAIN, PredictionType.EPSILON, 0, 0);
    assertThat(loss(new NoiseKeys.Training(0, 0, 1e9), PredictionType.EPSILON, 0, 0))
        .isCloseTo(plain, within(1e-5 * plain));
    assertThat(loss(new NoiseKeys.Training(0, 0, 0.01), PredictionType.EPSILON, 0, 0))
        .isBetween(0.0, 0.9 * plain);
  }

  @Test
  void theHeldOutLossLeavesTheOptionsOut() throws IOException {
    assertThat(heldOut(new NoiseKeys.Training(0.5, 0.5, 1))).isEqualTo(heldOut(PLAIN));
  }

  @Test
  void theHeldOutLossIsTheMeanOverPairsAndTheirBuckets() throws IOException {
    LatentDataset dataset =
        LatentDataset.open(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration());
    Manifest manifest = dataset.manifest();
    HeldOutLoss loss =
        new HeldOutLoss(
            model(),
            new NoiseSchedule(SchedulerConfig.STABLE_DIFFUSION),
            LatentScale.normalizing(manifest.latent().mean(), manifest.latent().std()),
            SEED);
    double sum = 0;
    try (RowReader<EncodedPair> pairs = dataset.read(dataset.files().get(0), Split.VALIDATION)) {
      while (pairs.hasNext()) {
        double[] losses = loss.of(pairs.next(), manifest);
        assertThat(Arrays.stream(losses).distinct()).hasSize(HeldOutLoss.BUCKETS);
        sum += Arrays.stream(losses).average().orElseThrow();
      }
    }
    assertThat(sum).isCloseTo(heldOut(PLAIN), within(1e-6));
  }

  private static double zeroLoss(NoiseKeys.Training noising) throws IOException {
    UNet2DConditionModel model = model();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      model.parameters().values().zero_();
    }
    return loss(model, objective(noising, PredictionType.EPSILON, 12), 0, 0);
  }

  private static double loss(NoiseKeys.Training noising, PredictionType type, int rank, long step)
      throws IOException {
    return loss(model(), objective(noising, type, 6), rank, step);
  }

  private static double loss(
      UNet2DConditionModel model, DenoisingObjective objective, int rank, long step)
      throws IOException {
    try (Objective.Session session = objective.open(model, List.of(), rank, 2);
        PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return session.loss(step).item_double();
    }
  }

  private static double heldOut(NoiseKeys.Training noising) throws IOException {
    try (Objective.Session session =
            objective(noising, PredictionType.EPSILON, 6).open(model(), List.of(), 0, 1);
        PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return session.validate().lossSum();
    }
  }

  private static UNet2DConditionModel model() {
    UNet2DConditionModel model =
        new UNet2DConditionModel(UNet2DConditionConfig.fromJson(TinyUNet.CONFIG));
    model.parameters().allocate();
    model.parameters().initialize(SEED);
    return model;
  }

  private static DenoisingObjective objective(
      NoiseKeys.Training noising, PredictionType type, int batchSize) {
    Betas betas = SchedulerConfig.STABLE_DIFFUSION.betas();
    SchedulerConfig config = new SchedulerConfig(betas, type, 0, false, 1, TimestepSpacing.LEADING);
    LatentStream.Limits limits = new LatentStream.Limits(1 << 30, 0);
    return new DenoisingObjective(
        folder.toString(),
        1,
        config.toJson(),
        noising,
        0.1,
        batchSize,
        SEED,
        limits,
        Activations.KEEP);
  }
}
