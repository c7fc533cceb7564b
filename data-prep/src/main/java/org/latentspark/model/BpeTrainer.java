package org.latentspark.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Learns CLIP's kind of byte-pair vocabulary from captions (Sennrich et al., 2016): the most
 * frequent pair of neighbours becomes a token, again and again.
 *
 * <p>Ties go to the pair that sorts first, so the same captions give the same vocabulary in any
 * order.
 */
public final class BpeTrainer {
  private static final int LEAST_COUNT = 2;

  private final LinkedHashSet<String> tokens = new LinkedHashSet<>();
  private final List<String[]> merges = new ArrayList<>();
  private final List<Word> words = new ArrayList<>();
  private final Map<Pair, Occurrences> occurrences = new HashMap<>();
  private final TreeSet<Pair> byCount =
      new TreeSet<>(
          Comparator.<Pair>comparingLong(pair -> occurrences.get(pair).count)
              .reversed()
              .thenComparing(Pair::left)
              .thenComparing(Pair::right));

  private BpeTrainer() {}

  /**
   * Returns a vocabulary of {@code size} tokens at most: 256 bytes, the same 256 ending a word,
   * pairs that occur at least twice, and the two special tokens.
   */
  public static ClipVocabulary train(Iterable<String> captions, int size) {
    BpeTrainer trainer = new BpeTrainer();
    trainer.addBytes();
    int specials = 2;
    if (size < trainer.tokens.size() + specials) {
      throw new IllegalArgumentException(
          "A vocabulary of "
              + size
              + " tokens has no room for the "
              + (trainer.tokens.size() + specials)
              + " of bytes and special tokens");
    }
    trainer.count(captions);
    while (trainer.tokens.size() + specials < size && trainer.mergeBest()) {}
    return new ClipVocabulary(List.copyOf(trainer.tokens), List.copyOf(trainer.merges));
  }

  private void addBytes() {
    String alphabet = ClipWords.alphabet();
    for (String suffix : List.of("", ClipWords.END_OF_WORD)) {
      alphabet.chars().forEach(symbol -> tokens.add((char) symbol + suffix));
    }
  }

  private void count(Iterable<String> captions) {
    Map<String, Long> counts = new TreeMap<>();
    for (String caption : captions) {
      ClipWords.each(
          ClipWords.normalize(caption),
          word -> {
            counts.merge(word, 1L, Long::sum);
            return true;
          });
    }
    counts.forEach((word, count) -> words.add(new Word(word, count)));
    for (Word word : words) {
      change(word, word.count);
    }
  }

  private boolean mergeBest() {
    if (byCount.isEmpty() || occurrences.get(byCount.first()).count < LEAST_COUNT) {
      return false;
    }
    Pair best = byCount.first();
    for (Word word : List.copyOf(occurrences.get(best).words)) {
      change(word, -word.count);
      word.merge(best);
      change(word, word.count);
    }
    // Two merges may spell one token; it keeps its first id.
    tokens.add(best.left + best.right);
    merges.add(new String[] {best.left, best.right});
    return true;
  }

  /** Adds {@code count} to the pairs of {@code word}, which leaves them where it is negative. */
  private void change(Word word, long count) {
    for (int place = 0; place + 1 < word.symbols.size(); place++) {
      Pair pair = new Pair(word.symbols.get(place), word.symbols.get(place + 1));
      Occurrences found = occurrences.computeIfAbsent(pair, absent -> new Occurrences());
      // The order depends on the count, so the pair leaves the set while that changes.
      byCount.remove(pair);
      found.count += count;
      if (count > 0) {
        found.words.add(word);
      } else {
        found.words.remove(word);
      }
      if (found.count > 0) {
        byCount.add(pair);
      }
    }
  }

  private record Pair(String left, String right) {}

  private static final class Occurrences {
    private final Set<Word> words = new HashSet<>();
    private long count;
  }

  private static final class Word {
    private final long count;
    private List<String> symbols;

    Word(String text, long count) {
      this.count = count;
      this.symbols = new ArrayList<>(Arrays.asList(text.split("")));
      int last = symbols.size() - 1;
      symbols.set(last, symbols.get(last) + ClipWords.END_OF_WORD);
    }

    void merge(Pair pair) {
      List<String> merged = new ArrayList<>(symbols.size());
      for (int place = 0; place < symbols.size(); place++) {
        String symbol = symbols.get(place);
        if (symbol.equals(pair.left)
            && place + 1 < symbols.size()
            && symbols.get(place + 1).equals(pair.right)) {
          merged.add(symbol + pair.right);
          place++;
        } else {
          merged.add(symbol);
        }
      }
      symbols = merged;
    }
  }
}
