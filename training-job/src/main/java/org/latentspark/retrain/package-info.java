/** The job that runs at night: new pairs, training on, judgement, promotion. */
package org.latentspark.retrain;
