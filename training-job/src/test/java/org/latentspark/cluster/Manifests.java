package org.latentspark.cluster;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * Reads Kubernetes' manifests as typed objects; a field that an object does not have is an error.
 */
final class Manifests {
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .setAnnotationIntrospector(
              new JacksonAnnotationIntrospector() {
                /** Kubernetes' model would keep unknown fields. */
                @Override
                public Boolean hasAnySetter(Annotated method) {
                  return false;
                }
              })
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private static final Map<String, Class<?>> KINDS =
      Map.of(
          "v1 Namespace", Namespace.class,
          "v1 ServiceAccount", ServiceAccount.class,
          "v1 Pod", Pod.class,
          "rbac.authorization.k8s.io/v1 Role", Role.class,
          "rbac.authorization.k8s.io/v1 RoleBinding", RoleBinding.class,
          "sparkoperator.k8s.io/v1beta2 ScheduledSparkApplication", Scheduled.class);

  private Manifests() {}

  /** The fields in use of the Spark operator's resource, by its API v1beta2. */
  record Scheduled(String apiVersion, String kind, ObjectMeta metadata, Schedule spec) {}

  record Schedule(
      String schedule,
      String timeZone,
      Concurrency concurrencyPolicy,
      int successfulRunHistoryLimit,
      int failedRunHistoryLimit,
      Application template) {}

  enum Concurrency {
    Allow,
    Forbid,
    Replace
  }

  record Application(
      Type type,
      Mode mode,
      String sparkVersion,
      String image,
      String imagePullPolicy,
      String mainClass,
      String mainApplicationFile,
      List<String> arguments,
      Restart restartPolicy,
      Map<String, String> sparkConf,
      Map<String, String> hadoopConf,
      List<Volume> volumes,
      Process driver,
      Process executor) {}

  enum Type {
    Java,
    Python,
    Scala,
    R
  }

  enum Mode {
    cluster,
    client
  }

  record Restart(
      RestartType type,
      int onFailureRetries,
      long onFailureRetryInterval,
      int onSubmissionFailureRetries,
      long onSubmissionFailureRetryInterval) {}

  enum RestartType {
    Never,
    OnFailure,
    Always
  }

  /** What driver and executor have alike; only an executor has instances. */
  record Process(
      Integer instances,
      int cores,
      String memory,
      String memoryOverhead,
      String serviceAccount,
      Long terminationGracePeriodSeconds,
      String javaOptions,
      List<EnvVar> env,
      PodSecurityContext podSecurityContext,
      SecurityContext securityContext,
      List<Toleration> tolerations,
      List<VolumeMount> volumeMounts) {}

  /** Returns the objects of a file, in their order. */
  static List<Object> read(Path file) throws IOException {
    try (Reader reader = Files.newBufferedReader(file)) {
      return read(reader);
    }
  }

  static List<Object> read(Reader reader) throws IOException {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    List<Object> objects = new ArrayList<>();
    for (Object document : new Yaml(new SafeConstructor(options)).loadAll(reader)) {
      JsonNode tree = JSON.valueToTree(document);
      String kind = tree.required("apiVersion").asText() + " " + tree.required("kind").asText();
      if (!KINDS.containsKey(kind)) {
        throw new IOException(kind + " is not one of " + KINDS.keySet());
      }
      objects.add(JSON.treeToValue(tree, KINDS.get(kind)));
    }
    return objects;
  }
}
