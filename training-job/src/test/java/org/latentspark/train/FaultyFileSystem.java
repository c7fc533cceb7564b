package org.latentspark.train;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;

/**
 * The local disk with faults on demand: a file can be held while it is half written, and the disk
 * can be full for some files. What a test asks for stands in files, since it asks of executors.
 */
public final class FaultyFileSystem extends LocalFileSystem {
  private static final String FOLDER = "fs.faulty.folder";

  /** Called by Hadoop. */
  public FaultyFileSystem() {
    super(new Disk());
  }

  /** What a test can ask for, and be told. */
  static final class Faults {
    private final Path folder;

    Faults(Path folder) throws IOException {
      this.folder = Files.createDirectories(folder);
    }

    /** Returns the options of a driver's JVM under which it and its executors know this disk. */
    List<String> options() {
      return List.of(
          "-Dspark.hadoop.fs.file.impl=" + FaultyFileSystem.class.getName(),
          "-Dspark.hadoop." + FOLDER + "=" + folder);
    }

    /** Has the next writer of a file whose path contains {@code part} wait when it has begun. */
    void hold(String part) throws IOException {
      Files.deleteIfExists(folder.resolve("holder"));
      ask("hold", part);
    }

    private void ask(String fault, String part) throws IOException {
      Path told = folder.resolve(fault + ".new");
      Files.writeString(told, part);
      Files.move(told, folder.resolve(fault), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Tells whether a writer is held. */
    boolean holds() {
      return Files.exists(folder.resolve("holder"));
    }

    /** Returns the process of the writer that is held. */
    ProcessHandle holder() throws IOException {
      return ProcessHandle.of(Long.parseLong(Files.readString(folder.resolve("holder"))))
          .orElseThrow();
    }

    /** Lets the writer go on. */
    void release() throws IOException {
      Files.delete(folder.resolve("hold"));
    }

    /** Has the disk full for files whose path contains {@code part}. */
    void fill(String part) throws IOException {
      ask("full", part);
    }

    /** Gives the disk room again. */
    void makeRoom() throws IOException {
      Files.delete(folder.resolve("full"));
    }
  }

  private static final class Disk extends RawLocalFileSystem {
    private Path folder;

    @Override
    public void initialize(URI uri, Configuration configuration) throws IOException {
      super.initialize(uri, configuration);
      folder = Path.of(configuration.get(FOLDER));
    }

    @Override
    public FSDataOutputStream create(
        org.apache.hadoop.fs.Path path,
        boolean overwrite,
        int bufferSize,
        short replication,
        long blockSize,
        Progressable progress)
        throws IOException {
      OutputStream sound =
          super.create(path, overwrite, bufferSize, replication, blockSize, progress);
      OutputStream faulty =
          new FilterOutputStream(sound) {
            private boolean begun;

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
              if (asked("full", path)) {
                throw new IOException("No space left on device");
              }
              if (begun) {
                waitWhileHeld(path);
              }
              out.write(bytes, offset, length);
              begun = true;
            }
          };
      return new FSDataOutputStream(faulty, null);
    }

    private boolean asked(String fault, org.apache.hadoop.fs.Path path) {
      Path file = folder.resolve(fault);
      try {
        return Files.exists(file) && path.toString().contains(Files.readString(file));
      } catch (java.nio.file.NoSuchFileException e) {
        return false;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void waitWhileHeld(org.apache.hadoop.fs.Path path) throws IOException {
      while (asked("hold", path)) {
        Path told = folder.resolve("telling-" + ProcessHandle.current().pid());
        Files.writeString(told, Long.toString(ProcessHandle.current().pid()));
        Files.move(told, folder.resolve("holder"), StandardCopyOption.REPLACE_EXISTING);
        try {
          Thread.sleep(20);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new IOException("Interrupted while held", e);
        }
      }
    }
  }
}
