package org.latentspark.averaging;

import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceInformation;
import org.bytedeco.pytorch.global.torch;
import org.latentspark.cli.UsageException;
import org.latentspark.exchange.Place;
import org.latentspark.tensor.Natives;

/** What workers compute on; on GPUs it is one worker a GPU, as Spark assigns them. */
public enum ComputeDevice {
  /** The processor. */
  CPU {
    @Override
    public void requireAsked(SparkConf conf) {
      // Task slots are all that workers need.
    }

    @Override
    Place place(Map<String, ResourceInformation> assigned, int rank) {
      return Place.CPU;
    }
  },
  /** NVIDIA GPUs. */
  CUDA {
    @Override
    public void requireAsked(SparkConf conf) {
      if (isLocal(conf)) {
        requireGpus();
        return;
      }
      String asked = conf.get(TASK_AMOUNT, "none");
      if (!asked.equals("1")) {
        throw new UsageException(
            "device=cuda gives each worker a GPU of its own, and %s is %s: submit with --conf %s=1 --conf %s=<GPUs of an executor> --conf %s=<conf/gpus.sh on the machines>"
                .formatted(TASK_AMOUNT, asked, TASK_AMOUNT, EXECUTOR_AMOUNT, DISCOVERY));
      }
    }

    @Override
    Place place(Map<String, ResourceInformation> assigned, int rank) {
      int gpus = requireGpus();
      ResourceInformation own = assigned.get(RESOURCE);
      // A local master assigns nothing: there workers take the GPUs in turn.
      int index = own == null ? rank : Integer.parseInt(own.addresses()[0]);
      if (index >= gpus) {
        throw new UsageException(
            "device=cuda: worker %d was to have GPU %d, and libtorch sees %d here: run as many workers as GPUs"
                .formatted(rank, index, gpus));
      }
      return Place.gpu(index);
    }
  };

  private static final String RESOURCE = "gpu";
  private static final String TASK_AMOUNT = "spark.task.resource.gpu.amount";
  private static final String EXECUTOR_AMOUNT = "spark.executor.resource.gpu.amount";
  private static final String DISCOVERY = "spark.executor.resource.gpu.discoveryScript";

  /**
   * Checks on the driver that Spark was asked for what the workers need.
   *
   * @throws UsageException with the settings that are missing
   */
  public abstract void requireAsked(SparkConf conf);

  /**
   * Returns where a worker computes.
   *
   * @param assigned the resources that Spark has given to its task
   * @throws UsageException when there is no such GPU
   */
  abstract Place place(Map<String, ResourceInformation> assigned, int rank);

  private static boolean isLocal(SparkConf conf) {
    String master = conf.get("spark.master", "");
    return master.equals("local") || master.startsWith("local[");
  }

  private static int requireGpus() {
    Natives.load();
    int gpus = torch.cuda_is_available() ? torch.cuda_device_count() : 0;
    if (gpus == 0) {
      throw new UsageException(
          "device=cuda: libtorch sees no GPU here. It takes an NVIDIA GPU with its driver (nvidia-smi lists it) and jars built with mvn -Pgpu package; device=cpu does without");
    }
    return gpus;
  }
}
