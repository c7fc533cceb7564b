package org.latentspark.latents;

/**
 * The rectangle of the upright source image that was encoded, in source pixels.
 *
 * @param left columns cut off at the left
 * @param top rows cut off at the top
 * @param width columns kept
 * @param height rows kept
 */
public record Crop(int left, int top, int width, int height) {}
