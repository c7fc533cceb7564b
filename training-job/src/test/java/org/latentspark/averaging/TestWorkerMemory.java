package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.latentspark.cli.UsageException;

class TestWorkerMemory {
  private static final long GIBIBYTE = 1L << 30;
  private static final long STABLE_DIFFUSION = 859_520_964;

  @Test
  void whatFitsIsAccepted() {
    long need = STABLE_DIFFUSION * 4 * 7;
    assertThatCode(() -> WorkerMemory.require(STABLE_DIFFUSION, 6, 2, 0, 2 * need))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> WorkerMemory.require(STABLE_DIFFUSION, 6, 2, 0, 2 * need - 2))
        .isInstanceOf(UsageException.class);
  }

  @Test
  void refusalTellsTheNeedWhatThereIsAndWhatToChange() {
    assertThatThrownBy(() -> WorkerMemory.require(STABLE_DIFFUSION, 6, 2, 4, 24 * GIBIBYTE))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("859,520,964 parameters need at least 22.4 GiB a worker (6 vectors")
        .hasMessageContaining("12.8 GiB for the checkpoint that is being written")
        .hasMessageContaining("set checkpoint.writing to blocking")
        .hasMessageContaining("24.0 GiB are left here for 2 worker(s)")
        .hasMessageContaining("run fewer workers on a host, choose a smaller model");
  }

  @Test
  void copyOfTheStateCountsOnceAHost() {
    long vector = STABLE_DIFFUSION * 4;
    assertThatCode(() -> WorkerMemory.require(STABLE_DIFFUSION, 6, 2, 4, (2 * 7 + 4) * vector))
        .doesNotThrowAnyException();
    assertThatThrownBy(
            () -> WorkerMemory.require(STABLE_DIFFUSION, 6, 2, 4, (2 * 7 + 4) * vector - 2))
        .isInstanceOf(UsageException.class);
  }

  @Test
  void gpuHoldsWhatAWorkerHoldsAndTheHostDl4jsVectorsAndTheCopy() {
    long vector = STABLE_DIFFUSION * 4;
    assertThatCode(() -> WorkerMemory.requireOnGpu(STABLE_DIFFUSION, 6, 7 * vector))
        .doesNotThrowAnyException();
    assertThatThrownBy(() -> WorkerMemory.requireOnGpu(STABLE_DIFFUSION, 6, 7 * vector - 1))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("need at least 22.4 GiB, and 22.4 GiB are free");
    assertThatCode(
            () -> WorkerMemory.requireBesideGpus(STABLE_DIFFUSION, 8, 4, (8 * 2 + 4) * vector))
        .doesNotThrowAnyException();
    assertThatThrownBy(
            () -> WorkerMemory.requireBesideGpus(STABLE_DIFFUSION, 8, 4, (8 * 2 + 4) * vector - 1))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("8 worker(s)");
  }

  @Test
  void thisMachineTellsWhatItHasLeft() {
    assertThat(WorkerMemory.available()).isBetween(64L << 20, 64L << 40);
  }
}
