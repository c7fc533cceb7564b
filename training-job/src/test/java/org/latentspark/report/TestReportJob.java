package org.latentspark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.InputException;
import org.latentspark.cli.Launcher;
import org.latentspark.cli.Settings;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.RejectedPair;

class TestReportJob {
  private static final String HOSTILE = "<script>alert(1)</script> \"quoted\" & 'so'";

  @TempDir Path directory;
  private Path run;
  private SyntheticRun synthetic;

  @BeforeEach
  void nameRun() {
    run = directory.resolve("my-run");
    synthetic = new SyntheticRun(run);
  }

  @Test
  void showsWhatTheRunLeft() throws IOException {
    LatentDataset dataset =
        SyntheticRun.dataset(
            directory.resolve("encoded"),
            List.of(
                new RejectedPair("1", "https://a.example/x.jpg", HOSTILE, "not-found", "HTTP 404"),
                new RejectedPair("2", null, null, "empty-caption", null)));
    synthetic.metrics(100);
    synthetic.grid(500, List.of("red apple"));
    synthetic.grid(1000, List.of("red apple", HOSTILE));
    synthetic.checkpoint(500, directory.resolve("encoded").toString(), dataset.fingerprint());
    synthetic.checkpoint(1000, directory.resolve("encoded").toString(), dataset.fingerprint());
    String page = report();

    assertThat(page)
        .contains("<h1>my-run</h1>")
        .contains("A noise-prediction U-Net of 30 parameters")
        .contains("32,000 examples")
        .contains("of 2,000 planned, by each of 2 workers, 100 averages")
        .containsPattern("% of the first \\(0.9\\d+ at step 10\\)")
        .contains("newest: <span class=\"name\">step-000001000</span>")
        .contains("Step 500: 25 denoising steps, guidance scale 3.5")
        .contains("not found (404, 410, no file)")
        .contains("<td>encoded</td><td class=\"number\">998</td><td class=\"number\">99.8 %</td>")
        .contains("HTTP 404")
        .contains("(no caption)")
        .contains("abc123")
        .contains("samples.prompts")
        .doesNotContain("has changed since");
    assertThat(embedded(page))
        .containsExactly(
            Files.readAllBytes(run.resolve("samples/step-000000500/grid.png")),
            Files.readAllBytes(run.resolve("samples/step-000001000/grid.png")));
  }

  @Test
  void tellsTheBucketsOfPictures() throws IOException {
    TreeMap<String, Long> rows = new TreeMap<>(Map.of("512x512", 40L, "576x448", 50L));
    SyntheticRun.dataset(directory.resolve("two"), List.of(), rows);
    synthetic.metrics(20);
    assertThat(report("dataset=" + directory.resolve("two")))
        .contains("90 image-text pairs of 576×448, 512×512 pixels (9 held out)");

    rows.putAll(Map.of("448x576", 60L, "640x384", 3L));
    SyntheticRun.dataset(directory.resolve("four"), List.of(), rows);
    assertThat(report("dataset=" + directory.resolve("four")))
        .contains("of 4 sizes, most of 448×576, 576×448, 512×512 pixels")
        .contains("<td>448×576, 576×448, 512×512, 640×384 pixels</td>");
  }

  @Test
  void loadsNothing() throws IOException {
    synthetic.metrics(20);
    synthetic.grid(100, List.of("red apple"));
    String page = report();

    assertThat(page)
        .contains("default-src 'none'", "var uPlot=", "\"served\":false")
        .doesNotContain("connect-src");
    Matcher references =
        Pattern.compile(
                "(?i)(?:\\b(?:src|href|action|data)\\s*=\\s*|url\\(|@import\\s*)[\"']?([^\"'\\s>)]*)")
            .matcher(page.substring(0, page.indexOf("<script")));
    assertThat(references.results().map(found -> found.group(1)))
        .isNotEmpty()
        .allSatisfy(reference -> assertThat(reference).startsWith("data:"));
    assertThat(page).doesNotContainPattern("<script[^>]*\\ssrc");
  }

  @Test
  void showsTextOfStrangersAsText() throws IOException {
    SyntheticRun.dataset(
        directory.resolve("encoded"),
        List.of(new RejectedPair("1", HOSTILE, HOSTILE, "not-an-image", HOSTILE)));
    synthetic.metrics(20);
    synthetic.grid(100, List.of(HOSTILE));
    synthetic.checkpoint(100, "nowhere", HOSTILE);
    String page = report("dataset=" + directory.resolve("encoded"));

    assertThat(page)
        .doesNotContain("<script>alert")
        .contains("&lt;script&gt;alert(1)&lt;/script&gt;");
    assertThat(page).contains("&quot;quoted&quot; &amp; &#39;so&#39;");
    assertThat(page.split("</script>", -1)).hasSize(4);
  }

