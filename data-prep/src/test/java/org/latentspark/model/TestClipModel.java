package org.latentspark.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.latentspark.tensor.Parameter;
import org.latentspark.tensor.ParameterTable;
import org.latentspark.tensor.Tensors;

class TestClipModel {
  private static final ClipConfig SMALL =
      new ClipConfig(
          new ClipTextConfig(
              new ClipTower(16, 32, 8, 2, 4, ClipActivation.QUICK_GELU, 1e-5, ClipHead.PROJECTION),
              50,
              7,
              49),
          new ClipVisionConfig(
              new ClipTower(24, 48, 8, 2, 3, ClipActivation.GELU, 1e-5, ClipHead.PROJECTION),
              3,
              16,
              8));

  @Test
  void countsTheParametersOfTheTextEncoderOfStableDiffusion1() {
    ClipTextModel model =
        new ClipTextModel(
            ClipTextConfig.parse(
                """
                {"architectures": ["CLIPTextModel"], "hidden_size": 768, "intermediate_size": 3072,
                 "projection_dim": 768, "num_attention_heads": 12, "eos_token_id": 2}
                """));

    assertThat(model.parameters().count()).isEqualTo(123_060_480L);
  }

  @Test
  void countsTheParametersOfBothTowersOfVitL14() {
    ClipModel model =
        new ClipModel(
            ClipConfig.parse(
                """
                {"architectures": ["CLIPModel"], "projection_dim": 768,
                 "text_config": {"hidden_size": 768, "intermediate_size": 3072,
                   "num_attention_heads": 12},
                 "vision_config": {"hidden_size": 1024, "intermediate_size": 4096,
                   "num_hidden_layers": 24, "num_attention_heads": 16, "patch_size": 14}}
                """));

    assertThat(model.parameters().count()).isEqualTo(427_616_513L);
  }

  @Test
  void readsBackTheConfigurationItWrites() {
    assertThat(ClipConfig.parse(SMALL.json())).isEqualTo(SMALL);
    assertThat(ClipTextConfig.parse(SMALL.text().json())).isEqualTo(SMALL.text());
    assertThat(ClipVisionConfig.parse(SMALL.vision().json())).isEqualTo(SMALL.vision());
    assertThat(ClipTextConfig.parse(SMALL.json())).isEqualTo(SMALL.text());
  }

  @Test
  void refusesWhatItCannotCompute() {
    assertThatThrownBy(() -> ClipTextConfig.parse("{\"hidden_act\": \"gelu_new\"}"))
        .hasMessageContaining(
            "hidden_act = \"gelu_new\" is not supported; allowed: [quick_gelu, gelu]");
    assertThatThrownBy(() -> ClipTextConfig.parse("{\"num_attention_heads\": 7}"))
        .hasMessageContaining("num_attention_heads 7 must divide hidden_size 512");
    assertThatThrownBy(() -> ClipVisionConfig.parse("{\"num_hidden_layers\": \"many\"}"))
        .hasMessageContaining("num_hidden_layers = \"many\" is not supported");
    assertThatThrownBy(() -> ClipTextConfig.parse("{\"attention_dropout\": 0.1}"))
        .hasMessageContaining("attention_dropout = 0.1 is not supported; allowed: [0]");
    assertThatThrownBy(() -> ClipTextConfig.parse("[]")).hasMessageContaining("a JSON object");
  }

  @Test
  void poolsAtTheFirstEndTokenOrForOldConfigurationsAtTheHighestId() {
    try (PointerScope scope = new PointerScope()) {
      Tensor ids = Tensors.of(new long[] {48, 3, 49, 49, 48, 40, 45, 49}, 2, 4);
      Tensor hidden = torch.arange(new Scalar(8.0f)).view(2, 4, 1);

      ClipTextConfig text = SMALL.text();
      assertThat(Tensors.floats(new ClipTextModel(text).pooled(hidden, ids)))
          .containsExactly(2f, 7f);
      ClipTextConfig old = new ClipTextConfig(text.tower(), 50, 7, 2);
      assertThat(Tensors.floats(new ClipTextModel(old).pooled(hidden, ids)))
          .containsExactly(2f, 7f);
      ClipTextConfig other = new ClipTextConfig(text.tower(), 50, 7, 48);
      assertThat(Tensors.floats(new ClipTextModel(other).pooled(hidden, ids)))
          .containsExactly(0f, 4f);
    }
  }

