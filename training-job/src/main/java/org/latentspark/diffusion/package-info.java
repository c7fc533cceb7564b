/** Noise schedules, prediction types and samplers of diffusion models, framework apart. */
package org.latentspark.diffusion;
