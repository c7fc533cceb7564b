package org.latentspark.prep;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.latentspark.filter.Rejection;
import org.latentspark.prep.ImagePipeline.Arrival;
import org.latentspark.tensor.Shutdown;

/**
 * Encodes and writes batches, in the order they come, on a thread each: while one batch is in the
 * encoder, the next is being gathered and the one before written.
 */
final class EncodeLine implements AutoCloseable {
  /** Batches in line: one being written, one in the encoder, and two that wait for it. */
  private static final int PLACES = 4;

  /** Longest wait for a batch, on the slowest of machines. */
  private static final long PATIENCE_MINUTES = 60;

  private final Encode encode;
  private final Write write;
  private final ExecutorService encoding = thread("encode-pairs");
  private final ExecutorService writing = thread("write-pairs");
  private final Semaphore places = new Semaphore(PLACES);
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private final AtomicLong encodeNanos = new AtomicLong();

  /** A pair that has come so far; it is encoded unless there is a rejection. */
  record Item(Arrival arrival, Rejection rejection) {
    boolean isWanted() {
      return rejection == null;
    }
  }

  /** Encodes what is wanted of a batch. */
  interface Encode {
    /** Returns one encoding a wanted item, in their order. */
    List<Encoding> encode(List<Item> wanted) throws IOException;
  }

  /** Writes a batch. */
  interface Write {
    /** Writes wanted items with their encodings, and the others as rejected. */
    void write(List<Item> batch, List<Encoding> encodings) throws IOException;
  }

  EncodeLine(Encode encode, Write write) {
    this.encode = encode;
    this.write = write;
  }

  private static ExecutorService thread(String name) {
    return Executors.newSingleThreadExecutor(
        work -> {
          Thread thread = new Thread(work, name);
          thread.setDaemon(true);
          return thread;
        });
  }

  /** Hands over a batch; waits while the line is full. */
  void submit(List<Item> batch) throws IOException, InterruptedException {
    acquire(1);
    encoding.execute(
        () ->
            guarded(
                () -> {
                  long start = System.nanoTime();
                  List<Item> wanted = batch.stream().filter(Item::isWanted).toList();
                  List<Encoding> encodings = wanted.isEmpty() ? List.of() : encoded(wanted);
                  encodeNanos.addAndGet(System.nanoTime() - start);
                  writing.execute(
                      () ->
                          guarded(
                              () -> {
                                write.write(batch, encodings);
                                places.release();
                              }));
                }));
  }

  private List<Encoding> encoded(List<Item> wanted) throws IOException {
    try (Shutdown.Region region = Shutdown.enterUnlessBegun()) {
      return encode.encode(wanted);
    }
  }

  /** Waits until all batches are written. */
  void finish() throws IOException, InterruptedException {
    acquire(PLACES);
    places.release(PLACES);
  }

  /** Returns how long the encoder has been at work. */
  double encodeSeconds() {
    return encodeNanos.get() / 1e9;
  }

  private void acquire(int count) throws IOException, InterruptedException {
    if (!places.tryAcquire(count, PATIENCE_MINUTES, TimeUnit.MINUTES)) {
      throw new IOException("no batch was encoded within " + PATIENCE_MINUTES + " minutes");
    }
    if (failure.get() != null) {
      places.release(count);
      throw new IOException("a batch could not be encoded or written", failure.get());
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  /** Runs a step; the first failure ends the line and wakes who waits for a place. */
  private void guarded(Step step) {
    if (failure.get() != null) {
      places.release(PLACES);
      return;
    }
    try {
      step.run();
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
      places.release(PLACES);
    }
  }

  /** Ends both threads; what they work on comes to its end first. */
  @Override
  public void close() throws IOException {
    encoding.shutdownNow();
    writing.shutdownNow();
    try {
      if (!encoding.awaitTermination(PATIENCE_MINUTES, TimeUnit.MINUTES)
          || !writing.awaitTermination(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
        throw new IOException("a batch does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
