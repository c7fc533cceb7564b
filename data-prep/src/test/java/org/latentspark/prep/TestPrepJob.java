package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Settings;
import org.latentspark.cli.UsageException;
import org.latentspark.image.Images;
import org.latentspark.image.TortureServer;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.EncodedPair;
import org.latentspark.latents.Fp16;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.LatentKind;
import org.latentspark.latents.LatentShape;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.RejectedPair;
import org.latentspark.latents.Split;
import org.latentspark.pairs.PairRecord;

@Tag("slow")
@Tag("chaos")
@Timeout(600)
class TestPrepJob {
  private static final int GOOD = 20;

  @TempDir static Path shared;
  private static SparkSession spark;
  private static TortureServer server;
  private static Path encoders;
  private static Metadata torture;
  private static Path tortureSource;
  private static Path source;
  private static Map<String, String> reasons;

  @TempDir Path folder;

  @BeforeAll
  static void start() throws Exception {
    spark =
        SparkSession.builder()
            .master("local[2,2]")
            .appName("test")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.warehouse.dir", shared.resolve("warehouse").toString())
            .getOrCreate();
    server = new TortureServer("127.0.0.1");
    encoders = TinyEncoders.write(shared.resolve("encoders"), 1);
    reasons = new HashMap<>();
    source = ordinary().write(spark, shared.resolve("ordinary"));
    Files.write(source.resolve("cut.parquet"), halfOf(source));
    torture = torture();
    tortureSource = torture.write(spark, shared.resolve("torture"));
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
    spark.stop();
  }

  /** Good pairs, and some that turn out bad early and late. */
  private static Metadata ordinary() {
    Metadata rows = new Metadata();
    for (int i = 0; i < GOOD; i++) {
      server.with("/good/%d.jpg".formatted(i), Images.jpeg(48 + i, 64, i));
      rows.with(server.url("/good/%d.jpg".formatted(i)), "a red apple number " + i);
    }
    rows.with(server.url("/missing"), "not there");
    rows.with(server.url("/good/5.jpg"), "a second caption for a URL");
    for (int i = 0; i < 4; i++) {
      rows.with(server.url("/good/3.jpg?" + i), "the same picture, time " + i);
      server.with("/good/3.jpg?" + i, Images.jpeg(51, 64, 3));
    }
    return rows;
  }

  /** Good pairs, and one for each way to be bad, with its reason in {@link #reasons}. */
  private static Metadata torture() {
    Metadata rows = ordinary();
    byte[] jpeg = Images.jpeg(64, 64, 99);
    server
        .with("/html", "<html><body>gone</body></html>".getBytes(StandardCharsets.UTF_8))
        .with("/truncated", Arrays.copyOf(jpeg, jpeg.length / 2))
        .with("/bomb", Images.pngHeader(20_000, 20_000))
        .with("/damaged", Images.pngHeader(64, 64))
        .with("/tiny", Images.jpeg(8, 8, 1))
        .with("/avif", "\0\0\0\u001cftypavif\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1))
        .with("/fine", Images.jpeg(64, 64, 77));
    bad(rows, "/status/403", "forbidden");
    bad(rows, "/status/500", "http-error");
    bad(rows, "/html", "not-an-image");
    bad(rows, "/truncated", "truncated");
    bad(rows, "/bomb", "too-many-pixels");
    bad(rows, "/damaged", "undecodable");
    bad(rows, "/tiny", "too-small");
    bad(rows, "/avif", "unsupported-format");
    bad(rows, "/endless", "too-large");
    bad(rows, "/drip", "timeout");
    bad(rows, "/hang", "timeout");
    bad(rows, "/empty", "empty-file");
    bad(rows, "/loop", "bad-redirect");
    bad(rows, "/lies", "connection-failed");
    bad(rows, "/reset", "connection-failed");
    rows.with(server.url("/flaky/good/7.jpg"), "heals, and is the same picture as good/7");
    rows.with(null, "no url");
    rows.with("ftp://example.org/x.jpg", "not http");
    rows.with("http://no-such-host.invalid/x.jpg", "unknown host");
    rows.with(server.url("/fine"), " ");
    rows.with(server.url("/fine?unsafe"), "unsafe", 64, 64.0, 0.9f);
    rows.with(server.url("/fine?small"), "small by metadata", 10, 64.0, null);
    rows.with(server.url("/good/5.jpg"), "a third caption for a URL");
    return rows;
  }

  private static void bad(Metadata rows, String path, String reason) {
    rows.with(server.url(path), "bad " + path);
    reasons.put(server.url(path), reason);
  }

  private static byte[] halfOf(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      Path first = files.filter(file -> file.toString().endsWith(".parquet")).findFirst().get();
      byte[] bytes = Files.readAllBytes(first);
      return Arrays.copyOf(bytes, bytes.length / 2);
    }
  }

