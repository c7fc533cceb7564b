/** Sources of image-text pairs: LAION-style metadata, read through Spark. */
package org.latentspark.pairs;
