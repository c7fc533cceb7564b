package org.latentspark.averaging;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.latentspark.tensor.Parameter;

/** What AdamW's weight decay pulls towards 0. */
public enum Decay {
  /** Every parameter, as PyTorch does unless it is told otherwise. */
  ALL,
  /** Matrices and convolutions, and neither norms nor biases, which have one dimension. */
  MATRICES;

  /** Values of a flat vector from {@code start} to before {@code end}. */
  record Span(long start, long end) {}

  /** Returns the spans of a vector [count] that decay, in order; neighbours are one span. */
  List<Span> spans(long count, Collection<Parameter> parameters) {
    if (this == ALL) {
      return List.of(new Span(0, count));
    }
    List<Span> spans = new ArrayList<>();
    for (Parameter parameter : parameters) {
      if (parameter.shape().length < 2) {
        continue;
      }
      long start = parameter.offset();
      int last = spans.size() - 1;
      if (last >= 0 && spans.get(last).end() == start) {
        start = spans.remove(last).start();
      }
      spans.add(new Span(start, parameter.offset() + parameter.count()));
    }
    return spans;
  }
}
