package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.SafetensorsType;

/** Holds CLIP against transformers' outputs; {@code make_fixtures.py} made them. */
@Tag("parity")
class TestClipParity {
  @TempDir private java.nio.file.Path folder;

  @Test
  void textModelOfStableDiffusion1EqualsTransformers() throws Exception {
    ClipTextModel model = ClipTextModel.load(directory("clip-text"));

    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = expected("clip-text")) {
      Tensor ids = expected.read("ids");
      Tensor hidden = model.hiddenStates(ids);
      assertClose(hidden, expected.read("hidden"));
      assertClose(model.pooled(hidden, ids), expected.read("pooled"));
      assertClose(model.hiddenStates(ids.narrow(1, 0, 3)), expected.read("short"));
    }
  }

  @Test
  void bothTowersEqualTransformers() throws Exception {
    ClipModel model = ClipModel.load(directory("clip-both"));

    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = expected("clip-both")) {
      Tensor ids = expected.read("ids");
      Tensor pixels = expected.read("pixels");
      assertClose(model.text().hiddenStates(ids), expected.read("text_hidden"));
      assertClose(model.text().embed(ids), expected.read("text"));
      assertClose(model.vision().hiddenStates(pixels), expected.read("vision_hidden"));
      assertClose(model.vision().embed(pixels), expected.read("vision"));
      assertClose(model.similarity(pixels, ids), expected.read("similarity"));
    }
  }

  /** 12 layers of 12 heads and 24 of 16, from the deprecated forms of both configurations. */
  @Test
  void bothTowersOfVitL14EqualTransformersAndGiveItsScores() throws Exception {
    ClipTextModel text = ClipTextModel.load(directory("clip-l"));
    ClipVisionModel vision = ClipVisionModel.load(directory("clip-l"));

    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = expected("clip-l")) {
      Tensor ids = expected.read("ids");
      Tensor hidden = text.hiddenStates(ids);
      assertClose(hidden, expected.read("text_hidden"));
      Tensor pooled = text.pooled(hidden, ids);
      assertClose(pooled, expected.read("text_pooled"));
      assertClose(text.project(pooled), expected.read("text"));

      Tensor rgb = expected.read("rgb").to(ScalarType.Float);
      Tensor pixels = ClipPixels.of(rgb.div(new Scalar(127.5)).sub(new Scalar(1)), 224);
      Tensor patches = vision.hiddenStates(pixels);
      assertClose(patches, expected.read("vision_hidden"));
      assertClose(vision.pooled(patches), expected.read("vision_pooled"));
      assertClose(vision.embed(pixels), expected.read("vision"));
      assertClose(
          ClipModel.cosines(vision.embed(pixels), text.embed(ids)), expected.read("cosines"));
    }
  }

  /** 23 layers of 16 heads with the exact GELU; captions padded with id 0. */
  @Test
  void openClipTextModelOfStableDiffusion2EqualsTransformers() throws Exception {
    ModelDirectory directory = directory("clip-sd21");
    ClipTextModel model = ClipTextModel.load(directory);
    ClipTextConfig config = model.config();
    ClipTextModel newer =
        new ClipTextModel(
            new ClipTextConfig(config.tower(), config.vocabularySize(), config.maxTokens(), 999));

    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = expected("clip-sd21")) {
      Tensor ids = expected.read("ids");
      assertThat(ids.select(0, 0).select(0, 76).item_long()).as("padding").isEqualTo(0);
      Tensor hidden = model.hiddenStates(ids);
      assertClose(hidden, expected.read("hidden"));
      assertClose(model.pooled(hidden, ids), expected.read("pooled"));
      assertClose(newer.pooled(hidden, ids), expected.read("pooled_at_end"));
    }
  }

  @Test
  void towersLoadAloneFromBothAndFromWhatTheyWereSavedAs() throws Exception {
    Path pipeline = new Path(folder.toUri());
    ClipModel.load(directory("clip-both"))
        .saveEncoders(pipeline, SafetensorsType.F32, new Configuration());

    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        SafetensorsReader expected = expected("clip-both")) {
      Tensor ids = expected.read("ids");
      Tensor pixels = expected.read("pixels");
      assertClose(ClipTextModel.load(directory("clip-both")).embed(ids), expected.read("text"));
      assertClose(
          ClipVisionModel.load(directory("clip-both")).embed(pixels), expected.read("vision"));
      ClipTextModel text = ClipTextModel.load(saved(pipeline, "text_encoder"));
      assertClose(text.embed(ids), expected.read("text"));
      ClipVisionModel vision = ClipVisionModel.load(saved(pipeline, "image_encoder"));
      assertClose(vision.embed(pixels), expected.read("vision"));
    }
  }

  @Test
  void preparedPixelsEqualTheImageProcessorsButForItsRounding() throws Exception {
    try (PointerScope scope = new PointerScope();
        SafetensorsReader expected = expected("clip-both")) {
      Tensor pixels = ClipPixels.of(expected.read("rgb"), 18);

      // The processor rounds twice to 256 levels of at most 0.0153 each.
      assertThat(difference(pixels, expected.read("pixels").narrow(0, 0, 1))).isLessThan(0.031);
    }
  }

  private static void assertClose(Tensor actual, Tensor expected) {
    assertThat(actual.sizes().vec().get()).isEqualTo(expected.sizes().vec().get());
    assertThat(difference(actual, expected)).isLessThan(1e-4 * expected.abs().max().item_float());
  }

  private static double difference(Tensor actual, Tensor expected) {
    return actual.sub(expected).abs().max().item_float();
  }

  private static ModelDirectory saved(Path pipeline, String part) {
    return new ModelDirectory(new Path(pipeline, part), new Configuration());
  }

  private static ModelDirectory directory(String name) throws URISyntaxException {
    return new ModelDirectory(path(name), new Configuration());
  }

  private static SafetensorsReader expected(String name) throws IOException, URISyntaxException {
    return SafetensorsReader.open(new Path(path(name), "io.safetensors"), new Configuration());
  }

  private static Path path(String name) throws URISyntaxException {
    return new Path(TestClipParity.class.getResource("/fixtures/" + name).toURI());
  }
}
