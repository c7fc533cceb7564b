package org.latentspark.pairs;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.serializers.JavaSerializer;
import java.util.ArrayList;
import org.apache.spark.serializer.KryoRegistrator;

/** Registers with Kryo what reading a source sends from the driver to executors. */
public final class SourceRegistrator implements KryoRegistrator {
  /** Makes a registrator. */
  public SourceRegistrator() {}

  @Override
  public void registerClasses(Kryo kryo) {
    kryo.register(ArrayList.class);
    // Spark's Kryo knows no records.
    kryo.register(SourceFiles.Unit.class, new JavaSerializer());
  }
}
