package org.latentspark.sample;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.cli.Progress;
import org.latentspark.cli.UsageException;
import org.latentspark.sample.SampleSettings.Existing;
import org.latentspark.tensor.CompleteFile;
import org.latentspark.tensor.FileSystems;
import org.latentspark.tensor.OutputLease;
import scala.collection.JavaConverters;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction2;
import scala.runtime.BoxedUnit;

/** One run of {@code sample}: all pictures of its prompts, or those that an earlier run left. */
final class SampleRun {
  private static final int MOST_TASKS = 10_000;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final SparkSession spark;
  private final SampleSettings settings;
  private final Configuration hadoop;
  private final Path output;
  private final FileSystem files;

  SampleRun(SparkSession spark, SampleSettings settings) throws IOException {
    this.spark = spark;
    this.settings = settings;
    this.hadoop = spark.sparkContext().hadoopConfiguration();
    this.output = qualified(settings.output());
    this.files = FileSystems.of(output, hadoop);
  }

  /** A relative path means another folder to each executor. */
  private Path qualified(String path) throws IOException {
    return FileSystems.of(new Path(path), hadoop).makeQualified(new Path(path));
  }

  /**
   * A number in a task, and what came of it.
   *
   * @param <T> what it becomes, such as how many pictures were made
   */
  private interface Work<T> extends Serializable {
    T of(long number) throws IOException;
  }

  /** Draws what is missing, writes the record and the grid, and says so in samples.json. */
  void run() throws IOException {
    long start = System.nanoTime();
    PromptSource source =
        PromptSource.open(
            spark, settings.prompts(), settings.promptsFile(), settings.negativePrompt());
    PromptRules rules = new PromptRules();
    source.read(rules::accept);
    String promptsSha256 = rules.finish();
    Path checkpoint = TextToImage.checkpoint(qualified(settings.checkpoint()), hadoop);
    PictureModel model =
        PictureModel.load(
            new PictureModel.Source(
                checkpoint.toString(),
                settings.weights(),
                qualified(settings.encoders()).toString()),
            hadoop);
    model.model().sampler().require(settings.draw());
    SamplePlan plan = SamplePlan.of(settings, output, model, rules.count(), promptsSha256);
    try (OutputLease lease = OutputLease.take(output, hadoop, "sample")) {
      prepare(plan);
      BitSet open = open(plan);
      PromptShelf shelf = new PromptShelf(output, hadoop);
      shelf.fill(source);
      if (!open.isEmpty()) {
        files.delete(new Path(output, SampleRecord.FILE_NAME), false);
      }
      long made = draw(plan, open);
      PictureTable table = new PictureTable(plan, new SerializableConfiguration(hadoop));
      long recorded = sum(LongStream.range(0, table.files()).toArray(), table::write, rows -> {});
      new SampleRecord(plan, settings, hadoop)
          .write(model.model(), made, recorded, (System.nanoTime() - start) / 1e9);
      sweep(plan);
      shelf.clear();
    }
  }

  private void prepare(SamplePlan plan) throws IOException {
    Path path = new Path(output, SamplePlan.FILE_NAME);
    SortedMap<String, String> before = new TreeMap<>();
    Optional<byte[]> kept = CompleteFile.find(path, hadoop);
    if (kept.isPresent()) {
      before.putAll(JSON.readValue(kept.get(), new TypeReference<Map<String, String>>() {}));
    }
    SortedMap<String, String> now = plan.identity();
    if (!before.isEmpty() && !before.equals(now)) {
      if (settings.existing() != Existing.REPLACE) {
        throw new UsageException(
            ("output = %s: its pictures are drawn with %s; go on with that, name another output, or"
                    + " set existing=replace")
                .formatted(output, difference(before, now)));
      }
      for (String name : List.of("pictures", PictureTable.FOLDER, PromptShelf.FOLDER)) {
        files.delete(new Path(output, name), true);
      }
      files.delete(new Path(output, SampleRecord.FILE_NAME), false);
    }
    CompleteFile.write(path, JSON.writeValueAsBytes(now), hadoop);
  }

