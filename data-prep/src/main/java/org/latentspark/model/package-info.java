/**
 * Layers, the autoencoder, CLIP and its tokenizer, and model directories in the published layouts.
 */
package org.latentspark.model;
