package org.latentspark.train;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.latentspark.tensor.BackgroundThreads;

/**
 * Prepares batches in a background thread, the next one while the one before is in use, and never
 * more.
 *
 * <p>A batch follows from its number alone, so that whoever asks for another than the next gets the
 * same as without this, only later. What goes wrong is told to whoever asks for that batch.
 */
final class Prefetch<T> implements AutoCloseable {
  private final ExecutorService thread = BackgroundThreads.one("prepare-batches");
  private final LongFunction<T> preparation;
  private final Consumer<T> release;
  private volatile boolean closed;
  private volatile Thread preparing;
  private Ahead<T> current;
  private Ahead<T> next;

  private record Ahead<T>(long number, Future<T> batch) {}

  /**
   * Makes one that has prepared nothing yet.
   *
   * @param preparation makes the batch of a number, in the background thread alone
   * @param release gives back the memory of a batch that nobody took
   */
  Prefetch(LongFunction<T> preparation, Consumer<T> release) {
    this.preparation = preparation;
    this.release = release;
  }

  /**
   * Waits until a batch is prepared.
   *
   * @throws RuntimeException what its preparation threw
   */
  void await(long number) {
    go(number);
    value(current);
  }

  /**
   * Waits for a batch and hands it over; the one after it is being prepared.
   *
   * @throws RuntimeException what its preparation threw
   */
  T take(long number) {
    go(number);
    T batch = value(current);
    current = null;
    return batch;
  }

  private void go(long number) {
    if (current != null && current.number() == number) {
      return;
    }
    discard(current);
    if (next != null && next.number() == number) {
      current = next;
    } else {
      discard(next);
      current = start(number);
    }
    next = start(number + 1);
  }

  private Ahead<T> start(long number) {
    return new Ahead<>(number, thread.submit(() -> prepare(number)));
  }

  private T prepare(long number) {
    preparing = Thread.currentThread();
    if (closed) {
      throw new IllegalStateException("no more batches are needed");
    }
    return preparation.apply(number);
  }

  private static <T> T value(Ahead<T> ahead) {
    try {
      return ahead.batch().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException("batch " + ahead.number() + " is missing", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a batch was prepared", e);
    }
  }

  private void discard(Ahead<T> ahead) {
    if (ahead != null) {
      // The thread works in order: what is being prepared is complete before it is given back.
      thread.execute(() -> release(ahead.batch()));
    }
  }

  private void release(Future<T> batch) {
    try {
      release.accept(batch.get());
    } catch (ExecutionException | InterruptedException e) {
      // What was not prepared holds no memory, and nobody has asked for it.
    }
  }

  /** Returns when nothing is being prepared any more; a wait for data is interrupted. */
  @Override
  public void close() {
    closed = true;
    discard(current);
    discard(next);
    Thread interrupted = preparing;
    if (interrupted != null) {
      interrupted.interrupt();
    }
    BackgroundThreads.finish(thread);
  }
}
