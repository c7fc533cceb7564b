package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.averaging.StateStore.Writing;
import org.latentspark.cli.Figures;
import org.latentspark.cli.UsageException;
import org.latentspark.exchange.Wire;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.VectorMemory;

class TestTrainingSize {
  private static final long STABLE_DIFFUSION = 859_520_964;
  private static final long VECTOR = 4 * STABLE_DIFFUSION;

  @Test
  void isWhatWorkersAskForBeforeTheyStart() {
    TrainingSize size = size(2, Wire.FP32, VectorMemory.RESIDENT, Writing.BACKGROUND);
    long available = 2 * size.workerBytes() + size.copyBytes();
    assertThatCode(() -> require(size, available)).doesNotThrowAnyException();
    assertThatThrownBy(() -> require(size, available - 2)).isInstanceOf(UsageException.class);
    assertThat(size.workerBytes()).isEqualTo(7 * VECTOR);
    assertThat(size.besideGpuBytes()).isEqualTo(2 * VECTOR);
    assertThat(size.checkpointBytes()).isEqualTo(4 * VECTOR);
    assertThat(size(2, Wire.FP32, VectorMemory.RESIDENT, Writing.BLOCKING).copyBytes()).isZero();
  }

  @Test
  void vectorsInFilesLeaveMemory() {
    TrainingSize size = size(2, Wire.FP32, new VectorMemory("/scratch"), Writing.BACKGROUND);
    assertThat(size.workerBytes()).isEqualTo(3 * VECTOR);
    assertThat(size.fileBytes()).isEqualTo(4 * VECTOR);
    assertThat(size.copyBytes()).isZero();
  }

  @Test
  void aRingPassesTheVectorAlmostTwice() {
    assertThat(size(1, Wire.FP32, VectorMemory.RESIDENT, Writing.BLOCKING).exchangeBytes())
        .isZero();
    TrainingSize eight = size(8, Wire.FP32, VectorMemory.RESIDENT, Writing.BLOCKING);
    assertThat(eight.exchangeBytes()).isEqualTo(7 * VECTOR / 4);
    assertThat(eight.momentsExchangeBytes()).isEqualTo(2 * 7 * VECTOR / 4);
    assertThat(size(8, Wire.BF16, VectorMemory.RESIDENT, Writing.BLOCKING).exchangeBytes())
        .isEqualTo(7 * VECTOR / 8);
  }

  /** The page's table is made by this arithmetic, and goes with it. */
  @ParameterizedTest
  @CsvSource({"1, 1, 8, 256", "4, 8, 8, 8", "16, 8, 8, 2"})
  void thePageOnSizingSaysTheSame(int nodes, int gpus, int batch, int accumulate)
      throws IOException {
    TrainingSize size = size(nodes * gpus, Wire.FP32, VectorMemory.RESIDENT, Writing.BACKGROUND);
    double exchange = size.exchangeBytes();
    String row =
        "| %d x %d | %d | %d x %d | %s | %s | %s | %s | %s | %s | %s |"
            .formatted(
                nodes,
                gpus,
                nodes * gpus,
                batch,
                accumulate,
                Figures.bytes(size.workerBytes()),
                Figures.bytes((double) gpus * size.besideGpuBytes()),
                Figures.bytes(size.copyBytes()),
                Figures.bytes(exchange),
                seconds(exchange, 10),
                seconds(exchange, 25),
                seconds(exchange, 100));
    assertThat(nodes * gpus * batch * accumulate).isEqualTo(2048);
    assertThat(Files.readString(Path.of("..", "docs", "sizing.md"))).contains(row);
  }

  private static String seconds(double bytes, double gigabits) {
    return bytes == 0
        ? "–"
        : String.format(Locale.ROOT, "%.1f s", bytes * Byte.SIZE / (gigabits * 1e9));
  }

  private static void require(TrainingSize size, long available) {
    int copied = TrainingSize.copiedVectors(size.writing(), size.plan());
    WorkerMemory.require(size.parameters(), size.residentVectors(), 2, copied, available);
  }

  private static TrainingSize size(int workers, Wire wire, VectorMemory vectors, Writing writing) {
    AveragingPlan plan =
        new AveragingPlan(
            workers,
            50,
            20,
            100,
            LearningRate.constant(1e-4),
            new InnerOptimizer.AdamWSettings(0.9, 0.999, 1e-8, 0.01, Decay.ALL),
            1,
            0.9999,
            10,
            Precision.BF16,
            1,
            Duration.ofMinutes(5),
            1,
            new OuterOptimizer.PlainSettings(),
            wire,
            0,
            vectors);
    return new TrainingSize(STABLE_DIFFUSION, plan, writing);
  }
}
