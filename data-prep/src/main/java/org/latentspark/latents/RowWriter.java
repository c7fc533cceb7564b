package org.latentspark.latents;

import java.io.Closeable;
import java.io.IOException;
import java.util.SortedMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.schema.MessageType;
import org.latentspark.tensor.FileSystems;

/** Writes one Parquet file of a dataset and knows its rows, bytes and checksum afterwards. */
final class RowWriter implements Closeable {
  // A task holds one row group in memory, and a reader another.
  private static final long ROW_GROUP_BYTES = 16L << 20;

  private final Path path;
  private final Configuration configuration;
  private final DigestingOutputFile output;
  private final ParquetWriter<Group> writer;
  private long rows;
  private boolean closed;

  RowWriter(Path path, MessageType schema, Configuration configuration) throws IOException {
    this.path = path;
    this.configuration = configuration;
    this.output = new DigestingOutputFile(path, configuration);
    this.writer =
        ExampleParquetWriter.builder(output)
            .withType(schema)
            .withConf(configuration)
            .withCompressionCodec(CompressionCodecName.ZSTD)
            .withRowGroupSize(ROW_GROUP_BYTES)
            // Latents and embeddings are large and all different: only pages of a few rows keep
            // the writer from buffering far beyond the row group before it looks at its size.
            .withMinRowCountForPageSizeCheck(1)
            .withMaxRowCountForPageSizeCheck(64)
            .withDictionaryEncoding("latent", false)
            .withDictionaryEncoding("flipped_latent", false)
            .withDictionaryEncoding("text_embedding", false)
            .build();
  }

  Path path() {
    return path;
  }

  void write(Group row) throws IOException {
    writer.write(row);
    rows++;
  }

  /** Returns about how many bytes the file has by now, buffered rows included. */
  long approximateBytes() {
    return writer.getDataSize();
  }

  /** Completes the file and returns its entry for the manifest. */
  DataFile finish(String relativePath, long trainRows, SortedMap<String, Long> trainRowsByBucket)
      throws IOException {
    close();
    return new DataFile(
        relativePath, rows, trainRows, output.bytes(), output.sha256(), trainRowsByBucket);
  }

  /** Closes the file and deletes it. */
  void abort() throws IOException {
    try {
      close();
    } finally {
      FileSystems.of(path, configuration).delete(path, false);
    }
  }

  @Override
  public void close() throws IOException {
    if (!closed) {
      closed = true;
      writer.close();
    }
  }
}
