package org.latentspark.exchange;

import java.util.concurrent.CountDownLatch;

/** Where workers that are threads of one process find each other. */
final class MeetingOfThreads implements Meeting {
  private final Address[] addresses;
  private final CountDownLatch missing;

  MeetingOfThreads(int workers) {
    addresses = new Address[workers];
    missing = new CountDownLatch(workers);
  }

  @Override
  public Address[] join(int rank, Address own) {
    addresses[rank] = own;
    missing.countDown();
    try {
      missing.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting for the others", e);
    }
    return addresses.clone();
  }
}
