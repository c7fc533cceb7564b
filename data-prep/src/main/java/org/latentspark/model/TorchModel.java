package org.latentspark.model;

import org.latentspark.tensor.ParameterTable;

/** A model whose parameters lie in one flat vector and whose shape is its published config.json. */
public interface TorchModel {
  /** Returns the parameters under their published names. */
  ParameterTable parameters();

  /** Returns the text of the published {@code config.json}. */
  String configJson();
}
