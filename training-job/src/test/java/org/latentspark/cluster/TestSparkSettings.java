package org.latentspark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.averaging.AveragingTrainingMaster;
import org.latentspark.averaging.ComputeDevice;
import org.latentspark.cli.UsageException;

class TestSparkSettings {
  private static final Path FOLDER = Path.of("..", "conf", "spark");

  @ParameterizedTest
  @ValueSource(strings = {"standalone", "yarn", "kubernetes"})
  void filesOfAClusterGiveNoKeyTwiceAndSuitTheTrainer(String cluster) {
    SparkConf conf = new SparkConf(false).set("spark.master", "spark://head:7077");
    assertThatThrownBy(() -> ComputeDevice.CUDA.requireAsked(conf))
        .isInstanceOf(UsageException.class);
    for (String file : List.of("common", cluster, "gpus", "tls")) {
      SparkSettings.of(FOLDER.resolve(file + ".conf"))
          .forEach(
              setting -> {
                assertThat(conf.contains(setting.getKey())).as(setting.getKey()).isFalse();
                conf.set(setting.getKey(), setting.getValue());
              });
    }
    assertThatCode(() -> AveragingTrainingMaster.refuseUnfitCluster(conf))
        .doesNotThrowAnyException();
    assertThatCode(() -> ComputeDevice.CUDA.requireAsked(conf)).doesNotThrowAnyException();
    assertThat(conf.getBoolean("spark.authenticate", false)).isTrue();
    assertThat(conf.getAll()).hasSizeGreaterThan(40);
  }

  @Test
  void settingsAreSparksOwnAndHaveValuesThatItTakes() throws IOException {
    for (Path file : files()) {
      SparkSettings.of(file)
          .forEach(
              setting -> {
                assertThat(SparkSettings.isKnown(setting.getKey()))
                    .as("%s in %s", setting.getKey(), file)
                    .isTrue();
                assertThatCode(() -> SparkSettings.parse(setting.getKey(), setting.getValue()))
                    .as("%s in %s", setting, file)
                    .doesNotThrowAnyException();
              });
    }
  }

  @Test
  void mistypedKeysAndValuesWouldBeFound() {
    assertThat(
            Stream.of(
                "spark.dynamicAlocation.enabled",
                "spark.hadoop.fs.s3a.comitter.name",
                "spark.sql.source.commitProtocolClass",
                "spark.kubernetes.executer.podTemplateFile",
                "spark.yarn.maxAttempts",
                "spark.ssl.ui.keystore"))
        .noneMatch(SparkSettings::isKnown);
    assertThatThrownBy(() -> SparkSettings.parse("spark.executor.memory", "4 giga"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> SparkSettings.parse("spark.authenticate", "on"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void everySettingSaysWhy() throws IOException {
    for (Path file : files()) {
      List<String> lines = SparkSettings.lines(file);
      for (int line = 1; line < lines.size(); line++) {
        if (lines.get(line).startsWith("spark.")) {
          assertThat(lines.get(line - 1)).as("%s, before line %d", file, line + 1).startsWith("# ");
        }
      }
    }
  }

  /** Spark reads these files as Java's properties. */
  @Test
  void filesAreWhatJavaReads() throws IOException {
    for (Path file : files()) {
      Properties properties = new Properties();
      try (var in = Files.newBufferedReader(file)) {
        properties.load(in);
      }
      Map<String, String> settings = new HashMap<>();
      SparkSettings.of(file).forEach(setting -> settings.put(setting.getKey(), setting.getValue()));
      assertThat(properties).isEqualTo(settings);
    }
  }

  @Test
  void classesAndFilesThatAreNamedAreThere() throws Exception {
    List<String> found = new ArrayList<>();
    Pattern className = Pattern.compile("(?<=^|,)(org|com)(\\.[a-z0-9]+)+\\.[A-Z]\\w+(?=,|$)");
    for (Path file : files()) {
      for (Map.Entry<String, String> setting : SparkSettings.of(file)) {
        for (var match : className.matcher(setting.getValue()).results().toList()) {
          found.add(Class.forName(match.group()).getSimpleName());
        }
        if (setting.getKey().endsWith("podTemplateFile")) {
          assertThat(Path.of("..").resolve(setting.getValue())).exists();
          found.add(Path.of(setting.getValue()).getFileName().toString());
        }
      }
    }
    assertThat(found)
        .contains(
            "WebIdentityTokenCredentialsProvider",
            "PathOutputCommitProtocol",
            "PrometheusServlet",
            "KryoSerializer",
            "executor.yaml",
            "driver.yaml");
  }

  @Test
  void secretsOfAllKindsAreRedactedAndNoneStandsInAFile() throws IOException {
    Pattern redacted =
        SparkSettings.of(FOLDER.resolve("common.conf")).stream()
            .filter(setting -> setting.getKey().equals("spark.redaction.regex"))
            .map(setting -> Pattern.compile(setting.getValue()))
            .findFirst()
            .orElseThrow();
    assertThat(
            Stream.of(
                "spark.hadoop.fs.s3a.secret.key",
                "spark.hadoop.fs.s3a.access.key",
                "spark.hadoop.fs.s3a.session.token",
                "spark.authenticate.secret",
                "spark.ssl.ui.keyStorePassword",
                "spark.executorEnv.LATENTSPARK_WEBHOOK",
                "AWS_SECRET_ACCESS_KEY"))
        .allMatch(key -> redacted.matcher(key).find());
    for (Path file : files()) {
      assertThat(SparkSettings.of(file))
          .noneMatch(setting -> setting.getKey().matches(".*(secret|token|access)\\.key.*"))
          .filteredOn(setting -> setting.getKey().endsWith("Password"))
          .allMatch(setting -> setting.getValue().startsWith("${env:"));
    }
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.filter(file -> file.toString().endsWith(".conf")).sorted().toList();
    }
  }
}
