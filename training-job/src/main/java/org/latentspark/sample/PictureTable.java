package org.latentspark.sample;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.tensor.CompleteFile;

/**
 * The record of what was made: a Parquet row for each picture that lies under the output. It is
 * made from the files that are there, so that it can neither lack one nor name one twice.
 */
final class PictureTable implements Serializable {
  /** The folder under the output. */
  static final String FOLDER = "record";

  /** Pictures that one file tells of. */
  static final int ROWS = 10 * Picture.FOLDER;

  private static final long serialVersionUID = 1L;
  private static final String SCHEMA =
      """
      message picture {
        required int64 number;
        required int64 prompt_index;
        required int32 sample;
        required binary prompt (STRING);
        required binary negative_prompt (STRING);
        required int64 seed;
        required binary file (STRING);
        required int64 bytes;
      }
      """;

  private final SamplePlan plan;
  private final SerializableConfiguration configuration;

  PictureTable(SamplePlan plan, SerializableConfiguration configuration) {
    this.plan = plan;
    this.configuration = configuration;
  }

  long files() {
    return (plan.pictures() + ROWS - 1) / ROWS;
  }

  /**
   * Writes file {@code part} and returns how many rows it has.
   *
   * @throws IOException when one of its pictures is not there
   */
  int write(long part) throws IOException {
    Configuration hadoop = configuration.value();
    long to = Math.min(plan.pictures(), (part + 1) * ROWS);
    List<Picture> pictures = plan.pictures(part * ROWS, to, hadoop);
    Map<String, Long> lengths = lengths(pictures, hadoop);
    MessageType schema = MessageTypeParser.parseMessageType(SCHEMA);
    MemoryFile bytes = new MemoryFile();
    try (ParquetWriter<Group> rows =
        ExampleParquetWriter.builder(bytes)
            .withType(schema)
            .withConf(hadoop)
            .withCompressionCodec(CompressionCodecName.ZSTD)
            .build()) {
      for (Picture picture : pictures) {
        Long length = lengths.get(picture.file());
        if (length == null) {
          throw new IOException(plan.output() + "/" + picture.file() + " has vanished");
        }
        rows.write(row(schema, picture, length));
      }
    }
    CompleteFile.write(
        new Path(plan.output(), String.format(Locale.ROOT, FOLDER + "/part-%05d.parquet", part)),
        bytes.content.toByteArray(),
        hadoop);
    return pictures.size();
  }

  private Map<String, Long> lengths(List<Picture> pictures, Configuration hadoop)
      throws IOException {
    TreeSet<String> folders = new TreeSet<>();
    pictures.forEach(picture -> folders.add(Picture.folder(picture.number())));
    Map<String, Long> lengths = new HashMap<>();
    for (String folder : folders) {
      for (FileStatus file : DrawTask.list(new Path(plan.output(), folder), hadoop)) {
        lengths.put(folder + "/" + file.getPath().getName(), file.getLen());
      }
    }
    return lengths;
  }

  private static Group row(MessageType schema, Picture picture, long bytes) {
    Group row = new SimpleGroup(schema);
    row.add("number", picture.number());
    row.add("prompt_index", picture.promptIndex());
    row.add("sample", picture.sample());
    row.add("prompt", picture.prompt().text());
    row.add("negative_prompt", picture.prompt().negative());
    row.add("seed", picture.seed());
    row.add("file", picture.file());
    row.add("bytes", bytes);
    return row;
  }

  /** A file of some megabytes, kept until it is whole. */
  private static final class MemoryFile implements OutputFile {
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();

    @Override
    public PositionOutputStream create(long blockSizeHint) {
      return new PositionOutputStream() {
        @Override
        public long getPos() {
          return content.size();
        }

        @Override
        public void write(int value) {
          content.write(value);
        }

        @Override
        public void write(byte[] data, int offset, int length) {
          content.write(data, offset, length);
        }
      };
    }

    @Override
    public PositionOutputStream createOrOverwrite(long blockSizeHint) {
      return create(blockSizeHint);
    }

    @Override
    public boolean supportsBlockSize() {
      return false;
    }

    @Override
    public long defaultBlockSize() {
      return 0;
    }
  }
}
