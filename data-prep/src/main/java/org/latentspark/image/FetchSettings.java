package org.latentspark.image;

import java.io.Serializable;
import java.time.Duration;
import org.latentspark.cli.Settings;

/**
 * How images are fetched.
 *
 * @param parallelism fetches in flight in each task
 * @param perHost connections to one host in each task
 * @param memory about the most bytes of files in flight in each task
 * @param connectTimeout longest wait for a connection
 * @param readTimeout longest silence of a server
 * @param deadline longest time for one pair, redirects, retries and pauses included
 * @param maxBytes largest file
 * @param maxRedirects most redirects to follow
 * @param retries further attempts after a broken connection or a status that may pass, such as 429
 *     or 503
 * @param backoff pause before the first retry; it doubles with each
 * @param nameLifetime how long the address of a host is remembered
 * @param robots what in X-Robots-Tag is obeyed
 * @param addresses which addresses may be asked
 * @param rewriteFrom prefix of URLs to replace, empty for none
 * @param rewriteTo what replaces it
 */
public record FetchSettings(
    int parallelism,
    int perHost,
    long memory,
    Duration connectTimeout,
    Duration readTimeout,
    Duration deadline,
    long maxBytes,
    int maxRedirects,
    int retries,
    Duration backoff,
    Duration nameLifetime,
    RobotsTag robots,
    Addresses addresses,
    String rewriteFrom,
    String rewriteTo)
    implements Serializable {

  /** Which addresses may be asked for an image. */
  public enum Addresses {
    /** Only those on the public internet. */
    PUBLIC,
    /** Also private, loopback and link-local ones. */
    ALL
  }

  /** Reads the keys {@code fetch.*}. */
  public static FetchSettings read(Settings settings) {
    return new FetchSettings(
        settings.integer("fetch.parallelism", 1, 10_000),
        settings.integer("fetch.per-host", 1, 10_000),
        memory(settings),
        positive(settings, "fetch.connect-timeout"),
        positive(settings, "fetch.read-timeout"),
        positive(settings, "fetch.deadline"),
        maxBytes(settings),
        settings.integer("fetch.max-redirects", 0, 20),
        settings.integer("fetch.retries", 0, 20),
        settings.duration("fetch.backoff"),
        settings.duration("fetch.name-lifetime"),
        RobotsTag.of(settings.strings("fetch.robots-directives")),
        settings.flag("fetch.allow-private-addresses") ? Addresses.ALL : Addresses.PUBLIC,
        settings.string("fetch.rewrite-from"),
        settings.string("fetch.rewrite-to"));
  }

  private static Duration positive(Settings settings, String key) {
    Duration duration = settings.duration(key);
    if (duration.isZero()) {
      settings.refuse(key, "must be longer than 0");
    }
    return duration;
  }

  private static long memory(Settings settings) {
    long bytes = settings.bytes("fetch.memory");
    if (bytes < 1 << 20) {
      settings.refuse("fetch.memory", "must be at least 1 MiB");
    }
    return bytes;
  }

  private static long maxBytes(Settings settings) {
    long bytes = settings.bytes("fetch.max-bytes");
    if (bytes < 1 || bytes > 1L << 30) {
      settings.refuse("fetch.max-bytes", "must be from 1 to 1 GiB");
    }
    return bytes;
  }

  /** Returns the address to ask for {@code url}. */
  String rewrite(String url) {
    return !rewriteFrom.isEmpty() && url.startsWith(rewriteFrom)
        ? rewriteTo + url.substring(rewriteFrom.length())
        : url;
  }
}
