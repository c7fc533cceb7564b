package org.latentspark.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.prep.S3Server;

/** Reads files while they are replaced. */
class TestCompleteFile {
  private static final int TIMES = 200;
  private static final int LENGTH = 3000;

  @TempDir private java.nio.file.Path folder;

  @Test
  void fileOnDiskIsReadWholeWhileItIsReplaced() throws Exception {
    readWhileReplaced(new Path(folder.resolve("file.json").toString()), new Configuration());
  }

  @Test
  @Tag("slow")
  void objectIsReadWholeWhileItIsReplaced() throws Exception {
    try (S3Server store = S3Server.start(folder)) {
      Configuration configuration = store.configuration();
      readWhileReplaced(new Path("s3a://" + S3Server.BUCKET + "/file.json"), configuration);
      Path none = new Path("s3a://" + S3Server.BUCKET + "/none.json");
      assertThatThrownBy(() -> CompleteFile.read(none, configuration))
          .isInstanceOf(FileNotFoundException.class);
    }
  }

  private static void readWhileReplaced(Path file, Configuration configuration) throws Exception {
    CompleteFile.write(file, content(0), configuration);
    AtomicLong writes = new AtomicLong();
    AtomicBoolean enough = new AtomicBoolean();
    ExecutorService threads = Executors.newSingleThreadExecutor();
    try {
      Future<?> writer =
          threads.submit(
              () -> {
                while (!enough.get()) {
                  CompleteFile.write(file, content(writes.incrementAndGet()), configuration);
                }
                return null;
              });
      for (int reads = 0; (reads < TIMES || writes.get() < TIMES) && !writer.isDone(); reads++) {
        String text = new String(CompleteFile.read(file, configuration), StandardCharsets.UTF_8);
        assertThat(text).hasSize(LENGTH);
        assertThat(text.chars().distinct().count()).as("parts of contents").isOne();
      }
      enough.set(true);
      writer.get();
    } finally {
      enough.set(true);
      threads.shutdown();
    }
  }

  private static byte[] content(long number) {
    byte[] content = new byte[LENGTH];
    Arrays.fill(content, (byte) ('a' + number % 26));
    return content;
  }
}
