package org.latentspark.prep;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.filter.RejectedException;
import org.latentspark.filter.Rejection;
import org.latentspark.image.CroppedImage;
import org.latentspark.image.ImageDecoder;
import org.latentspark.image.ImageLoader;
import org.latentspark.latents.Digests;
import org.latentspark.pairs.PairRecord;
import org.latentspark.tensor.Shutdown;

/**
 * Fetches and decodes a bounded number of pairs ahead of the encoder, and hands them out in the
 * order they came in.
 */
final class ImagePipeline implements AutoCloseable {
  /** Beyond the deadline of the fetch itself: the decoder works off its queue. */
  private static final long DECODE_SECONDS = 600;

  private final int capacity;
  private final long patienceSeconds;
  private final ImageLoader loader;
  private final ImageDecoder decoder;
  private final ExecutorService decoding;
  private final Deque<Pending> pending = new ArrayDeque<>();
  private final PrepMetrics metrics;
  private long bytes;

  ImagePipeline(PrepSettings settings, Configuration hadoop, PrepMetrics metrics) {
    this.metrics = metrics;
    this.capacity = Math.max(settings.fetch().parallelism(), settings.batchSize());
    this.patienceSeconds = settings.fetch().deadline().toSeconds() + DECODE_SECONDS;
    this.loader = new ImageLoader(settings.fetch(), hadoop);
    this.decoder = new ImageDecoder(settings.image());
    this.decoding =
        Executors.newFixedThreadPool(
            settings.decodeThreads(),
            work -> {
              Thread thread = new Thread(work, "decode-images");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * What became of a pair: an image or a rejection, the other is null.
   *
   * @param sha256 of the file, null if there is none
   * @param bytes of the file, 0 if it is rejected
   */
  record Arrival(
      PairRecord pair, String sha256, long bytes, CroppedImage image, Rejection rejection) {}

  private record Decoded(String sha256, long bytes, CroppedImage image) {}

  private record Pending(PairRecord pair, CompletableFuture<Decoded> image) {}

  boolean isFull() {
    return pending.size() >= capacity;
  }

  /** Returns how many bytes the files had that became images. */
  long bytes() {
    return bytes;
  }

  boolean isEmpty() {
    return pending.isEmpty();
  }

  /** Starts to load; the caller has seen that the pipeline is not full. */
  void start(PairRecord pair) {
    pending.add(new Pending(pair, loader.load(pair, this::decode, decoding)));
    metrics.inFlight().inc();
  }

  private Decoded decode(byte[] file) {
    try (Shutdown.Region region = Shutdown.enterUnlessBegun()) {
      return new Decoded(Digests.sha256Hex(file), file.length, decoder.decode(file));
    }
  }

  /** Waits for the pair that was started first. */
  Arrival next() throws InterruptedException {
    Pending first = pending.remove();
    metrics.inFlight().dec();
    try {
      Decoded decoded = first.image().get(patienceSeconds, TimeUnit.SECONDS);
      bytes += decoded.bytes();
      return new Arrival(first.pair(), decoded.sha256(), decoded.bytes(), decoded.image(), null);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      while (cause instanceof CompletionException && cause.getCause() != null) {
        cause = cause.getCause();
      }
      if (cause instanceof RejectedException rejected) {
        return new Arrival(first.pair(), null, 0, null, rejected.rejection());
      }
      throw new IllegalStateException("pair " + first.pair() + " failed", cause);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "pair %s was not decoded within %d s".formatted(first.pair(), patienceSeconds), e);
    }
  }

  @Override
  public void close() {
    pending.forEach(item -> item.image().cancel(true));
    metrics.inFlight().dec(pending.size());
    loader.close();
    decoding.shutdownNow();
  }
}
