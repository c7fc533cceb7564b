package org.latentspark.filter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.filter.NearDuplicates.Image;

@Tag("slow")
class TestNearDuplicates {
  private static JavaSparkContext spark;

  @BeforeAll
  static void start() {
    spark =
        JavaSparkContext.fromSparkContext(
            SparkSession.builder()
                .master("local[2]")
                .appName("test")
                .config("spark.ui.enabled", "false")
                .getOrCreate()
                .sparkContext());
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void findsWhatComparingAllWithAllFinds(int bits) {
    Random random = new Random(17);
    List<Image> images = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      // Each is near to one before it, by up to five bits, or is new.
      long hash = i % 4 == 0 ? random.nextLong() : images.get(random.nextInt(images.size())).hash();
      for (int flips = random.nextInt(6); flips > 0; flips--) {
        hash ^= 1L << random.nextInt(64);
      }
      images.add(new Image("%04d".formatted(random.nextInt(10_000) * 1000 + i), hash));
    }
    List<Image> byRank = images.stream().sorted(Comparator.comparing(Image::rank)).toList();
    TreeSet<String> expected = new TreeSet<>();
    for (int i = 0; i < byRank.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (Long.bitCount(byRank.get(i).hash() ^ byRank.get(j).hash()) <= bits) {
          expected.add(byRank.get(i).rank());
        }
      }
    }
    assertThat(expected).isNotEmpty();
    assertThat(NearDuplicates.losers(spark.parallelize(images, 5), bits).collect())
        .doesNotHaveDuplicates()
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void everyChoiceOfBlocksIsMadeOnce() {
    assertThat(NearDuplicates.masks(0)).containsExactly(-1L);
    assertThat(NearDuplicates.masks(3)).hasSize(20).doesNotHaveDuplicates();
  }
}
