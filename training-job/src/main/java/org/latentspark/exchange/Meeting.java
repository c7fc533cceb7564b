package org.latentspark.exchange;

/** Where the workers of a stage find each other. */
public interface Meeting {
  /**
   * Tells where a worker listens; returns where all do, by rank, once all have told.
   *
   * @param rank the worker
   */
  Address[] join(int rank, Address own);
}
