package org.latentspark.model;

import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a caption into words written in byte symbols, as CLIP's tokenizer does before it merges.
 *
 * <p>Text is composed (NFC), white space collapses and case folds; each byte of UTF-8 then stands
 * as one printable character, so that no text is out of vocabulary (Radford et al., GPT-2, 2019).
 */
final class ClipWords {
  /** Marks the last symbol of a word. */
  static final String END_OF_WORD = "</w>";

  /** What a word is, as a regular expression that the published tokenizer shares. */
  static final String WORD_PATTERN =
      "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d"
          + "|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

  private static final int BYTES = 256;
  private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern WORD =
      Pattern.compile(WORD_PATTERN, Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern BESIDE_LETTERS = Pattern.compile("(?<=\\|)(?=\\w)|(?<=\\w)(?=\\|)");
  private static final int[] ORDER = new int[BYTES];
  private static final char[] SYMBOLS = new char[BYTES];

  static {
    int place = 0;
    for (int value = 0; value < BYTES; value++) {
      if (printable(value)) {
        SYMBOLS[value] = (char) value;
        ORDER[place++] = value;
      }
    }
    int printables = place;
    for (int value = 0; value < BYTES; value++) {
      if (!printable(value)) {
        SYMBOLS[value] = (char) (BYTES + place - printables);
        ORDER[place++] = value;
      }
    }
  }

  private ClipWords() {}

  /** Returns the symbols of the 256 bytes in the order of CLIP's vocabulary. */
  static String alphabet() {
    StringBuilder alphabet = new StringBuilder(BYTES);
    for (int value : ORDER) {
      alphabet.append(SYMBOLS[value]);
    }
    return alphabet.toString();
  }

  /** Returns {@code text} composed, with single spaces and in lower case. */
  static String normalize(String text) {
    String spaced = SPACE.matcher(Normalizer.normalize(text, Normalizer.Form.NFC)).replaceAll(" ");
    StringBuilder lower = new StringBuilder(spaced.length());
    // Letter by letter: String.toLowerCase would look at a sigma's neighbours.
    spaced
        .codePoints()
        .forEach(
            letter -> {
              lower.appendCodePoint(Character.toLowerCase(letter));
              if (letter == 'İ') {
                lower.append('\u0307');
              }
            });
    return lower.toString();
  }

  /**
   * Passes the words of normalized text to {@code consumer}, in byte symbols, until it returns
   * false; returns whether it never did.
   */
  static boolean each(String normalized, Predicate<String> consumer) {
    Matcher matcher = WORD.matcher(normalized);
    while (matcher.find()) {
      String word = matcher.group();
      if (word.endsWith("text|>")) {
        // A special token that stayed text: the published splitter cuts it at its letters.
        for (String part : BESIDE_LETTERS.split(word)) {
          if (!consumer.test(symbols(part))) {
            return false;
          }
        }
      } else if (!consumer.test(symbols(word))) {
        return false;
      }
    }
    return true;
  }

  private static String symbols(String word) {
    byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
    StringBuilder symbols = new StringBuilder(bytes.length);
    for (byte value : bytes) {
      symbols.append(SYMBOLS[value & 0xFF]);
    }
    return symbols.toString();
  }

  private static boolean printable(int value) {
    return value >= '!' && value <= '~'
        || value >= '¡' && value <= '¬'
        || value >= '®' && value <= 'ÿ';
  }
}