  private static String difference(
      SortedMap<String, String> before, SortedMap<String, String> now) {
    SortedMap<String, String> all = new TreeMap<>(now);
    all.putAll(before);
    List<String> different = new ArrayList<>();
    for (String key : all.keySet()) {
      if (!Objects.equals(before.get(key), now.get(key))) {
        different.add("%s = %s (now %s)".formatted(key, before.get(key), now.get(key)));
      }
    }
    return String.join(", ", different);
  }

  /** Returns the batches of which a picture is missing. */
  private BitSet open(SamplePlan plan) throws IOException {
    BitSet present = new BitSet();
    for (long from = 0; from < plan.pictures(); from += Picture.FOLDER) {
      for (FileStatus file : DrawTask.list(new Path(output, Picture.folder(from)), hadoop)) {
        OptionalLong number = Picture.number(file.getPath().getName());
        number.ifPresent(found -> present.set(Math.toIntExact(found)));
      }
    }
    int pictures = Math.toIntExact(plan.pictures());
    if (present.cardinality() > 0) {
      System.out.printf("Going on: %d of %d pictures are there%n", present.cardinality(), pictures);
    }
    BitSet open = new BitSet();
    for (int missing = present.nextClearBit(0);
        missing < pictures;
        missing = present.nextClearBit(missing + 1)) {
      open.set(missing / plan.draw().batchSize());
    }
    return open;
  }

  private long draw(SamplePlan plan, BitSet open) throws IOException {
    long[] batches = open.stream().asLongStream().toArray();
    DrawTask task = new DrawTask(plan, new SerializableConfiguration(hadoop));
    long pictures = Math.min(plan.pictures(), (long) batches.length * plan.draw().batchSize());
    try (Progress progress = Progress.start("sample", "pictures", pictures)) {
      return sum(batches, task::draw, progress::advance);
    }
  }

  /** Does the work of all numbers in tasks; each task that ends well counts once. */
  private long sum(long[] numbers, Work<Integer> work, LongConsumer told) {
    if (numbers.length == 0) {
      return 0;
    }
    long[] sum = {0};
    List<Long> all = LongStream.of(numbers).boxed().toList();
    var counts =
        JavaSparkContext.fromSparkContext(spark.sparkContext())
            .parallelize(all, Math.min(all.size(), MOST_TASKS))
            .map(number -> work.of(number));
    spark
        .sparkContext()
        .runJob(
            counts.rdd(),
            new Total(),
            JavaConverters.asScalaBuffer(
                    IntStream.range(0, counts.getNumPartitions())
                        .<Object>mapToObj(part -> part)
                        .toList())
                .toSeq(),
            new AbstractFunction2<Object, Long, BoxedUnit>() {
              @Override
              public BoxedUnit apply(Object part, Long count) {
                sum[0] += count;
                told.accept(count);
                return BoxedUnit.UNIT;
              }
            },
            ClassTag$.MODULE$.apply(Long.class));
    return sum[0];
  }

  /** Removes what attempts that died have left between the pictures. */
  private void sweep(SamplePlan plan) throws IOException {
    for (long from = 0; from < plan.pictures(); from += Picture.FOLDER) {
      for (FileStatus file : DrawTask.list(new Path(output, Picture.folder(from)), hadoop)) {
        if (file.getPath().getName().startsWith(".")) {
          files.delete(file.getPath(), false);
        }
      }
    }
  }

  /** Adds up what the numbers of one task have become. */
  private static final class Total
      extends AbstractFunction2<TaskContext, scala.collection.Iterator<Integer>, Long>
      implements Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Long apply(TaskContext context, scala.collection.Iterator<Integer> counts) {
      long total = 0;
      while (counts.hasNext()) {
        total += counts.next();
      }
      return total;
    }
  }
}
