package org.latentspark.prep;

import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.latentspark.cli.InputException;
import org.latentspark.cli.UsageException;
import org.latentspark.image.Buckets;
import org.latentspark.image.CroppedImage;
import org.latentspark.image.ImageSettings;
import org.latentspark.latents.Digests;
import org.latentspark.latents.Flip;
import org.latentspark.latents.LatentKind;
import org.latentspark.model.AutoencoderKL;
import org.latentspark.model.AutoencoderKLConfig;
import org.latentspark.model.ClipTextModel;
import org.latentspark.model.ClipTokenizer;
import org.latentspark.model.ModelDirectory;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Precision;
import org.latentspark.tensor.Seeds;
import org.latentspark.tensor.Tensors;

/**
 * The frozen encoders: pictures to the moments of their latents, captions to hidden states.
 *
 * <p>One instance serves all tasks of a JVM: the weights are only read, so that they are held once.
 */
final class PairEncoder {
  private static final String VAE = "vae";
  private static final String TEXT_ENCODER = "text_encoder";
  private static final String TOKENIZER = "tokenizer";

  private static final long WIDTH = 3;

  private static PairEncoder shared;

  private final String directory;
  private final Options options;
  private final DeviceType device;
  private final SortedMap<String, String> sha256;
  private final AutoencoderKL autoencoder;
  private final ClipTextModel textEncoder;
  private final ClipTokenizer tokenizer;

  /** How the encoders work; runs that differ in it share no instance. */
  private record Options(
      LatentKind latents,
      Flip flip,
      EncoderPrecision precision,
      PrepSettings.Device device,
      long seed) {
    static Options of(PrepSettings settings) {
      return new Options(
          settings.latents(),
          settings.image().flip(),
          settings.precision(),
          settings.device(),
          settings.seed());
    }
  }

  private PairEncoder(String directory, Options options, Configuration configuration)
      throws IOException {
    Natives.load();
    this.options = options;
    this.device = device(options.device());
    Path root = new Path(directory);
    ModelDirectory vae = new ModelDirectory(new Path(root, VAE), configuration);
    ModelDirectory text = new ModelDirectory(new Path(root, TEXT_ENCODER), configuration);
    Path words = new Path(root, TOKENIZER);
    this.directory = directory;
    this.autoencoder = new AutoencoderKL(vae.config(AutoencoderKLConfig::fromJson));
    this.autoencoder.parameters().allocate();
    vae.load(autoencoder.parameters());
    this.textEncoder = ClipTextModel.load(text);
    this.tokenizer = ClipTokenizer.load(words, configuration);
    this.sha256 = new TreeMap<>();
    sha256.put(VAE, vae.fingerprint());
    sha256.put(TEXT_ENCODER, text.fingerprint());
    sha256.put(TOKENIZER, fingerprint(words, configuration));
    requireFit();
    if (device != DeviceType.CPU) {
      move(autoencoder.parameters());
      move(textEncoder.parameters());
    }
  }

  private static DeviceType device(PrepSettings.Device wanted) {
    boolean usable = wanted != PrepSettings.Device.CPU && torch.cuda_is_available();
    if (wanted == PrepSettings.Device.CUDA && !usable) {
      throw new UsageException(
          "device = cuda: this machine has no usable GPU, or this build is for CPUs (the Maven"
              + " profile gpu makes the other)");
    }
    return usable ? DeviceType.CUDA : DeviceType.CPU;
  }

  private void move(ParameterTable parameters) {
    try (PointerScope scope = new PointerScope()) {
      parameters.bind(to(parameters.values()));
    }
  }

  private Tensor to(Tensor tensor) {
    return device == DeviceType.CPU ? tensor : tensor.to(new Device(device), tensor.scalar_type());
  }

  /** Loads the encoders of {@code settings}; later tasks of this JVM share them. */
  static synchronized PairEncoder load(PrepSettings settings, Configuration configuration)
      throws IOException {
    shared = new PairEncoder(settings.encoders(), Options.of(settings), configuration);
    return shared;
  }

