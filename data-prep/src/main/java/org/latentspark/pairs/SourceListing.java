package org.latentspark.pairs;

import java.io.IOException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Settings;

/**
 * What a source consists of, as far as names and lengths tell.
 *
 * @param files how many there are of each format; of images, how many folders
 * @param bytes of all files; those of folders of images are not counted
 */
public record SourceListing(SortedMap<String, Integer> files, long bytes) {
  /**
   * Lists the files that {@code source} names; none is opened.
   *
   * @throws InputException if nothing matches
   */
  public static SourceListing of(List<String> source, Configuration configuration)
      throws IOException {
    SortedMap<String, Integer> files = new TreeMap<>();
    TreeSet<String> seen = new TreeSet<>();
    long bytes = 0;
    for (SourceFiles.Unit unit : MetadataSource.units(source, configuration)) {
      bytes += unit.length();
      if (seen.add(unit.path())) {
        files.merge(Settings.kebab(unit.format()), 1, Integer::sum);
      }
    }
    return new SourceListing(files, bytes);
  }
}
