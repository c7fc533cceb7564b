package org.latentspark.cli;

import java.time.Duration;
import java.util.Locale;

/** Writes figures as people read them. */
public final class Figures {
  private static final String[] BYTE_UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};
  private static final String[] THOUSANDS = {"", " k", " M", " G", " T", " P", " E", " Z", " Y"};

  private Figures() {}

  /** Returns a whole number with thousands apart. */
  public static String whole(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  /** Returns a number of bytes in its largest unit. */
  public static String bytes(double bytes) {
    int unit = 0;
    double size = bytes;
    while (size >= 1024 && unit < BYTE_UNITS.length - 1) {
      size /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", size, BYTE_UNITS[unit]);
  }

  /** Returns a number with three digits and its prefix of the SI, such as {@code 2.41 T}. */
  public static String scaled(double value) {
    int unit = 0;
    double size = value;
    while (size >= 1000 && unit < THOUSANDS.length - 1) {
      size /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : "%.2f", size)
        + THOUSANDS[unit];
  }

  /** Returns a duration in its two largest units. */
  public static String duration(double seconds) {
    Duration duration = Duration.ofSeconds(Math.round(seconds));
    if (duration.toHours() > 0) {
      return whole(duration.toHours()) + " h " + duration.toMinutesPart() + " min";
    }
    return duration.toMinutes() > 0
        ? duration.toMinutes() + " min " + duration.toSecondsPart() + " s"
        : duration.toSeconds() + " s";
  }
}