  @Test
  void encodesTheGoodAndGivesEachOfTheBadItsReason() throws Exception {
    Manifest manifest =
        PrepJob.run(
            spark, settings("partitions=3", "source=" + tortureSource, "fetch.deadline=20 s"));

    Manifest.Accounting accounting = manifest.accounting();
    assertThat(accounting.read()).isEqualTo(torture.size());
    assertThat(accounting.read()).isEqualTo(accounting.encoded() + accounting.rejected());
    assertThat(accounting.encoded()).isEqualTo(GOOD);
    Map<String, Long> expected = new TreeMap<>();
    reasons.values().forEach(reason -> expected.merge(reason, 1L, Long::sum));
    expected.put("not-found", 1L);
    expected.put("missing-url", 1L);
    expected.put("bad-url", 1L);
    expected.put("unknown-host", 1L);
    expected.put("empty-caption", 1L);
    expected.put("unsafe", 1L);
    expected.merge("too-small", 1L, Long::sum);
    expected.put("duplicate-url", 2L);
    expected.put("duplicate-content", 5L);
    assertThat(accounting.rejectedByReason()).isEqualTo(expected);

    LatentDataset dataset = open();
    dataset.verify();
    for (RejectedPair rejected : rejected(dataset)) {
      if (reasons.containsKey(rejected.url())) {
        assertThat(rejected.reason()).as(rejected.url()).isEqualTo(reasons.get(rejected.url()));
      }
    }
    assertThat(rejected(dataset)).hasSize(Math.toIntExact(accounting.rejected()));
    assertThat(AccountingTable.of(manifest)).contains("read ", "  not-found ");
  }

  @Test
  void rowsHoldWhatTheContractSays() throws Exception {
    Manifest manifest = PrepJob.run(spark, settings("partitions=2"));
    assertThat(manifest.latent().shape()).isEqualTo(new LatentShape(4, 4, 4));
    assertThat(manifest.latent().scalingFactor()).isEqualTo(0.2);
    assertThat(manifest.text().tokens()).isEqualTo(TinyEncoders.TOKENS);
    assertThat(manifest.text().dim()).isEqualTo(TinyEncoders.WIDTH);
    assertThat(Fp16.toFloats(manifest.text().emptyEmbedding()))
        .hasSize(TinyEncoders.TOKENS * TinyEncoders.WIDTH);
    assertThat(manifest.encoders().sha256()).containsOnlyKeys("vae", "text_encoder", "tokenizer");

    List<EncodedPair> pairs = pairs(open());
    assertThat(pairs).extracting(EncodedPair::key).isSorted().doesNotHaveDuplicates();
    for (EncodedPair pair : pairs) {
      assertThat(pair.key()).isEqualTo(PairRecord.keyOf(pair.url(), pair.caption()));
      assertThat(pair.split()).isEqualTo(Split.of(pair.key(), 0.25, 0));
      assertThat(pair.latent()).hasSize(LatentKind.MEAN_STD.bytes(manifest.latent().shape()));
      assertThat(pair.tokenIds()).hasSize(TinyEncoders.TOKENS);
      float[] latent = Fp16.toFloats(pair.latent());
      for (int i = latent.length / 2; i < latent.length; i++) {
        assertThat(latent[i]).as("standard deviation").isPositive();
      }
    }
    EncodedPair wide =
        pairs.stream().filter(pair -> pair.url().endsWith("/good/19.jpg")).findFirst().get();
    assertThat(wide.width()).isEqualTo(67);
    assertThat(wide.height()).isEqualTo(64);
    assertThat(wide.crop().width()).isEqualTo(64);
    assertThat(wide.crop().left()).isEqualTo(1);
    // Keys hold the server's port: which pairs are held out differs from run to run.
    for (Split split : Split.values()) {
      assertThat(manifest.rows(split))
          .as("%s", split)
          .isEqualTo(pairs.stream().filter(pair -> pair.split() == split).count());
    }
  }

