package org.latentspark.model;

import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Byte-pair encoding with end-of-word marks (Sennrich et al., "Neural machine translation of rare
 * words with subword units", 2016): joins the pair of the earliest merge, leftmost first, until no
 * merge applies.
 */
final class BytePairs implements Serializable {
  private static final long serialVersionUID = 1;

  private final HashMap<String, Integer> vocabulary;
  private final HashMap<Long, Merge> merges = new HashMap<>();
  private final int unknown;

  /**
   * @param vocabulary id of each token
   * @param pairs two tokens each, earliest merge first
   * @param unknown id of a symbol outside the vocabulary
   */
  BytePairs(Map<String, Integer> vocabulary, List<String[]> pairs, int unknown) {
    this.vocabulary = new HashMap<>(vocabulary);
    this.unknown = unknown;
    for (int rank = 0; rank < pairs.size(); rank++) {
      String left = pairs.get(rank)[0];
      String right = pairs.get(rank)[1];
      merges.put(key(id(left), id(right)), new Merge(rank, id(left + right)));
    }
  }

  /** Returns the ids of a non-empty word written in byte symbols. */
  int[] encode(String word) {
    int length = word.length();
    int[] ids = new int[length];
    for (int place = 0; place < length; place++) {
      String symbol = word.substring(place, place + 1);
      String marked = place == length - 1 ? symbol + ClipWords.END_OF_WORD : symbol;
      ids[place] = vocabulary.getOrDefault(marked, unknown);
    }
    return new Word(ids).merged();
  }

  private int id(String token) {
    Integer id = vocabulary.get(token);
    if (id == null) {
      throw new IllegalArgumentException(
          "Merge uses token \"" + token + "\", which the vocabulary lacks");
    }
    return id;
  }

  private static long key(int left, int right) {
    return (long) left << 32 | right;
  }

  private record Merge(int rank, int id) implements Serializable {}

  private record Candidate(int place, Merge merge) implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      int byRank = Integer.compare(merge.rank, other.merge.rank);
      return byRank != 0 ? byRank : Integer.compare(place, other.place);
    }
  }

  /** The symbols of one word as a linked list, so that a long word costs no quadratic time. */
  private final class Word {
    private static final int NONE = -1;
    private final int[] ids;
    private final int[] next;
    private final int[] previous;
    private final PriorityQueue<Candidate> candidates = new PriorityQueue<>();

    Word(int[] ids) {
      this.ids = ids;
      this.next = new int[ids.length];
      this.previous = new int[ids.length];
      for (int place = 0; place < ids.length; place++) {
        next[place] = place + 1 < ids.length ? place + 1 : NONE;
        previous[place] = place - 1;
      }
    }

    int[] merged() {
      for (int place = 0; place < ids.length; place++) {
        offer(place);
      }
      int count = ids.length;
      while (!candidates.isEmpty()) {
        Candidate best = candidates.poll();
        int place = best.place;
        // A symbol that was merged away, or a pair that changed since, is stale.
        if (ids[place] != NONE && best.merge.equals(mergeAt(place))) {
          int gone = next[place];
          ids[place] = best.merge.id;
          ids[gone] = NONE;
          next[place] = next[gone];
          if (next[place] != NONE) {
            previous[next[place]] = place;
          }
          count--;
          offer(previous[place]);
          offer(place);
        }
      }
      int[] left = new int[count];
      for (int place = 0, index = 0; place != NONE; place = next[place]) {
        left[index++] = ids[place];
      }
      return left;
    }

    private void offer(int place) {
      Merge merge = place == NONE ? null : mergeAt(place);
      if (merge != null) {
        candidates.add(new Candidate(place, merge));
      }
    }

    private Merge mergeAt(int place) {
      return next[place] == NONE ? null : merges.get(key(ids[place], ids[next[place]]));
    }
  }
}
