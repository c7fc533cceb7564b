package org.latentspark.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.latentspark.cli.Launcher;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.RejectedPair;

/** The page as a reader meets it; the screenshots lie in {@code target/screenshots}. */
@Tag("slow")
class TestReportInBrowser {
  private static final Path SCREENSHOTS = Path.of("target", "screenshots");

  /** Text that is smaller than 12 pixels or has less contrast than WCAG 2.2 asks for (1.4.3). */
  private static final String UNREADABLE =
      """
      (() => {
        const channels = (text) => text.match(/[\\d.]+/g).map(Number);
        const luminance = (rgb) => {
          const [r, g, b] = rgb.slice(0, 3).map((c) => c / 255)
              .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const paper = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const colour = channels(getComputedStyle(at).backgroundColor);
            if (colour.length < 4 || colour[3] === 1) return colour;
          }
          return [255, 255, 255];
        };
        const found = [];
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
          const element = texts.currentNode.parentElement;
          const text = texts.currentNode.textContent.trim();
          if (!text || /SCRIPT|STYLE/.test(element.tagName) || !element.checkVisibility()) continue;
          const style = getComputedStyle(element);
          const both = [luminance(channels(style.color)), luminance(paper(element))];
          const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
          if (parseFloat(style.fontSize) < 12 || contrast < 4.5)
            found.push(`${text}: ${style.fontSize}, contrast ${contrast.toFixed(2)}`);
        }
        return found;
      })()
      """;

  @TempDir static Path directory;
  private static Chromium browser;

  @BeforeAll
  static void startBrowser() throws Exception {
    Optional<Path> program = Chromium.find();
    assumeTrue(
        program.isPresent(), "No browser on the PATH: install Debian's package chromium to try it");
    browser = new Chromium(program.get(), directory);
    Files.createDirectories(SCREENSHOTS);
    Path encoded = directory.resolve("encoded");
    LatentDataset dataset =
        SyntheticRun.dataset(
            encoded,
            List.of(
                new RejectedPair(
                    "1", "https://a.example/" + "x".repeat(90), "a cat", "not-found", "HTTP 404"),
                new RejectedPair("2", null, null, "empty-caption", null)));
    for (String name : List.of("first", "second")) {
      SyntheticRun run = new SyntheticRun(directory.resolve(name));
      run.metrics(200);
      for (long step : List.of(500L, 1000L, 2000L)) {
        run.grid(step, List.of("a red apple", "a green tree"));
        run.checkpoint(step, encoded.toString(), dataset.fingerprint());
      }
      run.evaluation("evaluations/step-2000", 12.5);
      run.comparison(directory.resolve(name + "/evaluations/samplers"));
    }
  }

  @AfterAll
  static void stopBrowser() throws Exception {
    if (browser != null) {
      browser.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"400, light", "400, dark", "1600, light", "1600, dark"})
  void thePageIsSound(int width, String scheme) throws Exception {
    open(width, scheme, report("run=" + directory.resolve("first")));
    screenshot("report-%d-%s".formatted(width, scheme));

    assertThat(problems()).isEmpty();
    assertThat(browser.evaluate("document.querySelectorAll('canvas').length").asInt()).isEqualTo(6);
    boolean dark =
        browser
            .evaluate("getComputedStyle(document.body).backgroundColor")
            .asText()
            .equals("rgb(20, 24, 27)");
    assertThat(dark).isEqualTo(scheme.equals("dark"));
    slide();
    hover();
    assertThat(problems()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"400, dark", "1600, light"})
  void severalRunsStandSideBySide(int width, String scheme) throws Exception {
    open(
        width,
        scheme,
        report("runs=[%s, %s]".formatted(directory.resolve("first"), directory.resolve("second"))));
    screenshot("side-by-side-%d-%s".formatted(width, scheme));

    assertThat(problems()).isEmpty();
    slide();
  }

  @Test
  void theServedPageFollowsTheRun() throws Exception {
    Path run = directory.resolve("going-on");
    new SyntheticRun(run).metrics(20);
    try (ReportServer server = SyntheticRun.served(run)) {
      browser.open(server.address());
      assertThat(shows("20 averages")).isTrue();
      new SyntheticRun(run).metrics(21);
      for (int tries = 0; !shows("21 averages"); tries++) {
        assertThat(tries).as("seconds that nothing came").isLessThan(300);
        Thread.sleep(1000);
      }
      assertThat(browser.events("Runtime.exceptionThrown")).isEmpty();
      assertThat(browser.events("Network.requestWillBeSent"))
          .extracting(request -> request.path("request").path("url").asText())
          .allMatch(url -> url.startsWith(server.address()) || url.startsWith("data:"));
    }
  }

  private static boolean shows(String text) throws InterruptedException {
    try {
      return browser
          .evaluate("document.body.textContent.includes('%s')".formatted(text))
          .asBoolean();
    } catch (IllegalStateException e) {
      // The page is just loading itself anew.
      return false;
    }
  }

