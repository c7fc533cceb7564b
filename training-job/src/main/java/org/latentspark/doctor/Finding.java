package org.latentspark.doctor;

import java.io.Serializable;

/**
 * What one check found.
 *
 * @param where the host or path
 * @param sound whether all is well
 * @param text what was found
 * @param remedy what to do about it; "" where all is well
 */
record Finding(String where, boolean sound, String text, String remedy) implements Serializable {
  private static final long serialVersionUID = 1;

  static Finding sound(String where, String text) {
    return new Finding(where, true, text, "");
  }

  static Finding faulty(String where, String text, String remedy) {
    return new Finding(where, false, text, remedy);
  }

  /** Returns one or the other, with the same text. */
  static Finding of(boolean sound, String where, String text, String remedy) {
    return new Finding(where, sound, text, sound ? "" : remedy);
  }

  String line() {
    return (sound ? "ok   " : "FAIL ") + where + ": " + text + (sound ? "" : ". " + remedy);
  }
}
