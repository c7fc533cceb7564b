package org.latentspark.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A learned byte-pair vocabulary, ready to be written as transformers publishes CLIP's.
 *
 * @param tokens bytes and merged tokens in the order of their ids; two special tokens follow
 * @param merges two tokens each, earliest first
 */
public record ClipVocabulary(List<String> tokens, List<String[]> merges) {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Returns the number of ids, special tokens included. */
  public int size() {
    return tokens.size() + 2;
  }

  /** Returns the id that starts each caption. */
  public int startToken() {
    return tokens.size();
  }

  /** Returns the id that ends each caption and, as in Stable Diffusion 1, pads it. */
  public int endToken() {
    return tokens.size() + 1;
  }

  /**
   * Writes vocab.json, merges.txt, tokenizer.json, tokenizer_config.json and
   * special_tokens_map.json into {@code directory}, for captions of {@code maxLength} ids.
   */
  public void write(Path directory, int maxLength) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("vocab.json"), MAPPER.writeValueAsString(vocabulary()));
    StringBuilder lines = new StringBuilder("#version: 0.2\n");
    merges.forEach(merge -> lines.append(merge[0]).append(' ').append(merge[1]).append('\n'));
    Files.writeString(directory.resolve("merges.txt"), lines);
    write(directory.resolve("tokenizer.json"), whole());
    write(directory.resolve("special_tokens_map.json"), roles());
    ObjectNode config = roles();
    config.put("tokenizer_class", "CLIPTokenizer");
    config.put("add_prefix_space", false);
    config.put("do_lower_case", true);
    config.put("errors", "replace");
    config.put("model_max_length", maxLength);
    write(directory.resolve("tokenizer_config.json"), config);
  }

  private static void write(Path file, ObjectNode content) throws IOException {
    Files.writeString(file, content.toPrettyString() + "\n");
  }

  private ObjectNode vocabulary() {
    ObjectNode vocabulary = MAPPER.createObjectNode();
    for (int id = 0; id < tokens.size(); id++) {
      vocabulary.put(tokens.get(id), id);
    }
    vocabulary.put(ClipTokenizerFiles.START, startToken());
    vocabulary.put(ClipTokenizerFiles.END, endToken());
    return vocabulary;
  }

  private static ObjectNode roles() {
    return MAPPER
        .createObjectNode()
        .put("bos_token", ClipTokenizerFiles.START)
        .put("eos_token", ClipTokenizerFiles.END)
        .put("unk_token", ClipTokenizerFiles.END)
        .put("pad_token", ClipTokenizerFiles.END);
  }

  /** The same tokenizer in the one-file form of the tokenizers library. */
  private ObjectNode whole() {
    ObjectNode whole = MAPPER.createObjectNode();
    whole.put("version", "1.0");
    whole.putNull("truncation");
    whole.putNull("padding");
    ArrayNode added = whole.putArray("added_tokens");
    addSpecial(added, startToken(), ClipTokenizerFiles.START);
    addSpecial(added, endToken(), ClipTokenizerFiles.END);
    ArrayNode normalizers =
        whole.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    normalizers.addObject().put("type", "NFC");
    ObjectNode space = normalizers.addObject().put("type", "Replace");
    space.putObject("pattern").put("Regex", "\\s+");
    space.put("content", " ");
    normalizers.addObject().put("type", "Lowercase");
    ArrayNode splitters =
        whole.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    ObjectNode split = splitters.addObject().put("type", "Split");
    split.putObject("pattern").put("Regex", ClipWords.WORD_PATTERN);
    split.put("behavior", "Removed").put("invert", true);
    byteLevel(splitters.addObject(), false);
    ObjectNode ends = whole.putObject("post_processor").put("type", "RobertaProcessing");
    ends.putArray("sep").add(ClipTokenizerFiles.END).add(endToken());
    ends.putArray("cls").add(ClipTokenizerFiles.START).add(startToken());
    ends.put("trim_offsets", false).put("add_prefix_space", false);
    byteLevel(whole.putObject("decoder"), true);
    ObjectNode model = whole.putObject("model").put("type", "BPE").putNull("dropout");
    model.put("unk_token", ClipTokenizerFiles.END).put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", ClipWords.END_OF_WORD).put("fuse_unk", false);
    model.put("byte_fallback", false).put("ignore_merges", false);
    model.set("vocab", vocabulary());
    ArrayNode pairs = model.putArray("merges");
    merges.forEach(merge -> pairs.add(merge[0] + " " + merge[1]));
    return whole;
  }

  private static void addSpecial(ArrayNode added, int id, String content) {
    added
        .addObject()
        .put("id", id)
        .put("content", content)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", true);
  }

  private static void byteLevel(ObjectNode node, boolean prefix) {
    node.put("type", "ByteLevel")
        .put("add_prefix_space", prefix)
        .put("trim_offsets", true)
        .put("use_regex", true);
  }
}
