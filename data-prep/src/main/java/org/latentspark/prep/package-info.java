/** The job that turns metadata into an encoded dataset: filter, fetch, decode, encode, write. */
package org.latentspark.prep;
