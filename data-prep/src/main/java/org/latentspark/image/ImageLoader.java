package org.latentspark.image;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.filter.RejectedException;
import org.latentspark.pairs.ImageLocation;
import org.latentspark.pairs.PairRecord;

/** Gets the image file of a pair from where it is: its row, a file system, or the web. */
public final class ImageLoader implements AutoCloseable {
  private static final int READERS = 8;

  private final Fetcher fetcher;
  private final StoredImages stored;
  private final ExecutorService readers =
      Executors.newFixedThreadPool(
          READERS,
          work -> {
            Thread thread = new Thread(work, "read-images");
            thread.setDaemon(true);
            return thread;
          });

  /** Creates a loader. */
  public ImageLoader(FetchSettings settings, Configuration configuration) {
    this.fetcher = new Fetcher(settings);
    this.stored = new StoredImages(configuration, settings.maxBytes());
  }

  /**
   * Starts to get the image of {@code pair}, and to make something of it.
   *
   * @param use what becomes of the file
   * @param executor runs {@code use}
   * @return its result, or a {@link RejectedException} as the (wrapped) cause of failure
   */
  public <T> CompletableFuture<T> load(
      PairRecord pair, Function<byte[], T> use, Executor executor) {
    if (pair.image() != null) {
      return CompletableFuture.supplyAsync(() -> use.apply(stored.checked(pair.image())), executor);
    }
    if (pair.location() != null) {
      return CompletableFuture.supplyAsync(
              () -> stored.read(ImageLocation.parse(pair.location())), readers)
          .thenApplyAsync(use, executor);
    }
    return fetcher.fetch(pair.url(), use, executor);
  }

  /** Ends what is under way. */
  @Override
  public void close() {
    fetcher.close();
    readers.shutdownNow();
  }
}
