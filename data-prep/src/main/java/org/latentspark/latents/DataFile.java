package org.latentspark.latents;

import java.io.Serializable;

/**
 * One file of a dataset, as its manifest lists it.
 *
 * @param path relative to the dataset's directory, with forward slashes
 * @param rows rows in the file
 * @param trainRows rows of the training split among them; 0 for a file of rejected pairs
 * @param bytes length of the file
 * @param sha256 hex SHA-256 of the file
 */
public record DataFile(String path, long rows, long trainRows, long bytes, String sha256)
    implements Serializable {

  /** Returns how many rows of {@code split} the file holds. */
  public long rows(Split split) {
    return split == Split.TRAIN ? trainRows : rows - trainRows;
  }
}
