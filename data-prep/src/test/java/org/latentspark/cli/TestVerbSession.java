package org.latentspark.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class TestVerbSession {
  private static SparkConf settings() {
    return VerbSession.settings("test").setMaster("local[1]").set("spark.ui.enabled", "false");
  }

  @Test
  void endsWithTheVerbThatBeganIt() {
    VerbSession outer = VerbSession.open(settings());
    try (outer) {
      try (VerbSession inner = VerbSession.open(settings())) {
        assertThat(inner.spark()).isSameAs(outer.spark());
      }
      assertThat(outer.spark().sparkContext().isStopped()).as("after the inner verb").isFalse();
    }
    assertThat(outer.spark().sparkContext().isStopped()).as("after the outer verb").isTrue();
    try (VerbSession next = VerbSession.open(settings())) {
      assertThat(next.spark().sparkContext().isStopped()).as("of the next verb").isFalse();
    }
  }
}
