/** What a run tells TensorBoard: event files of scalars and pictures. */
package org.latentspark.events;
