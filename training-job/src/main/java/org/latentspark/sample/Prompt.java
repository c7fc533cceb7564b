package org.latentspark.sample;

/**
 * A prompt as asked for.
 *
 * @param text what to draw
 * @param negative what to lead away from; "" for plain classifier-free guidance
 * @param seed of its first picture; null to derive it from the run's seed
 */
record Prompt(String text, String negative, Long seed) {}
