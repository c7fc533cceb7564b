package org.latentspark.prep;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.latentspark.cli.RunId;
import org.latentspark.latents.DataFile;
import org.latentspark.latents.LatentMoments;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.WrittenFile;

/** Puts together what a manifest says of a run. */
final class ManifestMaker {
  private final PrepSettings settings;
  private final EncoderFacts facts;
  private final Encoding emptyCaption;

  ManifestMaker(PrepSettings settings, EncoderFacts facts, Encoding emptyCaption) {
    this.settings = settings;
    this.facts = facts;
    this.emptyCaption = emptyCaption;
  }

  /**
   * Returns the manifest of a dataset, or of its next version.
   *
   * @param base the version that was added to
   */
  Manifest make(Optional<Manifest> base, List<ShardResult> shards, PairTable pairs) {
    List<DataFile> files =
        shards.stream().flatMap(shard -> shard.data().stream()).map(WrittenFile::file).toList();
    List<DataFile> rejected = shards.stream().flatMap(shard -> shard.rejected().stream()).toList();
    Manifest.Accounting accounting = accounting(shards, pairs.read());
    String created = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    Manifest.Version version =
        new Manifest.Version(
            base.map(Manifest::version).orElse(0) + 1,
            created,
            pairs.known(),
            files.size(),
            rejected.size(),
            accounting,
            RunId.here());
    return new Manifest(
        Manifest.FORMAT,
        facts.layout().buckets().isEmpty()
            ? Manifest.FORMAT_VERSION
            : Manifest.BUCKETS_FORMAT_VERSION,
        created,
        new Manifest.Encoders(new Path(settings.encoders()).getName(), facts.sha256()),
        base.map(Manifest::latent).orElseGet(() -> latent(shards)),
        new Manifest.Text(
            facts.tokens(), facts.dim(), emptyCaption.textEmbedding(), emptyCaption.tokenIds()),
        settings.image().size(),
        settings.seed(),
        settings.validationShare(),
        joined(base.map(Manifest::files), files),
        joined(base.map(Manifest::rejectedFiles), rejected),
        base.map(Manifest::accounting).map(accounting::plus).orElse(accounting),
        RowRules.of(settings),
        joined(base.map(Manifest::versions), List.of(version)));
  }

  private static <T> List<T> joined(Optional<List<T>> before, List<T> added) {
    List<T> all = new ArrayList<>(before.orElse(List.of()));
    all.addAll(added);
    return all;
  }

  private Manifest.Latent latent(List<ShardResult> shards) {
    LatentMoments moments = LatentMoments.none(facts.layout().shape().channels());
    for (ShardResult shard : shards) {
      for (WrittenFile written : shard.data()) {
        moments = moments.plus(written.moments());
      }
    }
    return new Manifest.Latent(
        facts.layout().kind().code(),
        facts.layout().shape(),
        facts.scalingFactor(),
        moments.mean(),
        moments.std(),
        facts.layout().buckets(),
        facts.layout().flip());
  }

  private static Manifest.Accounting accounting(List<ShardResult> shards, long read) {
    SortedMap<String, Long> byReason = new TreeMap<>();
    for (ShardResult shard : shards) {
      shard.rejectedByReason().forEach((reason, count) -> byReason.merge(reason, count, Long::sum));
    }
    long encoded = shards.stream().mapToLong(ShardResult::encoded).sum();
    long rejected = byReason.values().stream().mapToLong(Long::longValue).sum();
    if (read != encoded + rejected) {
      throw new IllegalStateException(
          "read %d pairs, but encoded %d and rejected %d; the source changed meanwhile?"
              .formatted(read, encoded, rejected));
    }
    return new Manifest.Accounting(read, encoded, rejected, byReason);
  }
}
