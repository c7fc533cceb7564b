package org.latentspark.averaging;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;

/** Writes results for Kryo, whose own way of setting fields does not work on records. */
public final class ResultSerializer extends Serializer<AveragingResult> {
  @Override
  public void write(Kryo kryo, Output out, AveragingResult result) {
    StateStore.Progress progress = result.progress();
    out.writeLong(progress.round());
    out.writeLong(progress.step());
    out.writeLong(progress.examples());
    out.writeInt(progress.workers());
    out.writeString(result.state());
  }

  @Override
  public AveragingResult read(Kryo kryo, Input in, Class<AveragingResult> type) {
    StateStore.Progress progress =
        new StateStore.Progress(in.readLong(), in.readLong(), in.readLong(), in.readInt());
    return new AveragingResult(progress, in.readString());
  }
}
