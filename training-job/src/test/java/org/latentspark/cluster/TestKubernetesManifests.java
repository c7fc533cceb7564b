package org.latentspark.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonMappingException;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.latentspark.averaging.AveragingTrainingMaster;
import org.latentspark.averaging.ComputeDevice;
import org.latentspark.retrain.RetrainJob;

class TestKubernetesManifests {
  private static final Path SPARK = Path.of("..", "conf", "spark");
  private static final Path FOLDER = SPARK.resolve("kubernetes");
  private static final Path SCHEDULE =
      Path.of("..", "conf", "schedules", "retrain-kubernetes.yaml");

  @Test
  void accountOfDriversMayMakeExecutorsInItsNamespace() throws Exception {
    List<Object> objects = Manifests.read(FOLDER.resolve("access.yaml"));
    assertThat(objects)
        .extracting(object -> (Object) object.getClass())
        .containsExactly(Namespace.class, ServiceAccount.class, Role.class, RoleBinding.class);
    Map<String, String> settings = settings();
    RoleBinding binding = (RoleBinding) objects.get(3);
    assertThat(binding.getRoleRef().getName()).isEqualTo(name(objects.get(2)));
    assertThat(binding.getSubjects().get(0).getName())
        .isEqualTo(name(objects.get(1)))
        .isEqualTo(settings.get("spark.kubernetes.authenticate.driver.serviceAccountName"));
    assertThat(name(objects.get(0))).isEqualTo(settings.get("spark.kubernetes.namespace"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"driver", "executor"})
  void podsAreWithoutPrivilegesAndMountWhatTheyHave(String role) throws Exception {
    Pod pod = (Pod) Manifests.read(FOLDER.resolve(role + ".yaml")).get(0);
    Container container = pod.getSpec().getContainers().get(0);
    assertThat(container.getName()).isEqualTo("spark-kubernetes-" + role);
    assertThat(pod.getSpec().getSecurityContext().getRunAsNonRoot()).isTrue();
    assertThat(container.getSecurityContext().getAllowPrivilegeEscalation()).isFalse();
    assertThat(container.getVolumeMounts())
        .extracting(VolumeMount::getName)
        .contains("spark-local-dir-1")
        .allMatch(
            mounted ->
                pod.getSpec().getVolumes().stream()
                    .anyMatch(volume -> volume.getName().equals(mounted)));
    Map<String, Quantity> limits =
        container.getResources() == null ? Map.of() : container.getResources().getLimits();
    assertThat(limits.containsKey("nvidia.com/gpu")).isEqualTo(role.equals("executor"));
  }

  @Test
  void scheduleIsTheOperatorsAndAgreesWithTheSettings() throws Exception {
    Manifests.Scheduled schedule = (Manifests.Scheduled) Manifests.read(SCHEDULE).get(0);
    Manifests.Application application = schedule.spec().template();
    assertThat(schedule.spec().concurrencyPolicy()).isEqualTo(Manifests.Concurrency.Forbid);
    assertThat(application.mainClass()).isEqualTo(RetrainJob.class.getName());
    assertThat(Files.readString(FOLDER.resolve("Dockerfile")))
        .contains(application.mainApplicationFile().substring("local://".length()))
        .contains("apache/spark:" + application.sparkVersion());

    SparkConf conf = new SparkConf(false).set("spark.master", "k8s://https://head:6443");
    application.sparkConf().forEach(conf::set);
    AveragingTrainingMaster.refuseUnfitCluster(conf);
    ComputeDevice.CUDA.requireAsked(conf);
    Map<String, String> settings = settings();
    application
        .sparkConf()
        .forEach((key, value) -> assertThat(settings.get(key)).as(key).isEqualTo(value));
    application
        .hadoopConf()
        .forEach(
            (key, value) ->
                assertThat(settings.get("spark.hadoop." + key)).as(key).startsWith(value));
    assertThat(application.image()).isEqualTo(settings.get("spark.kubernetes.container.image"));
    assertThat(application.driver().serviceAccount())
        .isEqualTo(settings.get("spark.kubernetes.authenticate.driver.serviceAccountName"));
    for (String role : List.of("driver", "executor")) {
      Manifests.Process process =
          role.equals("driver") ? application.driver() : application.executor();
      assertThat(settings)
          .containsEntry("spark." + role + ".cores", Integer.toString(process.cores()))
          .containsEntry("spark." + role + ".memory", process.memory())
          .containsEntry("spark." + role + ".memoryOverhead", process.memoryOverhead());
      for (String option : process.javaOptions().split("\\s+")) {
        assertThat(settings.get("spark." + role + ".extraJavaOptions")).contains(option);
      }
      assertThat(process.env())
          .filteredOn(variable -> !variable.getName().matches("OMP_.*|MALLOC_.*"))
          .isNotEmpty()
          .allMatch(variable -> variable.getValueFrom().getSecretKeyRef().getKey() != null)
          .extracting(EnvVar::getValue)
          .containsOnlyNulls();
    }
  }

  @Test
  void mistypedFieldsAndUnknownKindsAreErrors() throws Exception {
    String pod = Files.readString(FOLDER.resolve("executor.yaml"));
    assertMistyped(pod.replace("mountPath", "mountpath"), "mountpath");
    assertMistyped(pod.replace("runAsNonRoot", "runAsNotRoot"), "runAsNotRoot");
    String schedule = Files.readString(SCHEDULE);
    assertMistyped(schedule.replace("memoryOverhead", "overheadMemory"), "overheadMemory");
    assertMistyped(schedule.replace("secretKeyRef", "secretRef"), "secretRef");
    assertMistyped(schedule.replace("Forbid", "Never"), "Never");
    assertThatThrownBy(() -> Manifests.read(new StringReader(schedule.replace("v1beta2", "v1"))))
        .hasMessageContaining("is not one of");
  }

  private static void assertMistyped(String manifest, String field) {
    assertThatThrownBy(() -> Manifests.read(new StringReader(manifest)))
        .isInstanceOf(JsonMappingException.class)
        .hasMessageContaining(field);
  }

  private static Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>();
    for (String file : List.of("common", "kubernetes", "gpus")) {
      SparkSettings.of(SPARK.resolve(file + ".conf"))
          .forEach(setting -> settings.put(setting.getKey(), setting.getValue()));
    }
    return settings;
  }

  private static String name(Object manifest) {
    return ((HasMetadata) manifest).getMetadata().getName();
  }
}
