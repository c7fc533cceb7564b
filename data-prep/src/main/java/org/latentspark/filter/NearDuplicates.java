package org.latentspark.filter;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import scala.Tuple2;

/**
 * Finds pairs whose image is nearly that of an earlier pair, by hashes of 64 bits that differ in
 * few.
 *
 * <p>To compare all with all would not do for billions. The bits are cut into three blocks more
 * than bits may differ; hashes alike agree on at least three blocks whole, so that only those that
 * agree on some choice of three are compared (Manku, Jain and Das Sarma 2007).
 */
public final class NearDuplicates {
  private static final int BITS = 64;
  private static final int AGREEING_BLOCKS = 3;

  private NearDuplicates() {}

  /**
   * An image.
   *
   * @param rank what decides which of two stays: the lesser, such as the key
   * @param hash its perceptual hash
   */
  public record Image(String rank, long hash) implements Serializable {}

  /**
   * Returns the ranks of the images that are near to one of a lesser rank, whether that one stays
   * or not: so the result does not depend on any order.
   *
   * @param differingBits most bits in which the hashes of near images differ
   */
  public static JavaRDD<String> losers(JavaRDD<Image> images, int differingBits) {
    JavaPairRDD<Long, String> ranks =
        images.mapToPair(image -> new Tuple2<>(image.hash(), image.rank()));
    // Of equal hashes the first stands for all: a popular one must not be compared with itself.
    JavaPairRDD<Long, String> firsts =
        ranks.reduceByKey((one, other) -> one.compareTo(other) <= 0 ? one : other);
    List<Long> masks = masks(differingBits);
    JavaPairRDD<Long, Boolean> later =
        firsts
            .flatMapToPair(first -> places(new Image(first._2(), first._1()), masks))
            .groupByKey()
            .flatMap(group -> later(group._2(), differingBits))
            .distinct()
            .mapToPair(hash -> new Tuple2<>(hash, true));
    return ranks
        .join(firsts)
        .leftOuterJoin(later)
        .filter(row -> row._2()._2().isPresent() || !row._2()._1()._1().equals(row._2()._1()._2()))
        .map(row -> row._2()._1()._1());
  }

  /** One place for each choice of blocks; near hashes meet in at least one. */
  private static Iterator<Tuple2<Tuple2<Integer, Long>, Image>> places(
      Image image, List<Long> masks) {
    List<Tuple2<Tuple2<Integer, Long>, Image>> places = new ArrayList<>();
    for (int choice = 0; choice < masks.size(); choice++) {
      places.add(new Tuple2<>(new Tuple2<>(choice, image.hash() & masks.get(choice)), image));
    }
    return places.iterator();
  }

  private static Iterator<Long> later(Iterable<Image> group, int differingBits) {
    TreeMap<String, Long> byRank = new TreeMap<>();
    group.forEach(image -> byRank.put(image.rank(), image.hash()));
    List<Long> later = new ArrayList<>();
    byRank.forEach(
        (rank, hash) -> {
          for (long earlier : byRank.headMap(rank).values()) {
            if (Long.bitCount(earlier ^ hash) <= differingBits) {
              later.add(hash);
              return;
            }
          }
        });
    return later.iterator();
  }

  /** The bits of every choice of {@link #AGREEING_BLOCKS} blocks. */
  static List<Long> masks(int differingBits) {
    int blocks = differingBits + AGREEING_BLOCKS;
    List<Long> masks = new ArrayList<>();
    for (int choice = 0; choice < 1 << blocks; choice++) {
      if (Integer.bitCount(choice) == AGREEING_BLOCKS) {
        long mask = 0;
        for (int bit = 0; bit < BITS; bit++) {
          if (((choice >> (bit * blocks / BITS)) & 1) == 1) {
            mask |= 1L << bit;
          }
        }
        masks.add(mask);
      }
    }
    return masks;
  }
}
