package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.apache.spark.SparkConf;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.exchange.Collective;
import org.latentspark.exchange.Member;
import org.latentspark.exchange.Place;
import org.latentspark.exchange.Secret;
import org.latentspark.exchange.Wire;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;
import org.latentspark.tensor.VectorMemory;

/** Averages replicas of workers that are threads here, joined by sockets as on a cluster. */
class TestAverage {
  private static final long SEED = 20261123;
  private static final Duration DEADLINE = Duration.ofMinutes(2);
  private static final int COUNT = 1001;

  /** Values of one of the ring's segments; a stretch has one for each worker. */
  private static final int SEGMENT = 1 << 16;

  private static final OuterOptimizer.Settings PLAIN = new OuterOptimizer.PlainSettings();

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void averageIsTheMeanWeightedByExamples(int workers) throws Exception {
    long[] examples = new long[workers];
    for (int rank = 0; rank < workers; rank++) {
      examples[rank] = 1 + 3L * rank;
    }
    assertWeightedMean(examples, Wire.FP32, 1e-6f);
  }

  @Test
  void workerWithoutDataTakesPartWithoutWeight() throws Exception {
    assertWeightedMean(new long[] {4, 0}, Wire.FP32, 1e-6f);
    assertWeightedMean(new long[] {0, 3, 5}, Wire.FP32, 1e-6f);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void bf16OnTheWireStaysWithinItsRounding(int workers) throws Exception {
    long[] examples = new long[workers];
    Arrays.fill(examples, 4);
    // The differences are at most about 4: half a unit in the last of 8 bits, for each rounding.
    assertWeightedMean(examples, Wire.BF16, 4 * workers / 256f);
    List<float[]> exact = averages(examples, PLAIN, Wire.FP32, COUNT);
    float[] rounded = averages(examples, PLAIN, Wire.BF16, COUNT).get(0);
    assertThat(StateVectors.distance(rounded, exact.get(0))).as("rounding").isGreaterThan(1e-5f);
  }

  @Test
  void bf16OnTheWireDoesNotTouchALoneWorker() throws Exception {
    float[] average = averages(new long[] {4}, PLAIN, Wire.BF16, COUNT).get(0);
    assertThat(Arrays.equals(average, replica(0, COUNT))).isTrue();
  }

  @Test
  void vectorsOfManyStretchesAreAveragedWhole() throws Exception {
    int count = 21 * SEGMENT + 5;
    List<float[]> averages = averages(new long[] {1, 1}, PLAIN, Wire.FP32, count);
    float[] first = replica(0, count);
    float[] second = replica(1, count);
    for (int place : new int[] {0, count / 2, 2 * SEGMENT - 1, count - 5, count - 1}) {
      assertThat(averages.get(1)[place])
          .as("value at %d", place)
          .isCloseTo((first[place] + second[place]) / 2, within(1e-6f));
    }
  }

  @Test
  void workersOfOneMachineAndOfSeveralAverageAlike() throws Exception {
    int count = 5 * SEGMENT + 3;
    long[] examples = {1, 2, 3};
    List<float[]> near = averages(examples, PLAIN, Wire.FP32, count);
    List<float[]> apart =
        averages(examples, PLAIN, Wire.FP32, count, rank -> "127.0.0." + (rank + 1));
    assertThat(Arrays.equals(near.get(0), apart.get(2))).as("alike to the bit").isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void nesterovStepsFromTheMeanDifference(int workers) throws Exception {
    long[] examples = new long[workers];
    Arrays.fill(examples, 2);
    OuterOptimizer.Settings nesterov = new OuterOptimizer.NesterovSettings(0.7, 0.9);
    float[] expected = averages(examples, PLAIN, Wire.FP32, COUNT).get(0);
    for (int place = 0; place < COUNT; place++) {
      // The average before was 1 everywhere; a first step's momentum is the difference itself.
      expected[place] = 1 + 0.7f * 1.9f * (expected[place] - 1);
    }
    assertThat(
            StateVectors.distance(averages(examples, nesterov, Wire.FP32, COUNT).get(0), expected))
        .isLessThan(1e-5f);
  }

  private static void assertWeightedMean(long[] examples, Wire wire, float tolerance)
      throws Exception {
    List<float[]> averages = averages(examples, PLAIN, wire, COUNT);
    double all = Arrays.stream(examples).sum();
    float[] expected = new float[COUNT];
    for (int place = 0; place < COUNT; place++) {
      double mean = 0;
      for (int rank = 0; rank < examples.length; rank++) {
        mean += examples[rank] / all * replica(rank, COUNT)[place];
      }
      expected[place] = (float) mean;
    }
    for (float[] average : averages) {
      assertThat(StateVectors.distance(average, expected)).isLessThan(tolerance);
      assertThat(Arrays.equals(average, averages.get(0))).as("alike to the bit").isTrue();
    }
  }

  /** Averages once, from 1 everywhere, and returns each worker's average. */
  private static List<float[]> averages(
      long[] examples, OuterOptimizer.Settings outer, Wire wire, int count) throws Exception {
    return averages(examples, outer, wire, count, rank -> "127.0.0.1");
  }

  private static List<float[]> averages(
      long[] examples,
      OuterOptimizer.Settings outer,
      Wire wire,
      int count,
      IntFunction<String> hosts)
      throws Exception {
    int workers = examples.length;
    double all = Arrays.stream(examples).sum();
    ExecutorService threads = Executors.newFixedThreadPool(workers);
    Secret secret = Secret.draw(new SparkConf(false));
    try (Rendezvous rendezvous = new Rendezvous(workers, secret, DEADLINE, report -> {})) {
      List<Future<float[]>> results = new ArrayList<>();
      for (int rank = 0; rank < workers; rank++) {
        int own = rank;
        results.add(
            threads.submit(
                () -> {
                  try (DriverLink driver =
                      DriverLink.open(secret, "127.0.0.1", rendezvous.port(), DEADLINE)) {
                    Member member =
                        new Member(driver, secret, hosts.apply(own), own, workers, Place.CPU);
                    return average(member, plan(workers, outer, wire), examples[own] / all, count);
                  }
                }));
      }
      List<float[]> averages = new ArrayList<>();
      for (Future<float[]> result : results) {
        averages.add(result.get(DEADLINE.toSeconds(), TimeUnit.SECONDS));
      }
      return averages;
    } finally {
      threads.shutdownNow();
    }
  }

  private static float[] average(Member own, AveragingPlan plan, double share, int count)
      throws Exception {
    try (PointerScope scope = new PointerScope();
        Collective peers = Collective.join(own, DEADLINE);
        Average average = new Average(count, plan)) {
      average.values().fill_(new org.bytedeco.pytorch.Scalar(1));
      Tensor replica = Tensors.of(replica(own.rank(), count), count);
      average.update(peers, replica, share, Collective.Stretch.NONE);
      assertThat(replica.equal(average.values())).as("the replica follows").isTrue();
      return Tensors.floats(average.values());
    }
  }

  private static float[] replica(int rank, int count) {
    try (PointerScope scope = new PointerScope()) {
      return Tensors.floats(torch.randn(new long[] {count}, Seeds.generator(SEED, rank)));
    }
  }

  private static AveragingPlan plan(int workers, OuterOptimizer.Settings outer, Wire wire) {
    return new AveragingPlan(
        workers,
        1,
        1,
        1,
        LearningRate.constant(1),
        new InnerOptimizer.SgdSettings(),
        0,
        0.99,
        1,
        Precision.FP32,
        1,
        DEADLINE,
        1,
        outer,
        wire,
        0,
        VectorMemory.RESIDENT);
  }
}
