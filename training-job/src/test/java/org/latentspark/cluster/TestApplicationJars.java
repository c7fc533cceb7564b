package org.latentspark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the jars for spark-submit hold and do not hold. */
@Tag("packaged")
class TestApplicationJars {
  /** Packages of what the cluster brings; what is in brackets extends it and is not there. */
  private static final String CLUSTERS =
      "org/apache/spark/(?!internal/io/cloud/|TaskContextHelper).*"
          + "|org/apache/hadoop/(?!fs/s3a/|fs/s3native/).*"
          + "|com/fasterxml/jackson/(?!dataformat/cbor/).*"
          + "|org/apache/commons/(?!net/).*"
          + "|(scala|org/slf4j|org/apache/(log4j|logging|parquet|arrow|avro|zookeeper)|io/netty)/.*"
          + "|(com/(google|esotericsoftware|codahale|twitter)|javax|jakarta|org/(json4s|joda))/.*";

  @ParameterizedTest
  @ValueSource(strings = {"data-prep", "training-job"})
  void jarClashesWithNothingOfTheCluster(String module) throws IOException {
    Set<String> classes = classes(jar(module));
    assertThat(classes).hasSizeGreaterThan(5_000).noneMatch(name -> name.matches(CLUSTERS));
    Set<String> clusters = new TreeSet<>();
    for (Path jar : sparkJars()) {
      clusters.addAll(classes(jar));
    }
    assertThat(clusters).hasSizeGreaterThan(20_000);
    clusters.retainAll(classes);
    assertThat(clusters).isEmpty();
  }

  private static List<Path> sparkJars() {
    return Stream.of(System.getProperty("java.class.path").split(":"))
        .filter(
            element ->
                element.matches(
                    ".*/(spark-(core|sql|catalyst|network-common|unsafe)_"
                        + "|hadoop-client-|scala-library-|jackson-(core|databind|annotations)-|log4j-|slf4j-"
                        + "|netty-|kryo-shaded-|commons-|parquet-|joda-time-|jsr305-|gson-).*\\.jar"))
        .filter(element -> !element.contains("minicluster") && !element.contains("commons-net"))
        .map(Path::of)
        .toList();
  }

  static Path jar(String module) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("..", module, "target"))) {
      return files.filter(file -> file.toString().endsWith("-app.jar")).findFirst().orElseThrow();
    }
  }

  private static Set<String> classes(Path jar) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      return zip.stream()
          .map(ZipEntry::getName)
          .filter(name -> name.endsWith(".class") && !name.startsWith("META-INF/"))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }
}
