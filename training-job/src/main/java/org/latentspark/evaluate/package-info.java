/** How good a checkpoint is on pairs it has not seen: the verb {@code evaluate}. */
package org.latentspark.evaluate;
