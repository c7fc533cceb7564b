package org.latentspark.image;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.hc.client5.http.DnsResolver;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;

/**
 * Resolves names, remembers the answers for a while, and refuses addresses that may not be asked.
 *
 * <p>The HTTP client connects to the addresses that this returns and to no others. So what is
 * checked is what is connected to, and a name that changes its address in between (DNS rebinding)
 * gains nothing.
 */
final class HostAddresses implements DnsResolver {
  private static final int MAX_HOSTS = 65_536;

  /** The resolver's own words for a failure that may pass, such as a name server that is busy. */
  private static final String TEMPORARY = "Temporary failure";

  private final Lookup lookup;
  private final Predicate<InetAddress> allowed;
  private final long lifetimeNanos;
  private final Map<String, Answer> answers =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Answer> eldest) {
          return size() > MAX_HOSTS;
        }
      };

  /** How names are resolved; blocks. */
  interface Lookup {
    InetAddress[] addresses(String host) throws UnknownHostException;
  }

  /** Addresses, or else the failure. */
  @SuppressWarnings("ArrayRecordComponent") // as the resolver gives them, never compared
  private record Answer(InetAddress[] addresses, UnknownHostException failure, long until) {}

  HostAddresses(Lookup lookup, Predicate<InetAddress> allowed, Duration lifetime) {
    this.lookup = lookup;
    this.allowed = allowed;
    this.lifetimeNanos = lifetime.toNanos();
  }

  /** Resolves {@code host} before a request to it, so that {@link #resolve} need not wait. */
  void prepare(String host) throws UnknownHostException {
    Answer known = known(host);
    if (known == null || System.nanoTime() - known.until() >= 0) {
      known = ask(host);
    }
    checked(host, known);
  }

  /**
   * Returns the addresses to connect to.
   *
   * @throws RejectedException if one of them may not be asked
   */
  @Override
  public InetAddress[] resolve(String host) throws UnknownHostException {
    Answer known = known(host);
    return checked(host, known == null ? ask(host) : known);
  }

  @Override
  public String resolveCanonicalHostname(String host) {
    return host;
  }

  /** Returns whether another attempt may better {@code failure}. */
  static boolean mayHeal(UnknownHostException failure) {
    return failure.getMessage() != null && failure.getMessage().contains(TEMPORARY);
  }

  private Answer known(String host) {
    synchronized (answers) {
      return answers.get(host);
    }
  }

  private Answer ask(String host) {
    Answer answer;
    long until = System.nanoTime() + lifetimeNanos;
    try {
      answer = new Answer(lookup.addresses(host), null, until);
    } catch (UnknownHostException e) {
      answer = new Answer(null, e, until);
    }
    if (answer.failure() == null || !mayHeal(answer.failure())) {
      synchronized (answers) {
        answers.put(host, answer);
      }
    }
    return answer;
  }

  private InetAddress[] checked(String host, Answer answer) throws UnknownHostException {
    if (answer.failure() != null) {
      throw answer.failure();
    }
    for (InetAddress address : answer.addresses()) {
      if (!allowed.test(address)) {
        throw new RejectedException(
            RejectReason.PRIVATE_ADDRESS, host + " is " + address.getHostAddress());
      }
    }
    return answer.addresses();
  }
}
