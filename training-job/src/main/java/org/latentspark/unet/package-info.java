/**
 * The noise-prediction U-Net of Stable Diffusion 1.x and 2.x, with diffusers' topology, parameter
 * names and {@code config.json}.
 */
package org.latentspark.unet;
