/**
 * The one place that knows libtorch's memory: flat parameter vectors, precision, random streams,
 * safetensors.
 */
package org.latentspark.tensor;
