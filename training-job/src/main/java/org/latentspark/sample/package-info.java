/** Pictures from a checkpoint: the verb {@code sample}, and its core for the trainer's grids. */
package org.latentspark.sample;
