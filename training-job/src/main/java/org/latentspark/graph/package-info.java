/** The bridge to Deeplearning4j: libtorch models as vertices on DL4J's flat parameter vector. */
package org.latentspark.graph;
