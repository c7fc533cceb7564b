package org.latentspark.latents;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.Serializable;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One file of a dataset, as its manifest lists it.
 *
 * @param path relative to the dataset's directory, with forward slashes
 * @param rows rows in the file
 * @param trainRows rows of the training split among them; 0 for a file of rejected pairs
 * @param bytes length of the file
 * @param sha256 hex SHA-256 of the file
 * @param trainRowsByBucket the training rows by {@link Bucket#code}; empty where there are no
 *     buckets
 */
public record DataFile(
    String path,
    long rows,
    long trainRows,
    long bytes,
    String sha256,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) SortedMap<String, Long> trainRowsByBucket)
    implements Serializable {

  /** Fills in what manifests did not say while there were no buckets. */
  public DataFile {
    trainRowsByBucket =
        trainRowsByBucket == null
            ? Collections.emptySortedMap()
            : Collections.unmodifiableSortedMap(new TreeMap<>(trainRowsByBucket));
  }

  /** Describes a file without buckets. */
  public DataFile(String path, long rows, long trainRows, long bytes, String sha256) {
    this(path, rows, trainRows, bytes, sha256, Collections.emptySortedMap());
  }

  /** Returns how many rows of {@code split} the file holds. */
  public long rows(Split split) {
    return split == Split.TRAIN ? trainRows : rows - trainRows;
  }
}
