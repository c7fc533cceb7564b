/** Decides which pairs are worth encoding, and counts each that is not under one reason. */
package org.latentspark.filter;
