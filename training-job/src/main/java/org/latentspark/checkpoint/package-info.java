/** A run's state on disk, in the layout that diffusers loads, visible only when complete. */
package org.latentspark.checkpoint;
