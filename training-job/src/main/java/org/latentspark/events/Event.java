package org.latentspark.events;

import java.util.Map;

/**
 * An event of TensorBoard's {@code event.proto}, encoded; times are seconds since 1970.
 *
 * @param bytes the message
 */
@SuppressWarnings("ArrayRecordComponent") // events are carried, never compared
record Event(byte[] bytes) {
  private static final int WALL_TIME = 1;
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;
  private static final int SESSION_LOG = 7;
  private static final int STARTED = 1;
  private static final int RGB = 3;

  /** The event that each file begins with. */
  static Event version(double time) {
    return new Event(at(time, 0).text(FILE_VERSION, "brain.Event:2").bytes());
  }

  /** The event at which TensorBoard forgets what it has read of {@code step} and later ones. */
  static Event restart(double time, long step) {
    return new Event(at(time, step).message(SESSION_LOG, new Message().number(1, STARTED)).bytes());
  }

  /** An event with a number for each tag. */
  static Event scalars(double time, long step, Map<String, Double> values) {
    Message summary = new Message();
    values.forEach(
        (tag, value) ->
            summary.message(1, new Message().text(1, tag).number(2, value.floatValue())));
    return new Event(at(time, step).message(SUMMARY, summary).bytes());
  }

  /** An event with a picture, as a PNG file. */
  static Event image(double time, long step, String tag, int width, int height, byte[] png) {
    Message image =
        new Message().number(1, (long) height).number(2, (long) width).number(3, (long) RGB);
    Message value = new Message().text(1, tag).message(4, image.bytes(4, png));
    return new Event(at(time, step).message(SUMMARY, new Message().message(1, value)).bytes());
  }

  /** An event with a histogram for each tag. */
  static Event histograms(double time, long step, Map<String, Histogram> values) {
    Message summary = new Message();
    values.forEach(
        (tag, value) -> summary.message(1, new Message().text(1, tag).message(5, value.message())));
    return new Event(at(time, step).message(SUMMARY, summary).bytes());
  }

  private static Message at(double time, long step) {
    return new Message().number(WALL_TIME, time).number(STEP, step);
  }

  /** Returns the step that the event belongs to. */
  long step() {
    return Message.find(bytes, STEP, 0);
  }
}