  /**
   * Returns this JVM's encoders, which must have the weights {@code sha256}.
   *
   * @throws InputException if this machine's copy of the directory holds other weights
   */
  static synchronized PairEncoder shared(
      PrepSettings settings, SortedMap<String, String> sha256, Configuration configuration)
      throws IOException {
    String directory = settings.encoders();
    if (shared == null
        || !shared.directory.equals(directory)
        || !shared.options.equals(Options.of(settings))
        || !shared.sha256.equals(sha256)) {
      load(settings, configuration);
    }
    if (!shared.sha256.equals(sha256)) {
      throw new InputException(
          "encoders in %s have sha256 %s here and %s on the driver"
              .formatted(directory, shared.sha256, sha256));
    }
    return shared;
  }

  /** Returns what the manifest says of these encoders for images cut as {@code settings} say. */
  EncoderFacts facts(ImageSettings settings) {
    return EncoderFacts.of(
        sha256,
        autoencoder.config(),
        tokenizer.maxLength(),
        textEncoder.config(),
        settings,
        options.latents(),
        directory);
  }

  /** Encodes pairs, {@code most} at once; those whose pictures have one shape go together. */
  List<Encoding> encode(List<EncodeLine.Item> pairs, int most) {
    Map<Buckets.Shape, List<Integer>> byShape = new LinkedHashMap<>();
    for (int place = 0; place < pairs.size(); place++) {
      CroppedImage image = pairs.get(place).arrival().image();
      byShape
          .computeIfAbsent(
              new Buckets.Shape(image.width(), image.height()), shape -> new ArrayList<>())
          .add(place);
    }
    Encoding[] encodings = new Encoding[pairs.size()];
    for (List<Integer> places : byShape.values()) {
      for (int from = 0; from < places.size(); from += most) {
        List<Integer> part = places.subList(from, Math.min(places.size(), from + most));
        Iterator<Encoding> encoded =
            encodeOneShape(part.stream().map(pairs::get).toList()).iterator();
        part.forEach(place -> encodings[place] = encoded.next());
      }
    }
    return List.of(encodings);
  }

