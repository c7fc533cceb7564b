package org.latentspark.train;

import com.esotericsoftware.kryo.Kryo;
import org.apache.spark.serializer.KryoRegistrator;
import org.apache.spark.util.SerializableConfiguration;
import org.latentspark.averaging.AveragingResult;
import org.latentspark.averaging.ResultSerializer;
import org.latentspark.pairs.SourceRegistrator;
import org.nd4j.kryo.Nd4jRegistrator;

/**
 * Registers with Kryo what the training verbs send between driver and executors, and nothing else:
 * what is sent by mistake fails at once instead of being slow.
 */
public final class TrainingRegistrator implements KryoRegistrator {
  /** Called by Spark. */
  public TrainingRegistrator() {}

  @Override
  public void registerClasses(Kryo kryo) {
    // DL4J tries at the start whether its arrays can be sent.
    new Nd4jRegistrator().registerClasses(kryo);
    kryo.register(AveragingResult.class, new ResultSerializer());
    kryo.register(AveragingResult[].class);
    kryo.register(SerializableConfiguration.class);
    new SourceRegistrator().registerClasses(kryo);
  }
}
