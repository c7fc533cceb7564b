/** The command line of every verb: configuration, exit codes, help and progress. */
package org.latentspark.cli;
