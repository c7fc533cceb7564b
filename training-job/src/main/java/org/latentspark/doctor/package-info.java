/** Tells what a machine, a cluster or a store lacks before a job finds out. */
package org.latentspark.doctor;
