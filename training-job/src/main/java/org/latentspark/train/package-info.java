/** The training verbs and their objectives: denoising, reconstruction, contrast. */
package org.latentspark.train;
