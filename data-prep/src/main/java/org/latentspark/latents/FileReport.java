package org.latentspark.latents;

import java.io.Serializable;
import java.util.List;
import java.util.SortedMap;

/**
 * What reading one file of a dataset from end to end has shown.
 *
 * @param path the file, relative to the dataset's directory
 * @param damage what differs from the manifest, one line each, beginning with the path
 * @param rejectedByReason rows by reason of a file of rejected pairs, empty for a data file
 */
public record FileReport(String path, List<String> damage, SortedMap<String, Long> rejectedByReason)
    implements Serializable {}
