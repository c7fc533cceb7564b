/**
 * The encoded dataset: its format, its writer and its reader.
 *
 * <p>A dataset is a directory with {@code data/*.parquet}, {@code rejected/*.parquet} and {@code
 * manifest.json}. The manifest is written last; a directory without one is not a dataset.
 */
package org.latentspark.latents;
