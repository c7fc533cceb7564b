package org.latentspark.pairs;

import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;

/**
 * Comma- or tab-separated values with a header (RFC 4180): quoted values may hold separators, line
 * breaks and doubled quotes.
 */
final class CsvScan extends TableScan {
  private static final int MAX_VALUE = 1 << 20;
  private static final int MAX_COLUMNS = 4096;

  private final InputStream in;
  private final CsvParser parser;
  private final String[] header;

  CsvScan(Path file, Configuration configuration) throws IOException {
    super(file);
    CsvParserSettings settings = new CsvParserSettings();
    settings.getFormat().setDelimiter(file.getName().matches(".*\\.tsv(\\.gz)?") ? '\t' : ',');
    settings.getFormat().setQuoteEscape('"');
    settings.setLineSeparatorDetectionEnabled(true);
    settings.setNormalizeLineEndingsWithinQuotes(false);
    settings.setIgnoreLeadingWhitespaces(false);
    settings.setIgnoreTrailingWhitespaces(false);
    settings.setCommentProcessingEnabled(false);
    settings.setReadInputOnSeparateThread(false);
    settings.setMaxCharsPerColumn(MAX_VALUE);
    settings.setMaxColumns(MAX_COLUMNS);
    parser = new CsvParser(settings);
    in = open(file, configuration);
    try {
      parser.beginParsing(in, StandardCharsets.UTF_8);
      header = parser.parseNext();
    } catch (TextParsingException e) {
      in.close();
      throw new IOException(brief(e), e);
    }
    if (header == null) {
      throw new IOException("no header");
    }
    Map<String, String> names = new HashMap<>();
    for (String name : header) {
      names.put(name == null ? "" : name.strip(), "");
    }
    requirePairs(names);
  }

  private void requirePairs(Map<String, String> names) throws IOException {
    boolean images =
        MetadataField.URL.find(names.keySet()).isPresent()
            || MetadataField.FILE.find(names.keySet()).isPresent();
    if (!images || MetadataField.CAPTION.find(names.keySet()).isEmpty()) {
      throw new IOException(
          "the header names no %s or %s, or no %s: %s"
              .formatted(
                  MetadataField.URL.aliases(),
                  MetadataField.FILE.aliases(),
                  MetadataField.CAPTION.aliases(),
                  names.keySet()));
    }
  }

  @Override
  Row read() throws IOException {
    String[] values;
    try {
      values = parser.parseNext();
    } catch (TextParsingException e) {
      throw new IOException(brief(e), e);
    }
    if (values == null) {
      return null;
    }
    long line = parser.getContext().currentLine();
    if (values.length != header.length) {
      return badRow(line, "%d values, the header has %d".formatted(values.length, header.length));
    }
    Map<String, String> fields = new HashMap<>();
    for (int i = 0; i < header.length; i++) {
      if (header[i] != null) {
        fields.put(header[i].strip(), values[i]);
      }
    }
    return pair(fields, line);
  }

  /** The library's messages go on for pages about its settings. */
  private static String brief(TextParsingException e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.lines().findFirst().orElse("").strip();
  }

  @Override
  public void close() throws IOException {
    parser.stopParsing();
    in.close();
  }
}
