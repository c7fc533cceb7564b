package org.latentspark.retrain;

/**
 * How a night ended.
 *
 * @param outcome {@code promoted}, {@code kept}, {@code nothing-new}, {@code rolled-back} or {@code
 *     failed}
 * @param models directory of the registry
 * @param model id of the model that it is about; null for none
 * @param promoted id of the model in use; null for none
 * @param reason one sentence
 */
record Outcome(String outcome, String models, String model, String promoted, String reason) {
  static Outcome failed(String models, Exception failure) {
    return new Outcome(
        "failed", models, null, null, failure.getClass().getSimpleName() + "; see the job's log");
  }

  String told() {
    return switch (outcome) {
      case "promoted" -> "Promoted " + model + ": " + reason;
      case "kept" -> "Kept " + promoted + " in use, not " + model + ": " + reason;
      case "rolled-back" -> "Back to " + promoted + ": " + reason;
      default -> reason;
    };
  }
}
