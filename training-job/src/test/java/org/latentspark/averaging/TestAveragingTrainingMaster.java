package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.spark.impl.graph.SparkComputationGraph;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.cli.InputException;
import org.latentspark.exchange.Wire;
import org.latentspark.graph.Architecture;
import org.latentspark.graph.TorchGraphs;
import org.latentspark.model.TorchModel;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Tensors;
import org.latentspark.tensor.VectorMemory;
import org.nd4j.linalg.learning.config.Adam;

class TestAveragingTrainingMaster {
  private static final long SEED = 20261123;
  private static final String UNET =
      """
      {"_class_name": "UNet2DConditionModel", "sample_size": 4, "in_channels": 2,
       "out_channels": 2, "block_out_channels": [16, 32], "layers_per_block": 1,
       "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
       "cross_attention_dim": 12, "attention_head_dim": 2, "norm_num_groups": 8}
      """;
  private static final LearningRate RATE = LearningRate.constant(0.01);
  private static final InnerOptimizer.Settings ADAMW =
      new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-8, 0.01, Decay.ALL);

  private static JavaSparkContext spark;

  @BeforeAll
  static void start() {
    Natives.operationThreads(1);
    spark =
        new JavaSparkContext(
            new SparkConf()
                .setMaster("local[2]")
                .setAppName("averaging")
                .set("spark.ui.enabled", "false"));
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  @Test
  void oneWorkerEqualsThePlainLoopBitForBit(@TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 4, 2, 4, 12);
    AveragingPlan plan = plan(1, 1, 20, 20, ADAMW, 1.0);
    float[] averaged = train(plan, objective, folder, new ArrayList<>());

    float[] plain;
    try (PointerScope scope = new PointerScope()) {
      TorchModel model = Architecture.UNET.build(UNET);
      Tensor values = torch.zeros(model.parameters().count());
      Tensor gradients = torch.zeros(model.parameters().count());
      model.parameters().bind(values, gradients);
      model.parameters().initialize(SEED);
      InnerOptimizer optimizer = ADAMW.create(values.numel(), List.of(), VectorMemory.RESIDENT);
      Objective.Session session = objective.open(model, List.of(), 0, 1);
      for (int step = 0; step < 20; step++) {
        gradients.zero_();
        session.loss(step).backward();
        double norm = Tensors.norm(gradients);
        if (norm > 1.0) {
          gradients.mul_(new org.bytedeco.pytorch.Scalar(1.0 / (norm + 1e-6)));
        }
        optimizer.step(values, gradients, RATE.at(step), step);
      }
      plain = Tensors.floats(values);
    }
    assertThat(averaged).as("parameters after 20 steps").containsExactly(plain);
  }

  @Test
  void twoWorkersWithSgdEqualTheLargeBatch(@TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 8, 2, 4, 12);
    InnerOptimizer.Settings sgd = new InnerOptimizer.SgdSettings();
    float[] one =
        train(plan(1, 1, 20, 20, sgd, 0), objective, folder.resolve("one"), new ArrayList<>());
    float[] two =
        train(plan(2, 1, 20, 20, sgd, 0), objective, folder.resolve("two"), new ArrayList<>());
    assertThat(two).as("parameters of two workers").containsExactly(one, within(1e-6f));
    assertThat(two).as("a sum in another order").isNotEqualTo(start(folder));
  }

  @ParameterizedTest
  @CsvSource({"5,3", "0,8", "8,0"})
  void workersWithUnequalBatchesEqualTheLargeBatch(int first, int second, @TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 8, 2, 4, 12);
    InnerOptimizer.Settings sgd = new InnerOptimizer.SgdSettings();
    List<RoundReport> ones = new ArrayList<>();
    List<RoundReport> twos = new ArrayList<>();
    float[] one = train(plan(1, 1, 10, 10, sgd, 0), objective, folder.resolve("one"), ones);
    float[] two =
        train(
            plan(2, 1, 10, 10, sgd, 0),
            objective.shared(first, second),
            folder.resolve("two"),
            twos);
    assertThat(StateVectors.distance(two, one)).as("two workers from one").isLessThan(1e-6f);
    assertThat(twos.get(9).loss()).isCloseTo(ones.get(9).loss(), within(1e-5));
    assertThat(twos.get(9).examples()).isEqualTo(80);
  }

  @Test
  void workerWithoutDataLeavesTheMomentsToTheOthers(@TempDir Path folder) throws Exception {
    NoiseObjective objective = new NoiseObjective(SEED, 8, 2, 4, 12);
    train(plan(1, 3, 2, 4, ADAMW, 1), objective, folder.resolve("one"), new ArrayList<>());
    train(
        plan(2, 3, 2, 4, ADAMW, 1),
        objective.shared(0, 8),
        folder.resolve("two"),
        new ArrayList<>());
    for (String name : List.of("average", "exp_avg", "exp_avg_sq")) {
      float[] one = FileStateStore.floats(folder.resolve("one").resolve(name));
      float[] two = FileStateStore.floats(folder.resolve("two").resolve(name));
      assertThat(StateVectors.distance(two, one)).as(name).isLessThan(1e-3f);
    }
  }

  @Test
  void accumulatedBatchesEqualOneLargeBatch(@TempDir Path folder) {
    InnerOptimizer.Settings sgd = new InnerOptimizer.SgdSettings();
    AveragingPlan whole = plan(1, 2, 5, 5, sgd, 1);
    List<RoundReport> wholes = new ArrayList<>();
    List<RoundReport> parts = new ArrayList<>();
    float[] large =
        train(whole, new NoiseObjective(SEED, 8, 2, 4, 12), folder.resolve("a"), wholes);
    float[] accumulated =
        train(
            with(whole, 4, new OuterOptimizer.PlainSettings(), 0, VectorMemory.RESIDENT),
            new NoiseObjective(SEED, 2, 2, 4, 12),
            folder.resolve("b"),
            parts);
    assertThat(StateVectors.distance(accumulated, large)).isLessThan(1e-6f);
    assertThat(parts.get(4).loss()).isCloseTo(wholes.get(4).loss(), within(1e-5));
    assertThat(parts.get(4).examples()).isEqualTo(wholes.get(4).examples()).isEqualTo(80);
  }

  @Test
  void vectorsInFilesChangeNoBit(@TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 8, 2, 4, 12);
    OuterOptimizer.Settings nesterov = new OuterOptimizer.NesterovSettings(0.7, 0.9);
    AveragingPlan plan = plan(2, 3, 2, 4, ADAMW, 1);
    float[] resident =
        train(
            with(plan, 1, nesterov, 0, VectorMemory.RESIDENT),
            objective,
            folder.resolve("a"),
            new ArrayList<>());
    float[] mapped =
        train(
            with(plan, 1, nesterov, 0, new VectorMemory(folder.resolve("vectors").toString())),
            objective,
            folder.resolve("b"),
            new ArrayList<>());
    assertThat(StateVectors.distance(mapped, resident)).isZero();
    assertThat(folder.resolve("vectors")).isEmptyDirectory();
  }

  @Test
  void segmentsContinueWhereTheLastOneEnded(@TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 8, 2, 4, 12);
    List<RoundReport> whole = new ArrayList<>();
    List<RoundReport> parts = new ArrayList<>();
    float[] once = train(plan(2, 3, 4, 4, ADAMW, 1), objective, folder.resolve("a"), whole);
    float[] twice = train(plan(2, 3, 2, 4, ADAMW, 1), objective, folder.resolve("b"), parts);
    assertThat(parts).extracting(RoundReport::round).containsExactly(1L, 2L, 3L, 4L);
    assertThat(parts).extracting(RoundReport::step).containsExactly(3L, 6L, 9L, 12L);
    // Moments are averaged between segments, so the parameters agree closely but not to the bit.
    assertThat(parts.get(1).loss()).isEqualTo(whole.get(1).loss());
    assertThat(parts.get(3).loss()).isCloseTo(whole.get(3).loss(), within(5e-2));
    assertThat(twice).as("the second segment moved the parameters").isNotEqualTo(start(folder));
    assertThat(once).hasSameSizeAs(twice);
  }

  @Test
  void reportsAreKeptBeforeEachStateAndWhileAnEarlierOneIsLookedAt(@TempDir Path folder) {
    List<Long> heard = new CopyOnWriteArrayList<>();
    List<String> kept = new CopyOnWriteArrayList<>();
    CountDownLatch keptTwice = new CountDownLatch(2);
    List<Boolean> inTime = new CopyOnWriteArrayList<>();
    List<String> states = new CopyOnWriteArrayList<>();
    RunListener listener =
        new RunListener() {
          @Override
          public void round(RoundReport report) {
            heard.add(report.round());
          }

          @Override
          public void keep() {
            long last = heard.get(heard.size() - 1);
            kept.add(last + (FileStateStore.round(folder) < last ? " to come" : " written"));
            keptTwice.countDown();
          }

          @Override
          public void state(String name) {
            states.add(name);
            try {
              inTime.add(keptTwice.await(20, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
        };
    NoiseObjective objective = new NoiseObjective(SEED, 8, 2, 4, 12);
    train(plan(2, 3, 2, 6, ADAMW, 1), objective, folder, listener);
    assertThat(heard).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    assertThat(kept).containsExactly("2 to come", "4 to come", "6 to come");
    assertThat(inTime).doesNotContain(false);
    assertThat(states).containsExactly("2", "4", "6");
  }

  @Test
  void lossFallsAndValidationIsReported(@TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 16, 2, 4, 12);
    List<RoundReport> reports = new ArrayList<>();
    train(plan(2, 10, 6, 6, ADAMW, 1), objective, folder, reports);
    assertThat(reports.get(5).loss()).isLessThan(0.8 * reports.get(0).loss());
    assertThat(reports.get(0).validationLoss()).isNotNull();
    assertThat(reports.get(5).exchangeShare()).isBetween(0.0, 1.0);
  }

  @Test
  void infiniteRateStopsBeforeTheAverage(@TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 8, 2, 4, 12);
    AveragingPlan plan =
        new AveragingPlan(
            2,
            3,
            2,
            2,
            LearningRate.constant(1e30),
            new InnerOptimizer.SgdSettings(),
            0,
            0.99,
            1,
            Precision.FP32,
            1,
            Duration.ofSeconds(30));
    assertThatThrownBy(() -> train(plan, objective, folder, new ArrayList<>()))
        .isInstanceOf(NonFiniteException.class)
        .hasMessageContaining("Nothing of it reached the average");
    assertThat(folder.resolve("rounds")).doesNotExist();
  }

  @Test
  void passingFaultOfOneWorkerChangesNoBit(@TempDir Path folder) {
    NoiseObjective sound = new NoiseObjective(SEED, 8, 2, 4, 12);
    AveragingPlan plan = plan(2, 3, 4, 4, ADAMW, 1);
    float[] undisturbed = train(plan, sound, folder.resolve("a"), new ArrayList<>());
    FaultyObjective.BROKEN.set(0);
    List<RoundReport> reports = new ArrayList<>();
    float[] disturbed =
        train(
            plan,
            new FaultyObjective(sound, FaultyObjective.Fault.NAN_ONCE),
            folder.resolve("b"),
            reports);
    assertThat(FaultyObjective.BROKEN).as("times that the step was made").hasValue(2);
    assertThat(disturbed).containsExactly(undisturbed);
    assertThat(reports).extracting(RoundReport::discarded).containsOnlyNulls();
  }

  @Test
  void roundWithAnExampleThatGivesNanIsMadeAnewWithOthers(@TempDir Path folder) {
    NoiseObjective sound = new NoiseObjective(SEED, 8, 2, 4, 12);
    AveragingPlan plan = plan(2, 3, 4, 4, ADAMW, 1);
    Objective faulty = new FaultyObjective(sound, FaultyObjective.Fault.NAN_OF_THE_BATCH);
    List<RoundReport> reports = new ArrayList<>();
    float[] first = train(plan, faulty, folder.resolve("a"), reports);
    assertThat(reports).extracting(RoundReport::discarded).containsExactly(null, 1, null, null);
    assertThat(reports).allMatch(report -> Double.isFinite(report.loss()));
    float[] again = train(plan, faulty, folder.resolve("b"), new ArrayList<>());
    assertThat(again).as("a rerun").containsExactly(first);
    float[] undisturbed = train(plan, sound, folder.resolve("c"), new ArrayList<>());
    assertThat(first).as("other examples").isNotEqualTo(undisturbed);
  }

  @Test
  void nanOfEveryBatchStopsWithWhatLedThere(@TempDir Path folder) {
    Objective faulty =
        new FaultyObjective(
            new NoiseObjective(SEED, 8, 2, 4, 12), FaultyObjective.Fault.NAN_OF_EVERY_BATCH);
    List<RoundReport> reports = new ArrayList<>();
    assertThatThrownBy(() -> train(plan(2, 3, 4, 4, ADAMW, 1), faulty, folder, reports))
        .isInstanceOfSatisfying(
            NonFiniteException.class,
            failure ->
                assertThat(failure.dumps())
                    .singleElement()
                    .asString()
                    .contains("\"round\":2,\"worker\":1", "\"retried\":1", "\"loss\":\"NaN\"")
                    .contains("[\"example of step " + ((1L << 40) + 3) + "\"]"))
        .hasMessageStartingWith("Round 2 gave NaN or infinite values with two sets of examples");
    assertThat(reports).extracting(RoundReport::round).containsExactly(1L);
    assertThat(folder.resolve("rounds")).doesNotExist();
  }

  @Test
  void badInputOfOneWorkerKeepsItsKind(@TempDir Path folder) {
    Objective faulty =
        new FaultyObjective(new NoiseObjective(SEED, 8, 2, 4, 12), FaultyObjective.Fault.BAD_INPUT);
    assertThatThrownBy(() -> train(plan(2, 3, 4, 4, ADAMW, 1), faulty, folder, new ArrayList<>()))
        .isInstanceOf(InputException.class)
        .hasMessage("shard 7 is damaged");
  }

  @Test
  @Tag("chaos")
  void workerThatStandsStillEndsTheSegmentAtTheDeadline(@TempDir Path folder) {
    Objective faulty =
        new FaultyObjective(
            new NoiseObjective(SEED, 8, 2, 4, 12), FaultyObjective.Fault.STANDS_STILL);
    AveragingPlan plan =
        new AveragingPlan(
            2, 3, 2, 2, RATE, ADAMW, 1, 0.99, 1, Precision.FP32, 1, Duration.ofSeconds(2));
    assertThatThrownBy(() -> train(plan, faulty, folder, new ArrayList<>()))
        .isInstanceOf(SegmentFailedException.class)
        .hasMessageContaining("worker 0 on ")
        .hasMessageContaining("Timed out");
    assertThat(new Slots(spark).settle(Duration.ofMinutes(1))).as("executors replaced").isEmpty();
  }

  @Test
  void loneWorkerThatOverlapsMakesThePlainSteps(@TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 4, 2, 4, 12);
    AveragingPlan plan = plan(1, 4, 3, 6, ADAMW, 1.0);
    float[] waiting = train(plan, objective, folder.resolve("waiting"), new ArrayList<>());
    float[] overlapping =
        train(overlap(plan, 2), objective, folder.resolve("overlapping"), new ArrayList<>());
    assertThat(overlapping).as("parameters after 24 steps").containsExactly(waiting);
  }

  @ParameterizedTest
  @CsvSource({"0", "1", "2"})
  void overlappingWorkersKeepTheirStepsSinceTheDeparture(int overlap, @TempDir Path folder) {
    NoiseObjective objective = new NoiseObjective(SEED, 8, 2, 4, 12);
    InnerOptimizer.Settings sgd = new InnerOptimizer.SgdSettings();
    AveragingPlan plan = overlap(plan(2, 2, 3, 3, sgd, 0), overlap);
    float[] trained = train(plan, objective, folder.resolve("a"), new ArrayList<>());
    assertThat(trained)
        .as("the same again")
        .containsExactly(train(plan, objective, folder.resolve("b"), new ArrayList<>()));
    float[] expected = twoWorkersByHand(objective, overlap);
    assertThat(StateVectors.distance(trained, expected)).as("by hand").isLessThan(1e-6f);
    if (overlap > 0) {
      float[] waiting = twoWorkersByHand(objective, 0);
      assertThat(StateVectors.distance(trained, waiting)).as("staleness").isGreaterThan(1e-5f);
    }
  }

  /**
   * Makes three rounds of two steps of two workers in one thread; the first average is waited for.
   */
  private static float[] twoWorkersByHand(NoiseObjective objective, int overlap) {
    try (PointerScope scope = new PointerScope()) {
      TorchModel model = Architecture.UNET.build(UNET);
      Tensor values = torch.zeros(model.parameters().count());
      Tensor gradients = torch.zeros(model.parameters().count());
      model.parameters().bind(values, gradients);
      model.parameters().initialize(SEED);
      Tensor average = values.clone();
      Tensor[] own = {values.clone(), values.clone()};
      Tensor[] correction = new Tensor[2];
      for (int round = 0; round < 3; round++) {
        for (int local = 0; local < 2; local++) {
          for (int rank = 0; rank < 2; rank++) {
            if (local == overlap && correction[rank] != null) {
              own[rank].add_(correction[rank]);
              correction[rank] = null;
            }
            values.copy_(own[rank]);
            gradients.zero_();
            int step = 2 * round + local;
            objective.open(model, List.of(), rank, 2).loss(step).backward();
            own[rank].sub_(gradients.mul(new org.bytedeco.pytorch.Scalar(RATE.at(step))));
          }
        }
        for (int rank = 0; rank < 2; rank++) {
          if (correction[rank] != null) {
            own[rank].add_(correction[rank]);
            correction[rank] = null;
          }
        }
        Tensor next = own[0].add(own[1]).div(new org.bytedeco.pytorch.Scalar(2));
        for (int rank = 0; rank < 2; rank++) {
          // The first and the last average are measured, and therefore waited for.
          if (overlap == 0 || round != 1) {
            own[rank].copy_(next);
          } else {
            correction[rank] = next.sub(own[rank]);
          }
        }
        average.copy_(next);
      }
      return Tensors.floats(average);
    }
  }

  private static AveragingPlan overlap(AveragingPlan plan, int steps) {
    return with(plan, plan.accumulate(), plan.outer(), steps, plan.vectors());
  }

  private static AveragingPlan with(
      AveragingPlan plan,
      int accumulate,
      OuterOptimizer.Settings outer,
      int overlap,
      VectorMemory memory) {
    return new AveragingPlan(
        plan.workers(),
        plan.frequency(),
        plan.segmentRounds(),
        plan.rounds(),
        plan.learningRate(),
        plan.optimizer(),
        plan.clipNorm(),
        plan.emaDecay(),
        plan.validationRounds(),
        plan.precision(),
        plan.threads(),
        plan.deadline(),
        accumulate,
        outer,
        Wire.FP32,
        overlap,
        memory);
  }

  private static AveragingPlan plan(
      int workers,
      int frequency,
      int segment,
      long rounds,
      InnerOptimizer.Settings optimizer,
      double clip) {
    return new AveragingPlan(
        workers,
        frequency,
        segment,
        rounds,
        RATE,
        optimizer,
        clip,
        0.99,
        100,
        Precision.FP32,
        1,
        Duration.ofSeconds(60));
  }

  private static float[] start(Path folder) {
    try (PointerScope scope = new PointerScope()) {
      TorchModel model = Architecture.UNET.build(UNET);
      model.parameters().allocate();
      model.parameters().initialize(SEED);
      return Tensors.floats(model.parameters().values());
    }
  }

  private static float[] train(
      AveragingPlan plan, Objective objective, Path folder, List<RoundReport> reports) {
    return train(plan, objective, folder, (RunListener) reports::add);
  }

  private static float[] train(
      AveragingPlan plan, Objective objective, Path folder, RunListener listener) {
    ComputationGraphConfiguration configuration =
        TorchGraphs.configuration(Architecture.UNET, UNET, SEED, new Adam(0.01));
    ComputationGraph network = new ComputationGraph(configuration);
    network.init();
    SparkComputationGraph graph =
        new SparkComputationGraph(
            spark,
            network,
            new AveragingTrainingMaster(
                plan, objective, new FileStateStore(folder.toString(), SEED), listener));
    graph.fitPathsMultiDataSet(spark.parallelize(List.of("none"), 1));
    return graph.getNetwork().params().toFloatVector();
  }
}
