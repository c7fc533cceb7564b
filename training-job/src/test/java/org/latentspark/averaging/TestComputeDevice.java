package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceInformation;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.cli.UsageException;
import org.latentspark.exchange.Place;
import org.latentspark.tensor.Natives;

class TestComputeDevice {
  @TempDir private Path folder;

  @Test
  void clusterWithoutGpusForTasksIsRefusedWithTheSettings() {
    SparkConf conf = new SparkConf(false).set("spark.master", "spark://head:7077");
    assertThatThrownBy(() -> ComputeDevice.CUDA.requireAsked(conf))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("spark.task.resource.gpu.amount is none")
        .hasMessageContaining("--conf spark.task.resource.gpu.amount=1")
        .hasMessageContaining("--conf spark.executor.resource.gpu.amount=")
        .hasMessageContaining("conf/gpus.sh");
    conf.set("spark.task.resource.gpu.amount", "0.5");
    assertThatThrownBy(() -> ComputeDevice.CUDA.requireAsked(conf))
        .hasMessageContaining("spark.task.resource.gpu.amount is 0.5");
    conf.set("spark.task.resource.gpu.amount", "1");
    assertThatCode(() -> ComputeDevice.CUDA.requireAsked(conf)).doesNotThrowAnyException();
  }

  @Test
  void machineWithoutGpuIsToldWhatItTakes() {
    Natives.load();
    assumeFalse(torch.cuda_is_available(), "this machine has a GPU");
    SparkConf local = new SparkConf(false).set("spark.master", "local[2]");
    assertThatThrownBy(() -> ComputeDevice.CUDA.requireAsked(local))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("libtorch sees no GPU here")
        .hasMessageContaining("mvn -Pgpu package");
    ResourceInformation first = new ResourceInformation("gpu", new String[] {"0"});
    assertThatThrownBy(() -> ComputeDevice.CUDA.place(Map.of("gpu", first), 0))
        .isInstanceOf(UsageException.class);
  }

  @Test
  void processorNeedsNothing() {
    ComputeDevice.CPU.requireAsked(new SparkConf(false));
    assertThat(ComputeDevice.CPU.place(Map.of(), 3)).isEqualTo(Place.CPU);
  }

  @Test
  void discoveryScriptTellsWhatSparkReads() throws Exception {
    assertThat(discovered("0\n1\n2\n")).containsExactly("0", "1", "2");
    assertThat(discovered("3\n")).containsExactly("3");
    assertThat(discovered("")).isEmpty();
  }

  /** Runs the script beside a program that answers as nvidia-smi does. */
  private String[] discovered(String indices) throws IOException {
    Path answers = folder.resolve("nvidia-smi");
    Files.writeString(answers, "#!/bin/sh\nprintf '%s'\n".formatted(indices.replace("\n", "\\n")));
    assertThat(answers.toFile().setExecutable(true)).isTrue();
    Path script =
        Path.of(System.getProperty("basedir", ""), "..", "conf", "gpus.sh").toAbsolutePath();
    ProcessBuilder builder = new ProcessBuilder("bash", script.normalize().toString());
    builder.environment().merge("PATH", folder + ":", (old, own) -> own + old);
    Process process = builder.start();
    String json = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return ResourceInformation.parseJson(json).addresses();
  }
}
