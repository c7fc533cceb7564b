package org.latentspark.latents;

import java.io.Serializable;

/**
 * A finished data file.
 *
 * @param file its entry for the manifest
 * @param moments what its training rows add to the dataset's latent statistics
 */
public record WrittenFile(DataFile file, LatentMoments moments) implements Serializable {}
