package org.latentspark.prep;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Peer;
import org.latentspark.cli.Settings;
import org.latentspark.cli.Verb;
import org.latentspark.image.FetchSettings;
import org.latentspark.image.Fetcher;
import org.latentspark.image.ImageDecoder;
import org.latentspark.image.ImageSettings;
import org.latentspark.latents.Digests;

/**
 * The benchmark {@code prep}: fetch, hash, decode, crop and resize, beside img2dataset, from the
 * same server, which is a process of its own.
 *
 * <p>What counts is images for each second of processor time, of all threads: that is images a
 * second for each core, whatever else the machine does.
 */
public final class PrepBench implements Verb<PrepBench.Plan> {
  private static final double BUDGET = 1.2;
  private static final int IN_FLIGHT = 64;

  /** The JVM compiles what runs often; a job that runs for hours is past that soon. */
  private static final int WARM_UP_ROUNDS = 3;

  private static final int PEER_MINUTES = 60;
  private static final List<String> REFERENCES = List.of("org/latentspark/prep/bench-prep.conf");

  /** What is run. */
  record Plan(Path images, int size, int count, int rounds, Peer peer) {}

  /** Runs the benchmark. */
  public static void main(String[] arguments) {
    Launcher.main(new PrepBench(), arguments);
  }

  @Override
  public String name() {
    return "bench prep";
  }

  @Override
  public String summary() {
    return "Fetches, decodes and resizes photographs beside img2dataset.";
  }

  @Override
  public List<String> references() {
    return REFERENCES;
  }

  @Override
  public Plan configure(Settings settings) {
    return new Plan(
        Path.of(settings.required("images")),
        settings.integer("size", 8, 4096),
        settings.integer("count", 1, 1_000_000),
        settings.integer("rounds", 1, 100),
        Peer.read(settings, "img2dataset==1.47.0"));
  }

  @Override
  public void run(Plan plan) throws Exception {
    Process server = Server.start(plan.images());
    Path list = Files.createTempFile("urls", ".txt");
    try {
      String root = Server.url(server);
      List<String> urls = urls(plan, root);
      Files.write(list, urls);
      double ours = 0;
      double peers = 0;
      try (Ours side = new Ours(plan)) {
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
          side.round(urls);
        }
        for (int round = 1; round <= plan.rounds(); round++) {
          double our = side.round(urls);
          double peer = peerRound(plan, list);
          System.out.printf(
              "round %d: LatentSpark %.1f, img2dataset %.1f images a second and core%n",
              round, our, peer);
          ours += 1 / our;
          peers += 1 / peer;
        }
      }
      System.out.println(Peer.result("prep", peers / ours, BUDGET));
    } finally {
      server.destroy();
      Files.deleteIfExists(list);
    }
  }

  private static List<String> urls(Plan plan, String root) throws IOException {
    List<String> names;
    try (Stream<Path> files = Files.list(plan.images())) {
      names =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.toLowerCase(java.util.Locale.ROOT).matches(".*\\.jpe?g"))
              .sorted()
              .toList();
    }
    if (names.isEmpty()) {
      throw new InputException("images = " + plan.images() + ": there is no JPEG file in it");
    }
    List<String> urls = new ArrayList<>();
    for (int i = 0; i < plan.count(); i++) {
      urls.add(root + names.get(i % names.size()) + "?" + i);
    }
    return urls;
  }

  /** Two rounds in a process of its own, of which the first warms up. */
  private static double peerRound(Plan plan, Path urls) throws Exception {
    String line =
        plan.peer()
            .run(
                "org/latentspark/prep/bench_img2dataset.py",
                PEER_MINUTES,
                List.of(
                    urls.toString(),
                    Integer.toString(plan.size()),
                    Integer.toString(IN_FLIGHT),
                    "2"));
    String[] last = line.substring(line.lastIndexOf(' ') + 1).split(":", 2);
    requireAll(plan, Integer.parseInt(last[0]), "img2dataset");
    return plan.count() / Double.parseDouble(last[1]);
  }

  private static void requireAll(Plan plan, int images, String side) {
    if (images != plan.count()) {
      throw new IllegalStateException(
          "%s got %d images of %d".formatted(side, images, plan.count()));
    }
  }

  /** This project's side. */
  private static final class Ours implements AutoCloseable {
    private final Plan plan;
    private final Fetcher fetcher;
    private final ImageDecoder decoder;
    private final ExecutorService decoding = Executors.newSingleThreadExecutor();

    Ours(Plan plan) {
      this.plan = plan;
      this.decoder = new ImageDecoder(new ImageSettings(plan.size(), 1 << 28));
      this.fetcher =
          new Fetcher(
              Settings.load(
                      PrepSettings.REFERENCES,
                      null,
                      List.of(
                          "fetch.parallelism=" + IN_FLIGHT,
                          "fetch.per-host=" + IN_FLIGHT,
                          "fetch.deadline=10 m",
                          "fetch.read-timeout=10 m",
                          "fetch.allow-private-addresses=true"))
                  .read(FetchSettings::read));
    }

    /** Returns images for each second of processor time. */
    double round(List<String> urls) throws InterruptedException {
      long start = Peer.processorNanos();
      Semaphore free = new Semaphore(IN_FLIGHT);
      List<CompletableFuture<Integer>> images = new ArrayList<>();
      for (String url : urls) {
        free.acquire();
        CompletableFuture<Integer> image =
            fetcher.fetch(
                url,
                file -> Digests.sha256Hex(file).length() + decoder.decode(file).width(),
                decoding);
        images.add(image.whenComplete((size, failure) -> free.release()));
      }
      images.forEach(CompletableFuture::join);
      requireAll(plan, images.size(), "LatentSpark");
      return urls.size() / ((Peer.processorNanos() - start) / 1e9);
    }

    @Override
    public void close() {
      fetcher.close();
      decoding.shutdownNow();
    }
  }

  /** The process that serves the photographs. */
  static final class Server {
    private Server() {}

    /** Serves a folder until its standard input ends. */
    public static void main(String[] arguments) throws IOException {
      try (StaticFileServer files = StaticFileServer.start(Path.of(arguments[0]), 0)) {
        System.out.println(files.url());
        while (System.in.read() >= 0) {
          // Wait for the end.
        }
      }
    }

    static Process start(Path folder) throws IOException {
      String code = PrepBench.class.getProtectionDomain().getCodeSource().getLocation().getPath();
      return new ProcessBuilder(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-cp",
              code + java.io.File.pathSeparator + System.getProperty("java.class.path"),
              Server.class.getName(),
              folder.toString())
          .redirectError(ProcessBuilder.Redirect.INHERIT)
          .start();
    }

    static String url(Process server) throws IOException {
      String url =
          new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))
              .readLine();
      if (url == null) {
        throw new IOException("the server of the photographs did not start");
      }
      return url;
    }
  }
}
