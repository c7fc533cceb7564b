package org.latentspark.cli;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;

/** The name of this process's run, by which its logs and records are found together. */
public final class RunId {
  /** Environment variable with the name that a scheduler gives to a run. */
  static final String VARIABLE = "LATENTSPARK_RUN_ID";

  /** Where log lines find it (MDC): Spark passes keys with this prefix on to its tasks. */
  static final String LOG_KEY = "mdc.run";

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
  private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9._:+-]{1,200}");
  private static String here;

  private RunId() {}

  /**
   * Returns the name: the scheduler's, or else of time and chance.
   *
   * @throws UsageException if the scheduler's has other characters than names here have
   */
  public static synchronized String here() {
    if (here == null) {
      here = of(System.getenv());
    }
    return here;
  }

  static String of(Map<String, String> environment) {
    String given = environment.getOrDefault(VARIABLE, "");
    if (given.isEmpty()) {
      return TIME.format(Instant.now()) + "-" + UUID.randomUUID().toString().substring(0, 8);
    }
    if (!ALLOWED.matcher(given).matches()) {
      throw new UsageException(
          VARIABLE + " = " + given + ": must be at most 200 letters, digits and . _ : + -");
    }
    return given;
  }
}
