package org.latentspark.pairs;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.sql.Row;
import org.latentspark.tensor.FileSystems;

/** A table, whose rows name images by URL or by a file beside the table. */
abstract class TableScan extends RowScan {
  private final Path folder;

  TableScan(Path table) {
    super(table.toString());
    this.folder = table.getParent();
  }

  /** Opens a file, and decompresses it if its name asks for it. */
  static InputStream open(Path file, Configuration configuration) throws IOException {
    CompressionCodec codec = new CompressionCodecFactory(configuration).getCodec(file);
    InputStream raw = FileSystems.of(file, configuration).open(file);
    return codec == null ? raw : codec.createInputStream(raw);
  }

  /** Returns the row of a line; {@code line} counts from 1, for messages. */
  final Row pair(Map<String, ?> fields, long line) {
    return pair(PairFields.of(fields), "line " + line);
  }

  /** Returns the row of an item of the table. */
  final Row pair(PairFields fields, String item) {
    String file = fields.text(MetadataField.FILE);
    if (file == null || file.isBlank()) {
      return PairRows.of(fields, null, null);
    }
    if (ImageLocation.leadsOut(file)) {
      return refused(item, SourceFault.BAD_ENTRY, "'" + file + "' leads out of the folder");
    }
    // Relative to the folder by hand: Path would take a colon for the end of a scheme.
    String path = folder + (folder.isRoot() ? "" : "/") + file;
    return PairRows.of(fields, ImageLocation.ofFile(path), path);
  }

  final Row badRow(long line, String detail) {
    return refused("line " + line, SourceFault.BAD_ROW, detail);
  }
}
