package org.latentspark.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.net.URI;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;

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

  @Test
  void logLinesOfTasksCanNameTheRun() {
    try (VerbSession session = VerbSession.open(settings())) {
      List<String> names =
          JavaSparkContext.fromSparkContext(session.spark().sparkContext())
              .parallelize(List.of(1))
              .map(item -> MDC.get(RunId.LOG_KEY))
              .collect();
      assertThat(names).containsExactly(RunId.here());
    }
  }

  @Test
  void settingsThatAreSecretsAreHiddenInSparksPages() throws Exception {
    SparkConf settings =
        settings().set("spark.ui.enabled", "true").set("spark.ui.port", "0").set("spark.a", "seen");
    List<String> keys =
        List.of(
            "spark.hadoop.fs.s3a.access.key",
            "spark.hadoop.fs.s3a.secret.key",
            "spark.hadoop.fs.s3a.session.token",
            "spark.hadoop.fs.s3a.encryption.key",
            "spark.hadoop.fs.s3a.bucket.models.secret.key",
            "spark.hadoop.fs.azure.account.key.store",
            "spark.executorEnv.AWS_ACCESS_KEY_ID",
            "spark.executorEnv.AWS_SECRET_ACCESS_KEY",
            "spark.executorEnv.LATENTSPARK_WEBHOOK");
    settings.set("spark.redaction.regex", "ours");
    settings.set("spark.hadoop.fs.ours", "planted-ours");
    keys.forEach(key -> settings.set(key, "planted-" + keys.indexOf(key)));
    try (VerbSession session = VerbSession.open(settings)) {
      String address = session.spark().sparkContext().uiWebUrl().get();
      int port = URI.create(address).getPort();
      String page;
      try (InputStream in =
          URI.create("http://127.0.0.1:" + port + "/environment/").toURL().openStream()) {
        page = new String(in.readAllBytes(), UTF_8);
      }
      assertThat(page).contains(keys).contains("seen").doesNotContain("planted-");
    }
  }
}
