package org.latentspark.doctor;

import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import org.latentspark.cli.Settings;

/** The checked configuration of {@code doctor}; {@code reference.conf} says what each key means. */
record DoctorSettings(
    ArrayList<String> paths,
    int workers,
    Duration patience,
    long freeDisk,
    long freeMemory,
    Duration clockSkew)
    implements Serializable {
  private static final long serialVersionUID = 1;

  static DoctorSettings read(Settings settings) {
    return new DoctorSettings(
        new ArrayList<>(settings.strings("paths")),
        settings.integer("workers", 1, 100_000),
        settings.duration("patience"),
        settings.bytes("free-disk"),
        settings.bytes("free-memory"),
        settings.duration("clock-skew"));
  }
}
