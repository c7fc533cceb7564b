package org.latentspark.image;

import org.latentspark.latents.Crop;

/**
 * An image as the encoder takes it.
 *
 * @param rgb [size, size, 3], one byte a value
 * @param size columns and rows
 * @param sourceWidth columns of the upright source image
 * @param sourceHeight rows of the upright source image
 * @param crop the part of the upright source image that is shown
 */
@SuppressWarnings("ArrayRecordComponent") // carried to the encoder, never compared
public record SquareImage(byte[] rgb, int size, int sourceWidth, int sourceHeight, Crop crop) {}
