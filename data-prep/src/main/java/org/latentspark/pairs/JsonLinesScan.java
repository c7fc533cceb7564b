package org.latentspark.pairs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.util.LineReader;
import org.apache.spark.sql.Row;

/** One JSON object a line. */
final class JsonLinesScan extends TableScan {
  private static final int MAX_LINE = 1 << 20;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          // As Python writes scores that are not there.
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  private final LineReader lines;
  private final Text text = new Text();
  private long line;

  JsonLinesScan(Path file, Configuration configuration) throws IOException {
    super(file);
    lines = new LineReader(open(file, configuration));
  }

  @Override
  Row read() throws IOException {
    while (true) {
      int consumed = lines.readLine(text, MAX_LINE);
      if (consumed == 0) {
        return null;
      }
      line++;
      if (consumed > MAX_LINE) {
        return badRow(line, "more than %d bytes".formatted(MAX_LINE));
      }
      String json = text.toString();
      if (!json.isBlank()) {
        try {
          return pair(fields(json), line);
        } catch (JsonProcessingException e) {
          return badRow(line, e.getOriginalMessage());
        }
      }
    }
  }

  /**
   * Returns the plain members of a JSON object: text, numbers and null.
   *
   * @throws JsonProcessingException if {@code json} is no JSON object
   */
  static Map<String, Object> fields(String json) throws JsonProcessingException {
    // A byte order mark is no blank to Jackson.
    JsonNode node = JSON.readTree(json.startsWith("\ufeff") ? json.substring(1) : json);
    Map<String, Object> fields = new HashMap<>();
    node.fields()
        .forEachRemaining(
            member -> {
              JsonNode value = member.getValue();
              if (value.isNumber()) {
                fields.put(member.getKey(), value.numberValue());
              } else if (value.isValueNode() && !value.isNull()) {
                fields.put(member.getKey(), value.asText());
              }
            });
    if (!node.isObject()) {
      throw new NoObjectException();
    }
    return fields;
  }

  private static final class NoObjectException extends JsonProcessingException {
    private static final long serialVersionUID = 1L;

    NoObjectException() {
      super("no JSON object");
    }
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
