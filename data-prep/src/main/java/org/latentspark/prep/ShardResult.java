package org.latentspark.prep;

import java.io.Serializable;
import java.util.List;
import java.util.SortedMap;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.WrittenFile;

/**
 * What one successful task attempt wrote; Spark hands the driver exactly one for each partition.
 *
 * @param data data files, in the order of their rows
 * @param rejected files of rejected pairs
 * @param rejectedByReason rows of those files by the reason's code
 */
record ShardResult(
    List<WrittenFile> data, List<DataFile> rejected, SortedMap<String, Long> rejectedByReason)
    implements Serializable {

  long encoded() {
    return data.stream().mapToLong(written -> written.file().rows()).sum();
  }
}
