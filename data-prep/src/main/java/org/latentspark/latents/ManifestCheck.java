package org.latentspark.latents;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Checks that a manifest agrees with itself and with what the files of rejected pairs hold. */
final class ManifestCheck {
  private final Manifest manifest;
  private final List<String> damage = new ArrayList<>();

  private ManifestCheck(Manifest manifest) {
    this.manifest = manifest;
  }

  static List<String> damage(Manifest manifest, Collection<FileReport> reports) {
    ManifestCheck check = new ManifestCheck(manifest);
    check.names();
    check.sums("the manifest", manifest.accounting(), manifest.files(), manifest.rejectedFiles());
    check.versions();
    check.reasons(reports);
    check.statistics();
    return check.damage;
  }

  private void tell(String what) {
    damage.add(Manifest.FILE_NAME + ": " + what);
  }

  private void names() {
    Set<String> seen = new HashSet<>();
    for (List<DataFile> files : List.of(manifest.files(), manifest.rejectedFiles())) {
      for (DataFile file : files) {
        if (!seen.add(file.path())) {
          tell(file.path() + " is listed twice");
        }
      }
    }
  }

  private void sums(
      String what, Manifest.Accounting claimed, List<DataFile> files, List<DataFile> rejected) {
    long byReason = claimed.rejectedByReason().values().stream().mapToLong(Long::longValue).sum();
    require(what + ": encoded", claimed.encoded(), "rows of its data files", rows(files));
    require(what + ": rejected", claimed.rejected(), "rows of its rejected files", rows(rejected));
    require(what + ": rejected", claimed.rejected(), "sum of its reasons", byReason);
    require(
        what + ": read",
        claimed.read(),
        "encoded + rejected",
        claimed.encoded() + claimed.rejected());
  }

  private static long rows(List<DataFile> files) {
    return files.stream().mapToLong(DataFile::rows).sum();
  }

  private void require(String what, long claimed, String other, long found) {
    if (claimed != found) {
      tell("%s is %d, %s is %d".formatted(what, claimed, other, found));
    }
  }

  private void versions() {
    Manifest.Accounting sum = new Manifest.Accounting(0, 0, 0, new TreeMap<>());
    int files = 0;
    int rejected = 0;
    for (Manifest.Version version : manifest.versions()) {
      int toFiles = files + version.files();
      int toRejected = rejected + version.rejectedFiles();
      if (toFiles > manifest.files().size() || toRejected > manifest.rejectedFiles().size()) {
        tell("version %d claims more files than are listed".formatted(version.number()));
        return;
      }
      sums(
          "version " + version.number(),
          version.accounting(),
          manifest.files().subList(files, toFiles),
          manifest.rejectedFiles().subList(rejected, toRejected));
      sum = sum.plus(version.accounting());
      files = toFiles;
      rejected = toRejected;
    }
    require("data files of all versions", files, "files listed", manifest.files().size());
    require(
        "rejected files of all versions",
        rejected,
        "files listed",
        manifest.rejectedFiles().size());
    if (!sum.equals(manifest.accounting())) {
      tell("accounting is %s, that of its versions %s".formatted(manifest.accounting(), sum));
    }
  }

  private void reasons(Collection<FileReport> reports) {
    SortedMap<String, Long> found = new TreeMap<>();
    for (FileReport report : reports) {
      if (!report.damage().isEmpty()) {
        // Its own line says what is wrong; the sums would only say it again.
        return;
      }
      report.rejectedByReason().forEach((reason, count) -> found.merge(reason, count, Long::sum));
    }
    if (!found.equals(manifest.accounting().rejectedByReason())) {
      tell(
          "reasons are %s, the files hold %s"
              .formatted(manifest.accounting().rejectedByReason(), found));
    }
  }

  private void statistics() {
    int channels = manifest.latent().shape().channels();
    finite("latent.mean", manifest.latent().mean(), channels);
    finite("latent.std", manifest.latent().std(), channels);
    int expected = 2 * manifest.text().tokens() * manifest.text().dim();
    if (manifest.text().emptyEmbedding().length != expected
        || !Fp16.allFinite(manifest.text().emptyEmbedding())) {
      tell("text.empty_embedding must hold %d bytes of finite fp16".formatted(expected));
    }
  }

  private void finite(String what, double[] values, int channels) {
    boolean finite = values.length == channels;
    for (double value : values) {
      finite &= Double.isFinite(value);
    }
    if (!finite) {
      tell(what + " must hold " + channels + " finite numbers");
    }
  }
}