  @Test
  void givesTheChartsTheirNumbers() throws IOException {
    synthetic.metrics(100);
    JsonNode curves = curves(report());

    assertThat(curves.properties())
        .filteredOn(column -> column.getValue().isArray())
        .hasSize(12)
        .allSatisfy(column -> assertThat(column.getValue()).hasSize(100));
    assertThat(curves.path("step").get(99).asLong()).isEqualTo(1000);
    assertThat(curves.path("heldOut").get(0).asDouble()).isGreaterThan(0.9);
    assertThat(curves.path("heldOut").get(1).isNull()).isTrue();
    assertThat(curves.path("smoothing").asInt()).isEqualTo(5);
  }

  @Test
  void staysSmallForLongRuns() throws IOException {
    synthetic.metrics(3 * Curves.MOST_POINTS);
    for (int step = 1; step <= 3 * SampleGrid.MOST_GRIDS; step++) {
      synthetic.grid(step, List.of());
    }
    String page = report();

    assertThat(curves(page).path("step")).hasSize(Curves.MOST_POINTS);
    assertThat(embedded(page)).hasSize(SampleGrid.MOST_GRIDS);
    assertThat(page)
        .contains("data-step=\"1\"", "data-step=\"" + 3 * SampleGrid.MOST_GRIDS + "\"")
        .contains("Of 144 sample grids 48 are shown");
  }

  @Test
  void showsWhatWasJudged() throws IOException {
    synthetic.metrics(20);
    String nothing = report();
    assertThat(nothing).contains("Nothing was judged");
    synthetic.evaluation("evaluations/step-200", 12.5);
    Path elsewhere = directory.resolve("compared");
    synthetic.comparison(elsewhere);
    String page = report("evaluations=" + elsewhere);

    assertThat(page)
        .doesNotContain("Nothing was judged")
        .contains("12.5<small>11.5 to 13.5</small>")
        .contains(
            "<td>Loss, steps 125 to 249</td><td class=\"number\">0.25<small>0.2 to 0.3</small>")
        .contains("dpm-solver++, 20 steps</td><td class=\"number\">0.5</td>")
        .contains("alt=\"Pictures drawn by ddpm, 1,000 steps\"");
    assertThat(embedded(page)).hasSize(1);
    assertThat(Launcher.run(new ReportJob(), new String[] {"run=" + run, "evaluations=" + run}))
        .isEqualTo(3);
  }

  @Test
  void setsSeveralRunsSideBySide() throws IOException {
    synthetic.metrics(20);
    synthetic.checkpoint(200, "nowhere", "0");
    synthetic.grid(100, List.of("red apple"));
    Path other = directory.resolve("other-run");
    SyntheticRun second = new SyntheticRun(other);
    second.metrics(30);
    second.grid(100, List.of("red apple"));
    second.grid(300, List.of("red apple"));
    second.checkpoint(300, "nowhere", "0");
    Path state = other.resolve("checkpoints/step-000000300/trainer_state.json");
    String changed = Files.readString(state).replace("\\\"workers\\\":2", "\\\"workers\\\":4");
    Files.writeString(state, changed);
    // The manifest of the checkpoint tells lengths only, which stay.
    Path output = directory.resolve("page");
    assertThat(
            Launcher.run(
                new ReportJob(),
                new String[] {"runs=[" + run + ", " + other + "]", "output=" + output}))
        .isZero();
    String page = Files.readString(output.resolve("index.html"));

    assertThat(page)
        .contains("<h1>my-run, other-run</h1>")
        .contains("<tr><td>Steps</td><td>200</td><td>300</td></tr>")
        .contains("<tr><td><code>workers</code></td><td>2</td><td>4</td></tr>")
        .contains("max=\"1\" value=\"1\"")
        .containsOnlyOnce("<input id=\"grid\"");
    JsonNode runs = data(page).path("runs");
    assertThat(runs).hasSize(2);
    assertThat(runs.get(1).path("name").asText()).isEqualTo("other-run");
    assertThat(runs.get(1).path("curves").path("step")).hasSize(30);
    assertThat(page.split("class=\"grids\"", -1)).hasSize(3);
    assertThat(embedded(page)).hasSize(3);
  }

