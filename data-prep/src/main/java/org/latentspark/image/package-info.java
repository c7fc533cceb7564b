/** From a URL to a square of pixels: fetch, check, decode, crop and resize. */
package org.latentspark.image;
