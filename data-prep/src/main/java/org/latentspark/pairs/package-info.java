/** Sources of image-text pairs: metadata, archives and folders, read through Spark. */
package org.latentspark.pairs;
