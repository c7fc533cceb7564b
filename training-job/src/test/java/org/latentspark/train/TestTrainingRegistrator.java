package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.apache.spark.SparkConf;
import org.apache.spark.serializer.KryoSerializer;
import org.apache.spark.serializer.SerializerInstance;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import scala.reflect.ClassTag$;

class TestTrainingRegistrator {
  private final SerializerInstance serializer =
      new KryoSerializer(
              new SparkConf(false)
                  .set("spark.kryo.registrationRequired", "true")
                  .set("spark.kryo.registrator", TrainingRegistrator.class.getName()))
          .newInstance();

  @Test
  void dl4jsArraysAreSent() {
    INDArray array = Nd4j.linspace(1, 5, 5);
    assertThat(back(array)).isEqualTo(array);
  }

  @Test
  void whatNobodyRegisteredIsRefused() {
    assertThatThrownBy(() -> back(new StringBuilder("by mistake")))
        .hasStackTraceContaining("Class is not registered: java.lang.StringBuilder");
  }

  private Object back(Object value) {
    ByteBuffer bytes = serializer.serialize(value, ClassTag$.MODULE$.apply(Object.class));
    return serializer.deserialize(bytes, ClassTag$.MODULE$.apply(Object.class));
  }
}