  @Test
  void laterTokensDoNotChangeEarlierStates() {
    ClipTextModel model = new ClipTextModel(SMALL.text());
    model.parameters().allocate();
    model.parameters().initialize(7);
    try (PointerScope scope = new PointerScope()) {
      Tensor one = model.hiddenStates(Tensors.of(new long[] {48, 1, 2, 49}, 1, 4));
      Tensor two = model.hiddenStates(Tensors.of(new long[] {48, 1, 9, 9}, 1, 4));

      assertThat(Tensors.floats(one.narrow(1, 0, 2)))
          .containsExactly(Tensors.floats(two.narrow(1, 0, 2)), within(1e-6f));
      assertThat(Tensors.floats(one.select(1, 3))).isNotEqualTo(Tensors.floats(two.select(1, 3)));
    }
  }

  @Test
  void everyParameterOfBothTowersLearnsFromTheContrastiveLoss() {
    ClipModel model = new ClipModel(SMALL);
    try (PointerScope scope = new PointerScope()) {
      Tensor values = torch.zeros(model.parameters().count());
      Tensor gradients = torch.zeros(model.parameters().count());
      model.parameters().bind(values, gradients);
      model.parameters().initialize(3);
      Tensor ids = Tensors.of(new long[] {48, 1, 2, 49, 49, 49, 49, 48, 3, 4, 5, 6, 7, 49}, 2, 7);
      torch.manual_seed(5);
      Tensor pixels = ClipPixels.of(torch.randn(2, 3, 20, 24).tanh(), 16);

      Tensor similarity =
          model
              .text()
              .embed(ids)
              .matmul(model.vision().embed(pixels).t())
              .mul(model.logitScale().exp());
      similarity.select(0, 0).select(0, 0).backward();

      for (Parameter parameter : model.parameters().parameters()) {
        // Softmax ignores what a key's bias adds to all scores of a query.
        if (!parameter.name().endsWith("k_proj.bias")) {
          assertThat(Tensors.floats(ParameterTable.view(gradients, parameter).abs().sum()))
              .as(parameter.name())
              .isNotEqualTo(new float[] {0});
        }
      }
    }
  }

  @Test
  void splitsIntoEncodersThatGiveTheSameEmbeddings() {
    ClipModel model = new ClipModel(SMALL);
    model.parameters().allocate();
    model.parameters().initialize(11);
    ClipTextModel text = model.textEncoder();
    ClipVisionModel vision = model.imageEncoder();
    try (PointerScope scope = new PointerScope()) {
      Tensor ids = Tensors.of(new long[] {48, 1, 49, 49, 49, 49, 49}, 1, 7);
      Tensor pixels = ClipPixels.of(torch.ones(1, 3, 16, 16), 16);

      assertThat(Tensors.floats(text.embed(ids)))
          .containsExactly(Tensors.floats(model.text().embed(ids)));
      assertThat(Tensors.floats(vision.embed(pixels)))
          .containsExactly(Tensors.floats(model.vision().embed(pixels)));
      assertThat(text.parameters().count() + vision.parameters().count() + 1)
          .isEqualTo(model.parameters().count());
    }
  }

  @Test
  void normalizesEachChannelOfWhiteAsPublished() {
    try (PointerScope scope = new PointerScope()) {
      float[] white = Tensors.floats(ClipPixels.of(torch.ones(1, 3, 30, 45), 10));

      assertThat(white).hasSize(300);
      assertThat(white[0]).isCloseTo(1.930336f, within(1e-5f));
      assertThat(white[100]).isCloseTo(2.074884f, within(1e-5f));
      assertThat(white[200]).isCloseTo(2.145897f, within(1e-5f));
    }
  }

  @Test
  void namesTheMissingProjection() {
    ClipTextModel model = new ClipTextModel(ClipTextConfig.parse("{}"));

    assertThatThrownBy(() -> model.project(null)).hasMessageContaining("text_projection.weight");
  }
}
