package org.latentspark.sample;

import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.latentspark.tensor.Seeds;

/**
 * One picture of a run: what it shows and where it lies follows from its number alone.
 *
 * @param number from 0, prompt by prompt
 * @param promptIndex row of its prompt, from 0
 * @param sample which picture of the prompt, from 0
 * @param prompt the prompt
 * @param seed of its noise
 */
record Picture(long number, long promptIndex, int sample, Prompt prompt, long seed) {
  /** Pictures in a folder: object stores and name nodes list thousands at once, not millions. */
  static final int FOLDER = 1000;

  private static final int LONGEST_NAME = 40;
  private static final Pattern NAME = Pattern.compile("(\\d{7,})(-.*)?\\.png");

  /**
   * Returns picture {@code number}. A prompt's own seed is that of its first picture, so that a
   * seed read from a record draws that picture again.
   */
  static Picture of(long number, int picturesPerPrompt, Prompt prompt, long runSeed) {
    long index = number / picturesPerPrompt;
    int sample = (int) (number % picturesPerPrompt);
    long seed;
    if (prompt.seed() == null) {
      seed = Seeds.derive(runSeed, index, sample);
    } else {
      seed = sample == 0 ? prompt.seed() : Seeds.derive(prompt.seed(), sample);
    }
    return new Picture(number, index, sample, prompt, seed & Long.MAX_VALUE);
  }

  /** Returns its place under the output, such as {@code pictures/00000/0000003-red-apple.png}. */
  String file() {
    String words = prompt.text().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    String name = words.substring(0, Math.min(words.length(), LONGEST_NAME));
    String numbered = String.format(Locale.ROOT, "%07d-%s", number, name);
    return folder(number) + "/" + numbered.replaceAll("-+$", "") + ".png";
  }

  /** Returns the folder under the output that holds picture {@code number}. */
  static String folder(long number) {
    return String.format(Locale.ROOT, "pictures/%05d", number / FOLDER);
  }

  /** Returns the number of the picture in a file of this name; nothing for any other file. */
  static OptionalLong number(String fileName) {
    Matcher name = NAME.matcher(fileName);
    return name.matches() ? OptionalLong.of(Long.parseLong(name.group(1))) : OptionalLong.empty();
  }
}
