package org.latentspark.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.MDC;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Runs a verb from its command line: {@code [--conf FILE] [--dry-run] [key=value ...]}.
 *
 * <p>Exit codes: 0 done; 2 bad usage or configuration; 3 bad input data; 4 another run holds the
 * output; 1 anything else.
 */
public final class Launcher {
  private static final String SECRET = "spark.authenticate.secret";

  private Launcher() {}

  /** Runs the verb and ends the process with its exit code. */
  public static void main(Verb<?> verb, String[] arguments) {
    takeSecret();
    int code = run(verb, arguments);
    if (!ownsProcess()) {
      if (code != 0) {
        throw new IllegalStateException(verb.name() + " ended with exit code " + code);
      }
      return;
    }
    System.exit(code);
  }

  /**
   * Takes the application's secret from the environment: a standalone cluster gives it to a driver
   * of cluster deploy mode there only, and then Spark asks for the setting.
   */
  private static void takeSecret() {
    String secret = System.getenv("_SPARK_AUTH_SECRET");
    if (secret != null && System.getProperty(SECRET) == null) {
      System.setProperty(SECRET, secret);
    }
  }

  /**
   * Tells whether the process is the verb's own: YARN's application master, in which a driver of
   * cluster deploy mode runs, takes every exit for a failure, that of code 0 too.
   */
  private static boolean ownsProcess() {
    return !("yarn".equals(System.getProperty("spark.master"))
        && "cluster".equals(System.getProperty("spark.submit.deployMode")));
  }

  /** Runs the verb and returns its exit code; errors are told on the standard error stream. */
  public static int run(Verb<?> verb, String[] arguments) {
    return run(verb, arguments, System.out, System.err);
  }

  static int run(Verb<?> verb, String[] arguments, PrintStream out, PrintStream err) {
    CommandLine line = new CommandLine(spec(verb)).setExpandAtFiles(false);
    try {
      ParseResult parsed = line.parseArgs(arguments);
      if (parsed.isUsageHelpRequested()) {
        line.usage(out);
        out.print("\nKeys, with their defaults:\n" + Keys.help(verb.references()));
        return 0;
      }
      if (parsed.matchedOptionValue("--dry-run", false)) {
        verb = DryRun.of(verb, parsed.matchedOptionValue("--rate", null), out);
      }
      List<String> overrides =
          new ArrayList<>(parsed.matchedPositionalValue(0, new ArrayList<String>()));
      configureAndRun(
          verb,
          err,
          Settings.loadFrom(
              verb.references(), parsed.matchedOptionValue("--conf", null), overrides));
      return 0;
    } catch (ParameterException e) {
      return report(verb, new UsageException(e.getMessage() + "; --help tells the usage", e), err);
    } catch (Exception | LinkageError | OutOfMemoryError e) {
      return report(verb, e, err);
    }
  }

  private static <C> void configureAndRun(Verb<C> verb, PrintStream err, Settings settings)
      throws Exception {
    C configuration = settings.read(verb::configure);
    String run = RunId.here();
    MDC.put(RunId.LOG_KEY, run);
    err.println(verb.name() + ": run " + run);
    verb.run(configuration);
  }

  private static CommandSpec spec(Verb<?> verb) {
    CommandSpec spec = CommandSpec.create().name(verb.name());
    spec.usageMessage().description(verb.summary().replace("%", "%%"));
    spec.addOption(
        OptionSpec.builder("--conf")
            .type(String.class)
            .paramLabel("FILE")
            .description("HOCON file with any of the keys below: here, or s3a://, hdfs://.")
            .build());
    spec.addOption(
        OptionSpec.builder("--dry-run")
            .type(boolean.class)
            .description("Check everything and tell what would be done; do nothing.")
            .build());
    spec.addOption(
        OptionSpec.builder("--rate")
            .type(Double.class)
            .paramLabel("NUMBER")
            .description("Measured items a second, from which --dry-run tells the time.")
            .build());
    spec.addOption(
        OptionSpec.builder("-h", "--help")
            .usageHelp(true)
            .description("Print this and every key.")
            .build());
    spec.addPositional(
        PositionalParamSpec.builder()
            .type(List.class)
            .auxiliaryTypes(String.class)
            .arity("0..*")
            .paramLabel("key=value")
            .description(
                "Overrides the file. No quotes are needed; a list is [a, b], or its only item.")
            .build());
    return spec;
  }

  private static int report(Verb<?> verb, Throwable failure, PrintStream err) {
    Throwable told = typed(failure);
    String text = told == failure && code(told) == 1 ? chain(failure) : told.getMessage();
    text.lines().forEach(problem -> err.println(verb.name() + ": " + problem));
    if (Boolean.getBoolean("latentspark.trace") || "1".equals(System.getenv("LATENTSPARK_TRACE"))) {
      failure.printStackTrace(err);
    } else if (code(told) == 1) {
      err.println(verb.name() + ": LATENTSPARK_TRACE=1 shows the stack trace");
    }
    return code(told);
  }

  private static int code(Throwable failure) {
    if (failure instanceof UsageException) {
      return 2;
    }
    if (failure instanceof InputException) {
      return 3;
    }
    return failure instanceof HeldException ? 4 : 1;
  }

  /** Returns the first failure in the chain of causes that has a code of its own: Spark wraps. */
  private static Throwable typed(Throwable failure) {
    for (Throwable cause : causes(failure)) {
      if (code(cause) != 1) {
        return cause;
      }
    }
    return failure;
  }

  /** Returns the failure and its causes as one line, without the traces Spark puts in messages. */
  private static String chain(Throwable failure) {
    List<String> parts = new ArrayList<>();
    for (Throwable cause : causes(failure)) {
      String message =
          cause.getMessage() == null ? "" : cause.getMessage().lines().findFirst().orElse("");
      String part = message.isEmpty() ? cause.getClass().getName() : message;
      if (parts.stream().noneMatch(earlier -> earlier.contains(part))) {
        parts.add(part);
      }
    }
    return "failed: " + String.join("; caused by: ", parts);
  }

  private static List<Throwable> causes(Throwable failure) {
    List<Throwable> causes = new ArrayList<>();
    for (Throwable cause = failure;
        cause != null && causes.size() < 20; // a chain may close on itself
        cause = cause.getCause()) {
      causes.add(cause);
    }
    return causes;
  }
}
