/**
 * Parameter averaging among resident workers: training master, worker, collective, inner optimizer.
 */
package org.latentspark.averaging;
