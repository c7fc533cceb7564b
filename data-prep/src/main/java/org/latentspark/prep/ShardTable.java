package org.latentspark.prep;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.latentspark.tensor.CompleteFile;

/** What each shard of a run held and cost, one line of JSON a shard, beside the dataset. */
final class ShardTable {
  static final String FOLDER = "stats";

  private static final JsonMapper JSON =
      JsonMapper.builder().propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE).build();

  private ShardTable() {}

  private record Line(
      int shard, long pairs, long encoded, double seconds, double encodeSeconds, long imageBytes) {}

  static String fileName(int version) {
    return "version-%06d.jsonl".formatted(version);
  }

  static void write(
      Path output, int version, List<FinishedShard> shards, Configuration configuration)
      throws IOException {
    StringBuilder lines = new StringBuilder();
    for (FinishedShard shard : shards) {
      lines
          .append(
              JSON.writeValueAsString(
                  new Line(
                      shard.shard(),
                      shard.contents().pairs(),
                      shard.result().encoded(),
                      shard.stats().seconds(),
                      shard.stats().encodeSeconds(),
                      shard.stats().bytes())))
          .append('\n');
    }
    CompleteFile.write(
        new Path(new Path(output, FOLDER), fileName(version)),
        lines.toString().getBytes(StandardCharsets.UTF_8),
        configuration);
  }
}
