package org.latentspark.pairs;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;

/** Images with their captions beside them: {@code cat.jpg}, {@code cat.txt}, {@code cat.json}. */
final class ImageFolderScan extends RowScan {
  private final FileSystem system;
  private final Map<String, FileStatus> files = new TreeMap<>();
  private final Deque<String> images = new ArrayDeque<>();

  ImageFolderScan(Path folder, FileSystem system) throws IOException {
    super(folder.toString());
    this.system = system;
    for (FileStatus file : system.listStatus(folder)) {
      if (file.isFile() && !file.getPath().getName().matches("[._].*")) {
        files.put(file.getPath().getName(), file);
      }
    }
    for (String name : files.keySet()) {
      if (SourceFormat.of(name).filter(SourceFormat.IMAGE::equals).isPresent()) {
        images.add(name);
      }
    }
  }

  @Override
  Row read() throws IOException {
    String name = images.poll();
    if (name == null) {
      return null;
    }
    String base = name.substring(0, name.lastIndexOf('.'));
    SampleText texts = new SampleText();
    try {
      if (files.containsKey(base + ".json")) {
        texts.json(text(base + ".json"));
      }
      if (files.containsKey(base + ".txt")) {
        texts.caption(text(base + ".txt"));
      }
    } catch (JsonProcessingException e) {
      return refused(name, SourceFault.BAD_ENTRY, base + ".json: " + e.getOriginalMessage());
    } catch (SampleText.TooLongException e) {
      return refused(name, SourceFault.BAD_ENTRY, e.getMessage());
    }
    String path = files.get(name).getPath().toString();
    return PairRows.of(texts, ImageLocation.ofFile(path), path);
  }

  private String text(String name) throws IOException {
    FileStatus file = files.get(name);
    SampleText.requireShort(name, file.getLen());
    try (FSDataInputStream in = system.open(file.getPath())) {
      return new String(in.readNBytes((int) file.getLen()), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void close() {}
}