  @Test
  void servesThePageAsTheRunGoesOn() throws Exception {
    synthetic.metrics(20);
    try (ReportServer server = SyntheticRun.served(run)) {
      HttpResponse<String> first = get(server.address());
      assertThat(first.statusCode()).isEqualTo(200);
      assertThat(first.body()).contains("20 averages", "connect-src 'self'", "\"served\":true");
      String state = get(server.address() + "state").body();
      synthetic.metrics(21);
      String later = state;
      for (int tries = 0; later.equals(state) && tries < 600; tries++) {
        Thread.sleep(100);
        later = get(server.address() + "state").body();
      }
      assertThat(later).isNotEqualTo(state);
      assertThat(get(server.address()).body()).contains("21 averages");
      assertThat(get(server.address() + "metrics.jsonl").statusCode()).isEqualTo(404);
      assertThat(get(server.address() + "../../etc/passwd").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void aPageSaysTheSameOfTheSameRun() throws IOException {
    synthetic.metrics(20);
    assertThat(ReportServer.state(report())).isEqualTo(ReportServer.state(report()));
  }

  @Test
  void toleratesWhatIsHalfWritten() throws IOException {
    synthetic.metrics(10);
    Path metrics = run.resolve("metrics.jsonl");
    List<String> lines = Files.readAllLines(metrics);
    Files.writeString(
        metrics, String.join("\n", lines) + "\n" + lines.get(9) + "\n" + lines.get(3).substring(9));
    Files.createDirectories(run.resolve("checkpoints/step-000000100/unet"));
    Files.createDirectories(run.resolve("samples/step-000000050"));
    Files.createDirectories(run.resolve("samples/step-000000100"));
    Files.writeString(run.resolve("samples/step-000000100/grid.png"), "not yet");
    String page = report();

    assertThat(page)
        .contains("1 lines of metrics.jsonl could not be read")
        .contains("1 rounds ran again after a failure")
        .contains("no checkpoint.json")
        .contains("grid.png is not a picture")
        .contains("The run has drawn no samples.")
        .contains("10 averages");
  }

  @Test
  void tellsWhenTheDatasetIsGoneOrAnother() throws IOException {
    synthetic.metrics(10);
    synthetic.checkpoint(100, directory.resolve("gone").toString(), "0");
    assertThat(report()).contains("The dataset that the run names could not be opened");
    SyntheticRun.dataset(directory.resolve("gone"), List.of());
    assertThat(report()).contains("has changed since the newest checkpoint was trained on it");
  }

  @Test
  void refusesWhatIsNoRun() throws IOException {
    Configuration configuration = new Configuration();
    assertThatThrownBy(() -> ReportJob.write(run.toString(), "", configuration))
        .isInstanceOf(InputException.class)
        .hasMessageEndingWith("my-run: there is no such directory");
    Files.createDirectories(run);
    assertThatThrownBy(() -> ReportJob.write(run.toString(), "", configuration))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("has neither metrics.jsonl nor checkpoints/");
    assertThat(Launcher.run(new ReportJob(), new String[] {"run=" + run})).isEqualTo(3);
    synthetic.metrics(10);
    assertThat(Launcher.run(new ReportJob(), new String[] {"run=" + run, "dataset=" + run}))
        .isEqualTo(3);
    assertThat(Launcher.run(new ReportJob(), new String[] {})).isEqualTo(2);
  }

  @Test
  void keepsItsDefaults() {
    assertThat(Settings.defaults(new ReportJob().references()))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "run",
                "",
                "runs",
                List.of(),
                "dataset",
                "",
                "evaluations",
                List.of(),
                "output",
                "",
                "serve.on",
                false,
                "serve.host",
                "127.0.0.1",
                "serve.port",
                8088));
  }

  private String report(String... more) throws IOException {
    Path output = directory.resolve("page");
    String[] arguments = {
      "run=" + run, "output=" + output, more.length == 0 ? "dataset=" : more[0]
    };
    assertThat(Launcher.run(new ReportJob(), arguments)).isZero();
    return Files.readString(output.resolve("index.html"));
  }

  private static HttpResponse<String> get(String address) throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create(address)).build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode curves(String page) throws IOException {
    return data(page).path("runs").get(0).path("curves");
  }

  private static JsonNode data(String page) throws IOException {
    Matcher data = Pattern.compile("id=\"data\">(.*?)</script>", Pattern.DOTALL).matcher(page);
    assertThat(data.find()).isTrue();
    return new ObjectMapper().readTree(data.group(1));
  }

  private static List<byte[]> embedded(String page) {
    return Pattern.compile("src=\"data:image/png;base64,([^\"]*)\"")
        .matcher(page)
        .results()
        .map(found -> Base64.getDecoder().decode(found.group(1)))
        .toList();
  }
}
