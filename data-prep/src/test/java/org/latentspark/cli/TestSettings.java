package org.latentspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestSettings {
  private static final String BASE = "org/latentspark/cli/base.conf";
  private static final String MORE = "org/latentspark/cli/more.conf";

  private enum Kind {
    SAMPLE,
    MEAN_STD
  }

  @TempDir Path folder;

  private static Settings load(String... overrides) {
    return Settings.load(List.of(BASE), null, List.of(overrides));
  }

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("my.conf"), text);
  }

  @Test
  void readsDefaultsOfEveryType() {
    Settings settings = load();
    assertThat(settings.string("out")).isEmpty();
    assertThat(settings.string("note")).isEmpty();
    assertThat(settings.integer("steps", 1, 1000)).isEqualTo(100);
    assertThat(settings.longInteger("seed", Long.MIN_VALUE, Long.MAX_VALUE)).isEqualTo(7);
    assertThat(settings.integer("averaging.frequency", 1, 1000)).isEqualTo(10);
    assertThat(settings.oneOf("averaging.kind", Kind.class)).isEqualTo(Kind.MEAN_STD);
    assertThat(settings.number("rate", 0, 1)).isEqualTo(1.5e-4);
    assertThat(settings.flag("early-stop")).isFalse();
    assertThat(settings.duration("deadline")).isEqualTo(Duration.ofSeconds(30));
    assertThat(settings.bytes("file-size")).isEqualTo(256L << 20);
    assertThat(settings.strings("words")).containsExactly("a", "b");
    assertThat(settings.unread()).isEmpty();
    settings.check();
  }

  @Test
  void commandLineOverridesFileOverridesDefaults() throws IOException {
    Path file = file("steps = 50\naveraging.frequency = 5\nwords = [x]");
    Settings settings = Settings.load(List.of(BASE), file, List.of("steps=7"));
    assertThat(settings.integer("steps", 1, 1000)).isEqualTo(7);
    assertThat(settings.integer("averaging.frequency", 1, 1000)).isEqualTo(5);
    assertThat(settings.strings("words")).containsExactly("x");
    settings.check();
  }

  @Test
  void laterReferenceOverridesAndAddsKeys() {
    Settings settings = Settings.load(List.of(BASE, MORE), null, List.of());
    assertThat(settings.integer("steps", 1, 1000)).isEqualTo(20);
    assertThat(settings.integer("extra", 1, 1)).isEqualTo(1);
    assertThat(settings.integer("averaging.frequency", 1, 1000)).isEqualTo(10);
  }

  @Test
  void takesCommandLineValuesAsTheyStand() {
    Settings settings =
        load("out=s3a://bucket/a b//c#1", "deadline=2 m", "file-size=1k", "early-stop=true");
    assertThat(settings.required("out")).isEqualTo("s3a://bucket/a b//c#1");
    assertThat(settings.duration("deadline")).isEqualTo(Duration.ofMinutes(2));
    assertThat(settings.bytes("file-size")).isEqualTo(1024);
    assertThat(settings.flag("early-stop")).isTrue();
    settings.check();
  }

  @Test
  void takesListsInBracketsOrAsTheirOnlyItem() {
    assertThat(load("words=[x, \"y, z\"]").strings("words")).containsExactly("x", "y, z");
    assertThat(load("words=a cat, a dog").strings("words")).containsExactly("a cat, a dog");
    assertThat(load("words=").strings("words")).isEmpty();
    assertThatThrownBy(() -> load("words=[x")).isInstanceOf(UsageException.class);
  }

  @Test
  void reportsAllProblemsTogether() throws IOException {
    Path file = file("rate = fast\naveraging { frequncy = 3 }");
    Settings settings =
        Settings.load(List.of(BASE), file, List.of("steps=0", "averaging.kind=median", "stpes=2"));
    assertThat(settings.integer("steps", 1, 1000)).isEqualTo(100);
    assertThat(settings.number("rate", 0, 1)).isEqualTo(1.5e-4);
    assertThat(settings.oneOf("averaging.kind", Kind.class)).isEqualTo(Kind.MEAN_STD);
    settings.required("out");
    settings.integer("steps", 1, 1000);
    assertThatThrownBy(settings::check)
        .isInstanceOf(UsageException.class)
        .satisfies(
            problem ->
                assertThat(problem.getMessage().lines())
                    .containsExactlyInAnyOrder(
                        "averaging.frequncy = 3 ("
                            + file
                            + ": 2): is not a known key; did you mean averaging.frequency?",
                        "stpes = 2 (command line): is not a known key; did you mean steps?",
                        "steps = 0 (command line): must be a whole number from 1 to 1000",
                        "rate = fast (" + file + ": 1): must be a number from 0.0 to 1.0",
                        "averaging.kind = median (command line): must be one of sample, mean-std",
                        "out: is required, give it as out=VALUE or in the --conf file"));
  }

  @Test
  void suggestsTheGroupOfAKeyWithoutIt() {
    assertProblem("frequency=3", "did you mean averaging.frequency?");
    assertProblem("zzzzzzzzzzzzzz=3", "--help lists the keys");
  }

  @Test
  void refusesGroupsForValuesAndValuesForGroups() throws IOException {
    assertProblem("averaging=3", "averaging (command line): is a group of keys");
    assertProblem("steps.most=3", "steps takes a value, not a group of keys");
    Settings settings = Settings.load(List.of(BASE), file("steps {}"), List.of());
    settings.integer("steps", 1, 2);
    assertThatThrownBy(settings::check).hasMessage("steps: takes a value, not a group of keys");
  }

  private static void assertProblem(String override, String expected) {
    assertThatThrownBy(() -> load(override).check())
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(expected)
        .satisfies(problem -> assertThat(problem.getMessage().lines()).hasSize(1));
  }

  @Test
  void refusesValuesOfAnotherKind() {
    assertRefused(load("steps=1.5"), settings -> settings.integer("steps", 1, 9));
    assertRefused(load("steps=99999999999"), settings -> settings.integer("steps", 1, 9));
    assertRefused(load("rate=NaN"), settings -> settings.number("rate", 0, 1));
    assertRefused(load("rate=0"), settings -> settings.number("rate", Double.MIN_VALUE, 1));
    assertRefused(load("early-stop=yes"), settings -> settings.flag("early-stop"));
    assertRefused(load("deadline=soon"), settings -> settings.duration("deadline"));
    assertRefused(load("deadline=-1 s"), settings -> settings.duration("deadline"));
    assertRefused(load("file-size=-5"), settings -> settings.bytes("file-size"));
    assertRefused(load("averaging.kind="), s -> s.oneOf("averaging.kind", Kind.class));
  }

  @Test
  void refusesNullAndListsInAFileWhereANumberIsNeeded() throws IOException {
    for (String text : List.of("steps = null", "steps = [1]", "steps = true")) {
      Settings settings = Settings.load(List.of(BASE), file(text), List.of());
      assertRefused(settings, read -> read.integer("steps", 1, 9));
    }
    Settings settings = Settings.load(List.of(BASE), file("words = a"), List.of());
    assertRefused(settings, read -> read.strings("words"));
  }

  private static void assertRefused(Settings settings, Consumer<Settings> read) {
    read.accept(settings);
    assertThatThrownBy(settings::check)
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(": must be ");
  }

  @Test
  void reportsARefusedPairOfKeys() {
    Settings settings = load("steps=5");
    settings.refuse("steps", "must be at least averaging.frequency (10)");
    assertThatThrownBy(settings::check)
        .hasMessage("steps = 5 (command line): must be at least averaging.frequency (10)");
    Settings unchanged = load();
    unchanged.refuse("rate", "must be smaller");
    assertThatThrownBy(unchanged::check).hasMessage("rate = 1.5E-4 (default): must be smaller");
  }

  @Test
  void problemsComeBeforeFailuresOfTheReader() {
    assertThatThrownBy(
            () ->
                load("steps=x")
                    .read(
                        settings -> {
                          settings.integer("steps", 1, 9);
                          throw new IllegalStateException("stumbled");
                        }))
        .isInstanceOf(UsageException.class);
  }

  @Test
  void refusesFilesThatAreMissingOrDoNotParse() throws IOException {
    Path broken = file("steps = {");
    assertThatThrownBy(() -> Settings.load(List.of(BASE), broken, List.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("my.conf");
    Path missing = folder.resolve("none.conf");
    assertThatThrownBy(() -> Settings.load(List.of(BASE), missing, List.of()))
        .isInstanceOf(UsageException.class)
        .hasMessage("--conf " + missing + ": no such file");
    Path unresolved = file("out = ${nothing}");
    assertThatThrownBy(() -> Settings.load(List.of(BASE), unresolved, List.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("nothing");
    assertThatThrownBy(() -> load("steps")).hasMessage("steps: must be key=value");
  }

  @Test
  void fileMaySubstituteWhatTheCommandLineSets() throws IOException {
    Path file = file("out = ${note}/run");
    Settings settings = Settings.load(List.of(BASE), file, List.of("note=/data"));
    assertThat(settings.required("out")).isEqualTo("/data/run");
  }

  @Test
  void rendersTheEffectiveConfigurationAsJson() {
    assertThat(load("steps=5", "out=/x").render())
        .isEqualTo(
            "{\"averaging\":{\"frequency\":10,\"kind\":\"mean-std\"},\"deadline\":\"30 s\","
                + "\"early-stop\":false,\"file-size\":\"256 MiB\",\"note\":null,\"out\":\"/x\","
                + "\"rate\":1.5E-4,\"seed\":7,\"steps\":\"5\",\"words\":[\"a\",\"b\"]}");
  }

  @Test
  void listsDefaultsForTheTestsThatPinThem() {
    assertThat(Settings.defaults(List.of(BASE, MORE)))
        .contains(entry("steps", 20), entry("averaging.frequency", 10), entry("note", null))
        .hasSize(12);
  }

  @Test
  void filesMayLieWhereHadoopReads() throws Exception {
    String address = file("steps = 11").toUri().toString();
    Settings settings = Settings.loadFrom(List.of(BASE), address, List.of());
    assertThat(settings.integer("steps", 1, 100)).isEqualTo(11);
    assertThatThrownBy(() -> Settings.loadFrom(List.of(BASE), address + ".missing", List.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("cannot be read")
        .hasMessageContaining(address);
    assertThatThrownBy(() -> Settings.loadFrom(List.of(BASE), "nowhere://a/b", List.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("nowhere");
  }

  @Test
  void refusesToReadAKeyThatNobodyDeclared() {
    assertThatThrownBy(() -> load().flag("undeclared"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("undeclared");
  }
}
