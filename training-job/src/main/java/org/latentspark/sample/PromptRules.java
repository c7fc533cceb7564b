package org.latentspark.sample;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.latentspark.cli.InputException;
import org.latentspark.latents.Digests;

/** Checks all prompts of a run before any is drawn, counts them and takes their fingerprint. */
final class PromptRules {
  /** CLIP reads 77 tokens, some 400 characters; more is no prompt but another column. */
  static final int LONGEST = 2000;

  private static final int TOLD = 10;

  private final MessageDigest digest = Digests.sha256();
  private final List<String> problems = new ArrayList<>();
  private long count;
  private long refused;

  /** Takes a prompt and where it stands. */
  void accept(Prompt prompt, String place) {
    count++;
    check(prompt.text(), "prompt", place);
    if (!prompt.negative().isEmpty()) {
      check(prompt.negative(), "negative prompt", place);
    }
    if (prompt.seed() != null && prompt.seed() < 0) {
      refuse(place + ": seed = " + prompt.seed() + ": must be at least 0");
    }
    for (String part :
        List.of(prompt.text(), prompt.negative(), String.valueOf(prompt.seed()), "")) {
      digest.update(part.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
  }

  private void check(String text, String what, String place) {
    if (text.isBlank()) {
      refuse(place + ": the " + what + " is empty");
    } else if (text.length() > LONGEST) {
      refuse(
          "%s: the %s has %d characters (\"%s...\"): must be at most %d"
              .formatted(place, what, text.length(), text.substring(0, 30), LONGEST));
    } else if (text.indexOf(0) >= 0) {
      refuse(place + ": the " + what + " holds a character of code 0");
    }
  }

  private void refuse(String problem) {
    refused++;
    if (problems.size() < TOLD) {
      problems.add(problem);
    }
  }

  /**
   * Returns the fingerprint of all prompts.
   *
   * @throws InputException naming the first that cannot be drawn, or when there is none
   */
  String finish() {
    if (refused > problems.size()) {
      problems.add("and " + (refused - problems.size()) + " more");
    }
    if (refused > 0) {
      throw new InputException(String.join("\n", problems));
    }
    if (count == 0) {
      throw new InputException("prompts-file holds no prompt");
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Returns how many prompts there are. */
  long count() {
    return count;
  }
}
