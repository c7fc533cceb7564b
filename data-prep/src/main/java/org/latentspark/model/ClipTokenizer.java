package org.latentspark.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.bytedeco.pytorch.Tensor;
import org.latentspark.cli.InputException;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.Tensors;

/**
 * CLIP's byte-pair tokenizer (Radford et al., 2021): token ids of captions, always of one length,
 * equal to those of transformers' CLIPTokenizer.
 *
 * <p>Pure Java, so that executors need neither native code nor a cache folder for it. Safe for use
 * by many threads, and serializable.
 */
public final class ClipTokenizer implements Serializable {
  private static final long serialVersionUID = 1;

  private final BytePairs pairs;
  private final HashMap<String, Integer> specials = new HashMap<>();
  private final Pattern literalSpecials;
  private final Pattern normalizedSpecials;
  private final int startToken;
  private final int endToken;
  private final int paddingToken;
  private final int vocabularySize;
  private final int maxLength;

  private ClipTokenizer(ClipTokenizerFiles files) {
    this.startToken = files.vocabulary().get(ClipTokenizerFiles.START);
    this.endToken = files.vocabulary().get(ClipTokenizerFiles.END);
    this.paddingToken = files.vocabulary().get(files.padding());
    this.pairs = new BytePairs(files.vocabulary(), files.merges(), endToken);
    this.vocabularySize =
        1 + files.vocabulary().values().stream().mapToInt(Integer::intValue).max().orElseThrow();
    this.maxLength = files.maxLength();
    List<String> literal = new ArrayList<>();
    List<String> normalized = new ArrayList<>();
    files
        .specials()
        .forEach(
            (content, normalize) -> {
              String seen = normalize ? ClipWords.normalize(content) : content;
              specials.put(seen, files.vocabulary().get(content));
              (normalize ? normalized : literal).add(seen);
            });
    this.literalSpecials = anyOf(literal);
    this.normalizedSpecials = anyOf(normalized);
  }

  /**
   * Loads a published {@code tokenizer/} directory from the local disk: vocab.json and merges.txt,
   * or tokenizer.json; tokenizer_config.json and special_tokens_map.json where they are there.
   *
   * @throws InputException when the files are missing, contradict themselves or are not CLIP's
   */
  public static ClipTokenizer load(java.nio.file.Path directory) throws IOException {
    return load(
        directory.toString(),
        name -> {
          java.nio.file.Path file = directory.resolve(name);
          return Files.exists(file) ? Files.readAllBytes(file) : null;
        });
  }

  /**
   * Loads a published {@code tokenizer/} directory from any Hadoop file system.
   *
   * @throws InputException when the files are missing, contradict themselves or are not CLIP's
   */
  public static ClipTokenizer load(Path directory, Configuration configuration) throws IOException {
    FileSystem fileSystem = FileSystems.of(directory, configuration);
    return load(
        directory.toString(),
        name -> {
          Path file = new Path(directory, name);
          if (!fileSystem.exists(file)) {
            return null;
          }
          try (InputStream stream = fileSystem.open(file)) {
            return stream.readAllBytes();
          }
        });
  }

  private static ClipTokenizer load(String name, ClipTokenizerFiles.Source source)
      throws IOException {
    try {
      return new ClipTokenizer(ClipTokenizerFiles.read(source));
    } catch (IllegalArgumentException | JsonProcessingException e) {
      throw new InputException("Tokenizer " + name + ": " + e.getMessage(), e);
    }
  }

  /**
   * Returns the {@link #maxLength()} ids of a caption: start token, the caption's tokens as far as
   * they fit, end token, padding.
   */
  public int[] encode(String caption) {
    Ids ids = new Ids();
    ids.add(startToken);
    split(
        literalSpecials,
        caption,
        ids,
        text ->
            split(
                normalizedSpecials,
                ClipWords.normalize(text),
                ids,
                part -> ClipWords.each(part, word -> ids.addAll(pairs.encode(word)))));
    ids.values[ids.count] = endToken;
    return ids.values;
  }

  /** Returns the ids of each caption, as {@link #encode(String)} does. */
  public int[][] encode(List<String> captions) {
    return captions.stream().map(this::encode).toArray(int[][]::new);
  }

  /** Returns the ids of each caption as int64 [B, {@link #maxLength()}], as models take them. */
  public Tensor tokenIds(List<String> captions) {
    long[] ids =
        Arrays.stream(encode(captions)).flatMapToInt(Arrays::stream).asLongStream().toArray();
    return Tensors.of(ids, captions.size(), maxLength);
  }

  /** Returns the number of ids, special tokens included. */
  public int vocabularySize() {
    return vocabularySize;
  }

  /** Returns the number of ids that each caption is cut or padded to. */
  public int maxLength() {
    return maxLength;
  }

  /** Returns the id that ends each caption, at which CLIP pools. */
  public int endToken() {
    return endToken;
  }

  private boolean split(Pattern pattern, String text, Ids ids, Text rest) {
    if (pattern == null) {
      return rest.encode(text);
    }
    Matcher matcher = pattern.matcher(text);
    int from = 0;
    while (matcher.find()) {
      if (!rest.encode(text.substring(from, matcher.start()))
          || !ids.addAll(specials.get(matcher.group()))) {
        return false;
      }
      from = matcher.end();
    }
    return rest.encode(text.substring(from));
  }

  private static Pattern anyOf(List<String> tokens) {
    return tokens.isEmpty()
        ? null
        : Pattern.compile(
            tokens.stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
  }

  /** Encodes a piece of text; returns whether there is room for more. */
  @FunctionalInterface
  private interface Text {
    boolean encode(String text);
  }

  private final class Ids {
    private final int[] values = new int[maxLength];
    private int count;

    Ids() {
      Arrays.fill(values, paddingToken);
    }

    void add(int id) {
      values[count++] = id;
    }

    /** Adds ids as far as they leave room for the end token; returns whether there is more. */
    boolean addAll(int... ids) {
      int taken = Math.min(ids.length, maxLength - 1 - count);
      System.arraycopy(ids, 0, values, count, taken);
      count += taken;
      return count < maxLength - 1;
    }
  }
}
