package org.latentspark.image;

import org.latentspark.latents.Crop;

/**
 * An image as the encoder takes it.
 *
 * @param rgb [height, width, 3], one byte a value
 * @param width columns
 * @param height rows
 * @param sourceWidth columns of the upright source image
 * @param sourceHeight rows of the upright source image
 * @param crop the part of the upright source image that is shown
 */
@SuppressWarnings("ArrayRecordComponent") // carried to the encoder, never compared
public record CroppedImage(
    byte[] rgb, int width, int height, int sourceWidth, int sourceHeight, Crop crop) {}
