package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.function.LongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.latentspark.cli.InputException;

@Timeout(300)
class TestPrefetch {
  private final Collection<Long> prepared = new ConcurrentLinkedQueue<>();
  private final Collection<Long> released = new ConcurrentLinkedQueue<>();

  @Test
  void preparesEachBatchOnceInTurnAndOneAhead() {
    try (Prefetch<Long> batches = prefetch(number -> number)) {
      for (long number = 5; number < 8; number++) {
        batches.await(number);
        assertThat(batches.take(number)).isEqualTo(number);
      }
    }
    assertThat(prepared).startsWith(5L, 6L, 7L).doesNotContain(9L);
    assertThat(released).isSubsetOf(List.of(8L));
  }

  @Test
  void nextBatchIsPreparedWhileTheOneBeforeIsInUse() throws Exception {
    CountDownLatch ahead = new CountDownLatch(1);
    LongFunction<Long> signalling =
        number -> {
          if (number == 1) {
            ahead.countDown();
          }
          return number;
        };
    try (Prefetch<Long> batches = prefetch(signalling)) {
      batches.take(0);
      ahead.await();
    }
  }

  @Test
  void anyBatchMayBeAskedForAndTheOthersAreReleased() {
    try (Prefetch<Long> batches = prefetch(number -> number)) {
      assertThat(batches.take(0)).isZero();
      assertThat(batches.take(0)).isZero();
      assertThat(batches.take(1L << 40)).isEqualTo(1L << 40);
      assertThat(batches.take(1)).isEqualTo(1);
    }
    List<Long> taken = List.of(0L, 0L, 1L << 40, 1L);
    assertThat(released).hasSize(prepared.size() - taken.size());
  }

  @Test
  void failureIsToldToWhoeverAsksForThatBatch() {
    LongFunction<Long> damaged =
        number -> {
          if (number == 2) {
            throw new InputException("batch 2 is damaged");
          }
          return number;
        };
    try (Prefetch<Long> batches = prefetch(damaged)) {
      assertThat(batches.take(1)).isEqualTo(1);
      assertThatThrownBy(() -> batches.await(2)).isInstanceOf(InputException.class);
      assertThatThrownBy(() -> batches.take(2)).hasMessage("batch 2 is damaged");
      assertThat(batches.take(3)).isEqualTo(3);
    }
  }

  @Test
  void closeEndsAWaitForDataAndWhatNobodyTookIsReleased() throws Exception {
    CountDownLatch waiting = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    LongFunction<Long> slow =
        number -> {
          try {
            if (number == 1) {
              waiting.countDown();
              never.await();
            }
            return number;
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
          }
        };
    Prefetch<Long> batches = prefetch(slow);
    batches.await(0);
    waiting.await();
    batches.close();
    assertThat(released).containsExactly(0L);
  }

  private Prefetch<Long> prefetch(LongFunction<Long> preparation) {
    return new Prefetch<>(
        number -> {
          prepared.add(number);
          return preparation.apply(number);
        },
        released::add);
  }
}
