/** Parameter averaging among resident workers: training master, worker, the two optimizers. */
package org.latentspark.averaging;
