package org.latentspark.latents;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a dataset's {@code manifest.json} says; keys are in snake case there.
 *
 * @param format always {@link #FORMAT}
 * @param formatVersion {@link #FORMAT_VERSION}, or {@link #BUCKETS_FORMAT_VERSION}
 * @param created ISO 8601 time at which the manifest was written
 * @param encoders what the pairs were encoded with
 * @param latent shape and statistics of the latents
 * @param text shape of the text embeddings, and the empty caption's
 * @param imageSize columns and rows of the images that were encoded; with buckets, the square root
 *     of the most pixels that they have
 * @param seed seed of the split
 * @param validationShare share of pairs that the split holds out
 * @param files data files in canonical order: rows ascend by key through those of one version
 * @param rejectedFiles files of rejected pairs
 * @param accounting what became of every pair that was read, in all versions
 * @param settings what else decides on the rows, by the configuration's keys; the same in all
 *     versions
 * @param versions what each run added, the first first
 */
public record Manifest(
    String format,
    int formatVersion,
    String created,
    Encoders encoders,
    Latent latent,
    Text text,
    int imageSize,
    long seed,
    double validationShare,
    List<DataFile> files,
    List<DataFile> rejectedFiles,
    Accounting accounting,
    SortedMap<String, String> settings,
    List<Version> versions) {

  /** Fills in what manifests did not say while a dataset had but one version. */
  public Manifest {
    settings = settings == null ? new TreeMap<>() : settings;
    versions =
        versions == null || versions.isEmpty()
            ? List.of(
                new Version(1, created, 0, files.size(), rejectedFiles.size(), accounting, null))
            : List.copyOf(versions);
  }

  /** Describes the first version of a dataset of which no further settings are known. */
  public Manifest(
      String format,
      int formatVersion,
      String created,
      Encoders encoders,
      Latent latent,
      Text text,
      int imageSize,
      long seed,
      double validationShare,
      List<DataFile> files,
      List<DataFile> rejectedFiles,
      Accounting accounting) {
    this(
        format,
        formatVersion,
        created,
        encoders,
        latent,
        text,
        imageSize,
        seed,
        validationShare,
        files,
        rejectedFiles,
        accounting,
        new TreeMap<>(),
        List.of());
  }

  /** The value of {@code format}. */
  public static final String FORMAT = "latentspark-encoded-dataset";

  /** The version of the format where all latents have one shape. */
  public static final int FORMAT_VERSION = 1;

  /** The version of the format with buckets, which older builds would take for one shape. */
  public static final int BUCKETS_FORMAT_VERSION = 2;

  /** The name of the manifest's file. */
  public static final String FILE_NAME = "manifest.json";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  /**
   * The encoders: the directory as configured, and the SHA-256 of the weights of each part, by the
   * part's name.
   *
   * @param directory name of the directory that holds the parts
   * @param sha256 hex SHA-256 by part: {@code vae}, {@code text_encoder}, {@code tokenizer}
   */
  public record Encoders(String directory, SortedMap<String, String> sha256) {}

  /**
   * The latents.
   *
   * @param kind the {@link LatentKind}: {@code mean-std} or {@code sample}
   * @param shape C, h and w; with buckets, those of the square one
   * @param scalingFactor the autoencoder's; stored latents are not multiplied by it
   * @param mean [C] over the training split of the first version, for normalising: a model that was
   *     trained on one version goes on with the next
   * @param std [C] over the same, of a latent drawn from its posterior
   * @param buckets the shapes that images are encoded in; empty where all have one
   * @param flip whether each row has a second latent, of the mirrored image
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Latent(
      String kind,
      LatentShape shape,
      double scalingFactor,
      double[] mean,
      double[] std,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Bucket> buckets,
      Flip flip) {
    /** Fills in what manifests did not say while all latents had one shape. */
    public Latent {
      buckets = buckets == null ? List.of() : List.copyOf(buckets);
      flip = flip == null ? Flip.NONE : flip;
    }

    /** Describes latents that all have one shape, one a row. */
    public Latent(
        String kind, LatentShape shape, double scalingFactor, double[] mean, double[] std) {
      this(kind, shape, scalingFactor, mean, std, List.of(), Flip.NONE);
    }

    /** The value of {@code kind}. */
    public static final String MEAN_STD = "mean-std";
  }

  /**
   * The text embeddings.
   *
   * @param tokens tokens of a caption, padding included
   * @param dim width of the embedding
   * @param emptyEmbedding the empty caption's, fp16 little-endian [tokens,dim]; base64 in JSON
   * @param emptyTokenIds the empty caption's token ids, [tokens]
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Text(int tokens, int dim, byte[] emptyEmbedding, int[] emptyTokenIds) {}

  /**
   * What became of the pairs: read = encoded + rejected.
   *
   * @param read rows of the source
   * @param encoded rows of the data files
   * @param rejected rows of the files of rejected pairs
   * @param rejectedByReason the same by the reason's code
   */
  public record Accounting(
      long read, long encoded, long rejected, SortedMap<String, Long> rejectedByReason) {
    /** Returns this and {@code other} together. */
    public Accounting plus(Accounting other) {
      SortedMap<String, Long> byReason = new TreeMap<>(rejectedByReason);
      other.rejectedByReason.forEach((reason, count) -> byReason.merge(reason, count, Long::sum));
      return new Accounting(
          read + other.read, encoded + other.encoded, rejected + other.rejected, byReason);
    }
  }

  /**
   * What one run added to the dataset.
   *
   * @param number 1 for the first
   * @param created ISO 8601 time at which its manifest was written
   * @param known pairs of its source that the dataset held already; they were not read again
   * @param files how many of the data files it wrote; they follow those of earlier versions
   * @param rejectedFiles the same of the files of rejected pairs
   * @param accounting what became of the pairs it read
   * @param run name of the run; null where it is not known
   */
  public record Version(
      int number,
      String created,
      long known,
      int files,
      int rejectedFiles,
      Accounting accounting,
      @JsonInclude(JsonInclude.Include.NON_NULL) String run) {}

  /** Returns the number of the newest version in this manifest. */
  public int version() {
    return versions.get(versions.size() - 1).number();
  }

  /** Returns what the rows' latents look like. */
  public RowLayout layout() {
    return new RowLayout(
        LatentKind.ofCode(latent.kind()), latent.shape(), latent.buckets(), latent.flip());
  }

  /** Returns the name of the file that keeps version {@code number} once a newer one is there. */
  static String fileName(int number) {
    return "manifest-%06d.json".formatted(number);
  }

  /** Returns whether {@code fileName} is one of {@link #fileName(int)}. */
  static boolean isVersion(String fileName) {
    return fileName.matches("manifest-\\d{6,}\\.json");
  }

  /** Returns how many rows of {@code split} the dataset holds. */
  public long rows(Split split) {
    return files.stream().mapToLong(file -> file.rows(split)).sum();
  }

  /** Returns the manifest as UTF-8 JSON. */
  public byte[] toJson() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a manifest of plain records must be writable", e);
    }
  }

  /** Returns the manifest in {@code json}; throws IOException if it is none. */
  static Manifest ofJson(byte[] json) throws IOException {
    return JSON.readValue(json, Manifest.class);
  }
}