  @Test
  void theDatasetIsTheSameHoweverTheWorkIsCut() throws Exception {
    PrepJob.run(spark, settings("partitions=1", "batch-size=1"));
    List<EncodedPair> whole = pairs(open());
    Set<RejectedPair> rejectedWhole = Set.copyOf(rejected(open()));
    Manifest manifest =
        PrepJob.run(
            spark,
            settings(
                "partitions=5", "batch-size=1", "existing=replace", "files.target-bytes=2 KiB"));
    assertThat(manifest.files()).hasSizeGreaterThan(5);
    assertThat(pairs(open())).usingRecursiveComparison().isEqualTo(whole);
    assertThat(Set.copyOf(rejected(open()))).isEqualTo(rejectedWhole);
  }

  @Test
  void aRetriedTaskNeverCountsTwice() throws Exception {
    PrepSettings plain = settings("partitions=2");
    PrepJob.run(spark, plain);
    List<EncodedPair> expected = pairs(open());

    Path other = folder.resolve("other");
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    hadoop.set("fs.faulty.impl", FaultyFileSystem.class.getName());
    FaultyFileSystem.failOnce(".*/data/part-000001-.*");
    Manifest manifest =
        PrepJob.run(spark, settings("partitions=2", "output=faulty://" + other.toUri().getPath()));

    assertThat(FaultyFileSystem.failures()).isEqualTo(1);
    assertThat(manifest.accounting().encoded()).isEqualTo(expected.size());
    LatentDataset dataset =
        LatentDataset.open(new org.apache.hadoop.fs.Path(other.toUri()), new Configuration());
    assertThat(pairs(dataset)).usingRecursiveComparison().isEqualTo(expected);
    assertThat(parquetFiles(other))
        .containsExactlyInAnyOrderElementsOf(
            Stream.concat(manifest.files().stream(), manifest.rejectedFiles().stream())
                .map(DataFile::path)
                .toList());
  }

  @Test
  void refusesACompleteDatasetUnlessItMayBeReplaced() throws Exception {
    PrepSettings few = settings("limit=5");
    Manifest first = PrepJob.run(spark, few);
    // The file that cannot be read counts, though nobody knows its rows.
    assertThat(first.accounting().read()).isEqualTo(6);
    assertThatThrownBy(() -> PrepJob.run(spark, few))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("holds a complete dataset");

    Manifest second = PrepJob.run(spark, settings("limit=4", "existing=replace"));
    assertThat(second.accounting().read()).isEqualTo(5);
    assertThat(parquetFiles(folder.resolve("out")))
        .hasSize(second.files().size() + second.rejectedFiles().size());
  }

  @Test
  void readsOnlyTheSubset() throws Exception {
    Path subset = folder.resolve("subset.txt");
    Files.writeString(subset, "7.jpg\n\n" + server.url("/good/9.jpg") + "\nmissing\n");
    Manifest manifest = PrepJob.run(spark, settings("subset=" + subset));
    assertThat(manifest.accounting().encoded()).isEqualTo(2);
    assertThat(manifest.accounting().rejectedByReason())
        .isEqualTo(new TreeMap<>(Map.of("not-found", 1L, "unreadable-source", 1L)));
  }

  private PrepSettings settings(String... overrides) {
    List<String> items =
        new ArrayList<>(
            List.of(
                "source=" + source,
                "output=" + folder.resolve("out"),
                "encoders=" + encoders,
                "image.size=16",
                "batch-size=8",
                "validation-share=0.25",
                "filter.max-punsafe=0.5",
                "fetch.allow-private-addresses=true",
                "fetch.deadline=60 s",
                "fetch.backoff=20 ms",
                "fetch.max-bytes=200 KiB"));
    items.addAll(List.of(overrides));
    return Settings.load(PrepSettings.REFERENCES, null, items).read(PrepSettings::read);
  }

  private LatentDataset open() throws IOException {
    return LatentDataset.open(
        new org.apache.hadoop.fs.Path(folder.resolve("out").toUri()), new Configuration());
  }

  private static List<EncodedPair> pairs(LatentDataset dataset) {
    List<EncodedPair> pairs = new ArrayList<>();
    dataset.files().forEach(file -> dataset.read(file).forEachRemaining(pairs::add));
    return pairs;
  }

  private static List<RejectedPair> rejected(LatentDataset dataset) {
    List<RejectedPair> pairs = new ArrayList<>();
    dataset
        .manifest()
        .rejectedFiles()
        .forEach(file -> dataset.readRejected(file).forEachRemaining(pairs::add));
    return pairs;
  }

  private static Set<String> parquetFiles(Path dataset) throws IOException {
    try (Stream<Path> files = Files.walk(dataset)) {
      return files
          .filter(file -> file.toString().endsWith(".parquet"))
          .sorted(Comparator.naturalOrder())
          .map(file -> dataset.relativize(file).toString())
          .collect(Collectors.toSet());
    }
  }
}
