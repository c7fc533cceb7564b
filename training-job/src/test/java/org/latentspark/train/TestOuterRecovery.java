package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.Launcher;
import org.latentspark.graph.TinyUNet;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.SafetensorsReader;
import org.latentspark.tensor.Tensors;

/** Kills an executor of a training whose averages have momentum and travel in bf16. */
@Tag("chaos")
@Tag("slow")
class TestOuterRecovery {
  private static final long SEED = 20261123;
  private static final String LAST = "checkpoints/step-000000048/";

  @TempDir private Path folder;

  @BeforeEach
  void quiet() {
    System.setProperty("spark.ui.enabled", "false");
    Natives.operationThreads(1);
  }

  @AfterEach
  void forgetSettings() {
    System.clearProperty("spark.ui.enabled");
  }

  @Test
  void momentumSurvivesAKilledExecutorToTheBitWhereAllIsEncrypted() throws Exception {
    TinyDataset.write(folder.resolve("dataset"), 20, 4, SEED);
    Files.writeString(folder.resolve("unet.json"), TinyUNet.CONFIG);
    assertThat(Launcher.run(new TrainJob(), arguments("whole"))).isZero();
    assertThat(momentum("whole")).as("sum of the momentum's values").isNotZero();
    Path own = Files.createDirectories(folder.resolve("process"));
    try (TrainProcess run =
        TrainProcess.start(
            own,
            List.of(
                "-Dspark.master=local-cluster[2,1,1024]",
                "-Dspark.authenticate=true",
                "-Dspark.authenticate.secret=known to this cluster",
                "-Dspark.network.crypto.enabled=true"),
            List.of(arguments("killed")))) {
      Path first = folder.resolve("killed/checkpoints/step-000000012/checkpoint.json");
      run.await("first checkpoint", () -> Files.exists(first));
      run.awaitExecutors(2).get(1).destroyForcibly();
      assertThat(run.exitCode()).as("exit code; %s", run.log()).isZero();
      assertThat(run.log()).contains("Lost executor").doesNotContain("of 2 workers");
    }
    for (String name :
        List.of(
            "unet/diffusion_pytorch_model.safetensors",
            "unet_ema/diffusion_pytorch_model.safetensors",
            "optimizer.safetensors")) {
      assertThat(folder.resolve("killed/" + LAST + name))
          .as(name)
          .hasSameBinaryContentAs(folder.resolve("whole/" + LAST + name));
    }
  }

  private double momentum(String output) throws Exception {
    Path file = folder.resolve(output + "/" + LAST + "optimizer.safetensors");
    try (PointerScope scope = new PointerScope();
        SafetensorsReader reader =
            SafetensorsReader.open(
                new org.apache.hadoop.fs.Path(file.toUri()), new Configuration())) {
      return Tensors.norm(reader.read("outer_momentum_buffer"));
    }
  }

  private String[] arguments(String output) {
    return Stream.of(
            "dataset=" + folder.resolve("dataset"),
            "model=" + folder.resolve("unet.json"),
            "output=" + folder.resolve(output),
            "workers=2",
            "batch-size=2",
            "steps=48",
            "precision=fp32",
            "averaging.frequency=2",
            "averaging.outer=nesterov",
            "averaging.wire=bf16",
            "averaging.overlap-steps=1",
            "checkpoint.every-rounds=6",
            "validation.every-rounds=24",
            "ema.decay=0.9")
        .toArray(String[]::new);
  }
}