  private List<Encoding> encodeOneShape(List<EncodeLine.Item> pairs) {
    List<CroppedImage> images = pairs.stream().map(pair -> pair.arrival().image()).toList();
    List<String> captions = pairs.stream().map(pair -> pair.arrival().pair().caption()).toList();
    List<String> keys = pairs.stream().map(pair -> pair.arrival().pair().key()).toList();
    Natives.operationThreads(1);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        Precision.Region region = options.precision().enter(device)) {
      Tensor pixels = pixels(images);
      List<byte[]> latents = rows(latents(pixels, keys));
      List<byte[]> flipped =
          options.flip() == Flip.BOTH
              ? rows(latents(pixels.flip(WIDTH), keys))
              : Collections.nCopies(images.size(), null);
      int[][] tokenIds = tokenizer.encode(captions);
      List<byte[]> embeddings = rows(textEncoder.hiddenStates(ids(tokenIds)));
      List<Encoding> encodings = new ArrayList<>();
      for (int i = 0; i < images.size(); i++) {
        encodings.add(new Encoding(latents.get(i), flipped.get(i), embeddings.get(i), tokenIds[i]));
      }
      return encodings;
    }
  }

  /** Encodes the empty caption, which stands for no caption in classifier-free guidance. */
  Encoding encodeEmptyCaption() {
    Natives.operationThreads(1);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        Precision.Region region = options.precision().enter(device)) {
      int[][] tokenIds = tokenizer.encode(List.of(""));
      return new Encoding(
          new byte[0], null, rows(textEncoder.hiddenStates(ids(tokenIds))).get(0), tokenIds[0]);
    }
  }

  /** Latents as stored: [B,2C,h,w], mean, then standard deviation, or [B,C,h,w], a sample. */
  private Tensor latents(Tensor pixels, List<String> keys) {
    Tensor moments = autoencoder.encode(pixels).to(ScalarType.Float);
    long channels = autoencoder.config().latentChannels();
    Tensor mean = moments.narrow(1, 0, channels);
    Tensor logVariance =
        moments
            .narrow(1, channels, channels)
            .clamp(
                new ScalarOptional(new Scalar(AutoencoderKL.MIN_LOG_VARIANCE)),
                new ScalarOptional(new Scalar(AutoencoderKL.MAX_LOG_VARIANCE)));
    Tensor deviation = logVariance.mul(new Scalar(0.5)).exp();
    return options.latents() == LatentKind.MEAN_STD
        ? torch.cat(new TensorVector(mean, deviation), 1)
        : mean.add(deviation.mul(noise(keys, mean)));
  }

  /** Noise of the shape of {@code like} that follows from each pair's key, whatever the batch. */
  private Tensor noise(List<String> keys, Tensor like) {
    long[] one = {1, like.size(1), like.size(2), like.size(3)};
    TensorVector rows = new TensorVector();
    for (String key : keys) {
      long stream = Long.parseUnsignedLong(key.substring(0, 16), 16);
      rows.push_back(torch.randn(one, Seeds.generator(options.seed(), stream)));
    }
    return to(torch.cat(rows, 0));
  }

  /** Pixels [B,3,H,W] in [-1,1]. */
  private Tensor pixels(List<CroppedImage> images) {
    long[] shape = {images.size(), images.get(0).height(), images.get(0).width(), 3};
    Tensor bytes = torch.empty(shape, new TensorOptions(ScalarType.Byte), null);
    BytePointer memory = new BytePointer(bytes.data_ptr());
    for (int i = 0; i < images.size(); i++) {
      byte[] rgb = images.get(i).rgb();
      memory.position((long) i * rgb.length).put(rgb, 0, rgb.length);
    }
    return to(bytes)
        .permute(0, 3, 1, 2)
        .to(ScalarType.Float)
        .div(new Scalar(127.5))
        .sub(new Scalar(1.0))
        .contiguous();
  }

  private Tensor ids(int[][] tokenIds) {
    long[] flat = Arrays.stream(tokenIds).flatMapToInt(Arrays::stream).asLongStream().toArray();
    return to(Tensors.of(flat, tokenIds.length, tokenIds[0].length));
  }

  /** The rows of {@code tensor} along its first dimension, as fp16 bytes. */
  private static List<byte[]> rows(Tensor tensor) {
    Tensor halves = tensor.to(ScalarType.Half).cpu().contiguous();
    int count = Math.toIntExact(halves.size(0));
    int length = Math.toIntExact(halves.numel() / count * 2);
    BytePointer memory = new BytePointer(halves.data_ptr());
    List<byte[]> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] row = new byte[length];
      memory.position((long) i * length).get(row);
      rows.add(row);
    }
    return rows;
  }

  private void requireFit() {
    if (tokenizer.maxLength() > textEncoder.config().maxTokens()
        || tokenizer.vocabularySize() > textEncoder.config().vocabularySize()) {
      throw new InputException(
          "%s: the tokenizer makes %d ids of %d, the text encoder takes %d of %d"
              .formatted(
                  directory,
                  tokenizer.maxLength(),
                  tokenizer.vocabularySize(),
                  textEncoder.config().maxTokens(),
                  textEncoder.config().vocabularySize()));
    }
  }

  /** The SHA-256 of all files in a folder, by name, in a row. */
  private static String fingerprint(Path folder, Configuration configuration) throws IOException {
    FileSystem files = folder.getFileSystem(configuration);
    FileStatus[] children = files.listStatus(folder);
    Arrays.sort(children);
    List<InputStream> streams = new ArrayList<>();
    try {
      for (FileStatus child : children) {
        if (child.isFile() && !child.getPath().getName().startsWith(".")) {
          streams.add(files.open(child.getPath()));
        }
      }
      return Digests.sha256Hex(new SequenceInputStream(Collections.enumeration(streams)));
    } finally {
      for (InputStream stream : streams) {
        stream.close();
      }
    }
  }
}
