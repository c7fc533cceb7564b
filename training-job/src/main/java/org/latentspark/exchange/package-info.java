/** The exchange among the workers of a stage: sums of their vectors, and who may take part. */
package org.latentspark.exchange;
