package org.latentspark.pairs;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The kinds of files that hold pairs, told by their names. */
enum SourceFormat {
  PARQUET(".parquet"),
  CSV(".csv", ".csv.gz", ".tsv", ".tsv.gz"),
  JSON_LINES(".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"),
  /** WebDataset: files that belong together have one name, up to its first full stop. */
  TAR(".tar"),
  /** An image as a file; its caption, and more, stand beside it under the same name. */
  IMAGE(
      ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic");

  @SuppressWarnings("ImmutableEnumChecker") // List.of
  private final List<String> endings;

  SourceFormat(String... endings) {
    this.endings = List.of(endings);
  }

  static Optional<SourceFormat> of(String fileName) {
    String name = fileName.toLowerCase(Locale.ROOT);
    for (SourceFormat format : values()) {
      if (format.endings.stream().anyMatch(name::endsWith)) {
        return Optional.of(format);
      }
    }
    return Optional.empty();
  }
}
