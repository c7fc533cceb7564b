package org.latentspark.cli;

import java.util.ArrayList;
import java.util.List;

/** What a verb would do and what it would take, fact by fact. */
public final class Outline {
  private final double rate;
  private final List<String[]> facts = new ArrayList<>();

  /**
   * Makes an empty outline.
   *
   * @param rate items a second that were measured before; NaN where nobody has told any
   */
  public Outline(double rate) {
    this.rate = rate;
  }

  /** Adds a fact; {@code format} and {@code values} are those of {@link String#format}. */
  public void tell(String name, String format, Object... values) {
    facts.add(new String[] {name, values.length == 0 ? format : format.formatted(values)});
  }

  /** Begins a part of its own. */
  public void part(String title) {
    facts.add(new String[] {title, null});
  }

  /** Adds how long {@code count} items take: by the given rate only, for a guess would be none. */
  public void time(long count, String items) {
    if (Double.isNaN(rate)) {
      tell("time", "not known: nothing was measured; --rate takes measured %s a second", items);
    } else {
      tell(
          "time",
          "%s at the given %s %s a second",
          Figures.duration(count / rate),
          rate == Math.rint(rate) ? Figures.whole((long) rate) : Double.toString(rate),
          items);
    }
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (String[] fact : facts) {
      text.append(
          fact[1] == null
              ? "%n%s%n".formatted(fact[0])
              : "  %-20s %s%n".formatted(fact[0], fact[1]));
    }
    return text.toString();
  }
}