  /** What finds nothing on a sound page must find something on this one. */
  @Test
  void problemsAreSeen() throws Exception {
    Path page = directory.resolve("bad.html");
    Files.writeString(
        page,
        """
        <body style="background: #fff"><p style="color: #aaa">pale</p>
        <p style="font-size: 8px">small</p><div style="width: 3000px">wide</div>
        <img src="other.png"><script>console.error("told"); nothing.there();</script>
        """);
    open(400, "light", page);

    assertThat(String.join("\n", problems()))
        .contains("pale: 16px", "small: 8px", "scrolls", "other.png", "told", "nothing is not");
  }

  private static Path report(String... arguments) {
    Path output = directory.resolve("page");
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("output=" + output);
    assertThat(Launcher.run(new ReportJob(), all.toArray(new String[0]))).isZero();
    return output.resolve("index.html");
  }

  private static void open(int width, String scheme, Path page) throws InterruptedException {
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", false));
    browser.call(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    browser.open(page.toUri().toString());
  }

  private static List<String> problems() throws InterruptedException {
    List<String> problems = new ArrayList<>();
    browser.evaluate(UNREADABLE).forEach(text -> problems.add(text.asText()));
    if (browser.evaluate("document.documentElement.scrollWidth > innerWidth").asBoolean()) {
      problems.add("the page scrolls to the side");
    }
    String address = browser.evaluate("location.href").asText();
    browser.events("Network.requestWillBeSent").stream()
        .map(request -> request.path("request").path("url").asText())
        .filter(url -> !url.equals(address) && !url.startsWith("data:"))
        .forEach(url -> problems.add("asks for " + url));
    for (String method : List.of("Runtime.exceptionThrown", "Log.entryAdded")) {
      browser.events(method).forEach(event -> problems.add(event.toString()));
    }
    browser.events("Runtime.consoleAPICalled").stream()
        .filter(
            event -> List.of("error", "warning", "assert").contains(event.path("type").asText()))
        .forEach(event -> problems.add(event.toString()));
    return problems;
  }

  /** Presses the slider's left end. */
  private static void slide() throws InterruptedException {
    String shown =
        "[...document.querySelectorAll('.grids figure')].filter((one) => one.checkVisibility())"
            + ".map((one) => one.dataset.step).join()";
    assertThat(browser.evaluate(shown).asText()).matches("2000(,2000)?");
    JsonNode slider = place("#grid");
    double y = slider.path("y").asDouble() + slider.path("height").asDouble() / 2;
    double left = slider.path("x").asDouble() + 4;
    mouse("mousePressed", left, y);
    mouse("mouseReleased", left, y);
    assertThat(browser.evaluate(shown).asText()).matches("500(,500)?");
    assertThat(browser.evaluate("document.querySelector('.slider output').textContent").asText())
        .isEqualTo("500");
  }

  /** Points at the middle of the first chart: the legend tells the numbers of that step. */
  private static void hover() throws InterruptedException {
    String legend =
        "[...document.querySelectorAll('.chart.wide .u-legend .u-value')]"
            + ".map((one) => Number(one.textContent.replace(',', '')))";
    assertThat(browser.evaluate(legend).get(0).asInt()).isEqualTo(2000);
    JsonNode chart = place(".chart.wide .u-over");
    mouse(
        "mouseMoved",
        chart.path("x").asDouble() + chart.path("width").asDouble() / 2,
        chart.path("y").asDouble() + 40);
    browser.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
    JsonNode values = browser.evaluate(legend);
    int step = values.get(0).asInt();
    assertThat(step).isBetween(900, 1100);
    double loss =
        browser
            .evaluate(
                "(({ runs: [{ curves }] }) => curves.loss[curves.step.indexOf(%d)])".formatted(step)
                    + "(JSON.parse(document.getElementById('data').textContent))")
            .asDouble();
    assertThat(values.get(1).asDouble()).isCloseTo(loss, within(1e-3));
  }

  private static JsonNode place(String selector) throws InterruptedException {
    return browser.evaluate(
        "(() => { const one = document.querySelector('%s'); one.scrollIntoView({ block: 'center' });"
                .formatted(selector)
            + " return one.getBoundingClientRect().toJSON(); })()");
  }

  private static void mouse(String type, double x, double y) throws InterruptedException {
    String button = type.equals("mouseMoved") ? "none" : "left";
    browser.call(
        "Input.dispatchMouseEvent",
        Map.of("type", type, "x", x, "y", y, "button", button, "clickCount", 1));
  }

  private static void screenshot(String name) throws IOException, InterruptedException {
    JsonNode picture =
        browser.call("Page.captureScreenshot", Map.of("captureBeyondViewport", true));
    Files.write(
        SCREENSHOTS.resolve(name + ".png"),
        Base64.getDecoder().decode(picture.path("data").asText()));
  }
}
