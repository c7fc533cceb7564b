/** The whole path on the sample pairs, in one command. */
package org.latentspark.quickstart;
