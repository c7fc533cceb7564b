package org.latentspark.cli;

import java.io.PrintStream;
import java.util.List;

/** Tells what a verb would do, in its place: its configuration is checked alike. */
record DryRun<C>(Verb<C> verb, double rate, PrintStream out) implements Verb<C> {
  static <C> DryRun<C> of(Verb<C> verb, Double rate, PrintStream out) {
    if (rate != null && !(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
      throw new UsageException("--rate = " + rate + ": must be a number above 0");
    }
    return new DryRun<>(verb, rate == null ? Double.NaN : rate, out);
  }

  @Override
  public String name() {
    return verb.name();
  }

  @Override
  public String summary() {
    return verb.summary();
  }

  @Override
  public List<String> references() {
    return verb.references();
  }

  @Override
  public C configure(Settings settings) {
    return verb.configure(settings);
  }

  @Override
  public void run(C configuration) throws Exception {
    Outline outline = new Outline(rate);
    verb.outline(configuration, outline);
    out.print(name() + " would do this; nothing is done now:\n" + outline);
  }
}
