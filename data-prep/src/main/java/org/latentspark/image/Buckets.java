package org.latentspark.image;

import com.fasterxml.jackson.annotation.JsonValue;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The shapes that pictures are cut to: sides of a multiple of the step, with at most as many pixels
 * as the square of the size (aspect-ratio buckets, NovelAI 2022; SDXL, Podell et al. 2023).
 *
 * @param size columns and rows of the square one
 * @param step what divides all sides; 0 for the square alone
 * @param maxAspect greatest ratio of the longer side to the shorter
 */
public record Buckets(int size, int step, double maxAspect) implements Serializable {
  /** Columns and rows of a picture. */
  public record Shape(int width, int height) implements Serializable {
    private double distance(int otherWidth, int otherHeight) {
      return Math.abs(Math.log((double) width / height * otherHeight / otherWidth));
    }
  }

  /** Returns the square alone. */
  public static Buckets square(int size) {
    return new Buckets(size, 0, 1);
  }

  /** Returns all shapes, the narrowest first. */
  public List<Shape> shapes() {
    List<Shape> shapes = new ArrayList<>();
    shapes.add(new Shape(size, size));
    for (int side = step; step > 0 && side < size; side += step) {
      // The longest other side; the shape that lies on its side is one, too.
      int other = size * size / side / step * step;
      if (other <= maxAspect * side) {
        shapes.add(new Shape(side, other));
        shapes.add(new Shape(other, side));
      }
    }
    shapes.sort(
        Comparator.comparingDouble((Shape shape) -> (double) shape.width() / shape.height())
            .thenComparing(Shape::width));
    return shapes;
  }

  /** Returns the one of {@code shapes} whose aspect ratio is nearest, of two as near the larger. */
  static Shape nearest(List<Shape> shapes, int width, int height) {
    return shapes.stream()
        .min(
            Comparator.comparingDouble((Shape shape) -> shape.distance(width, height))
                .thenComparingInt(shape -> -shape.width() * shape.height()))
        .orElseThrow();
  }

  /** Returns how the shapes are told in a dataset's manifest. */
  @JsonValue
  @Override
  public String toString() {
    return step == 0 ? "none" : "step %d, aspect %s".formatted(step, maxAspect);
  }
}
