package org.latentspark.pairs;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Reads URLs as they stand on the web, where half of the odd characters are not escaped. */
public final class ImageUrl {
  private static final String ILLEGAL = " \"<>\\^`{|}[]";

  private ImageUrl() {}

  /** Returns the http or https address in {@code url} in its escaped form, or nothing. */
  public static Optional<URI> parse(String url) {
    String text = url.strip();
    return parseStrictly(text).or(() -> parseStrictly(escape(text)));
  }

  /** Returns the address that a redirect from {@code base} names, or nothing. */
  public static Optional<URI> resolve(URI base, String location) {
    if (location.isBlank()) {
      return Optional.empty();
    }
    String text = location.strip();
    // As it stands, where it can be read so: an IPv6 address has brackets that must stay.
    return resolveStrictly(base, text).or(() -> resolveStrictly(base, escape(text)));
  }

  private static Optional<URI> resolveStrictly(URI base, String location) {
    try {
      return parse(base.resolve(location).toString());
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Optional<URI> parseStrictly(String url) {
    try {
      URI uri = new URI(new URI(url).toASCIIString());
      boolean web =
          "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
      return web && uri.getHost() != null ? Optional.of(uri) : Optional.empty();
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }

  private static String escape(String url) {
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < url.length(); i++) {
      char character = url.charAt(i);
      if (ILLEGAL.indexOf(character) >= 0
          || Character.isISOControl(character)
          || (character == '%' && !isEscape(url, i))) {
        for (byte octet : String.valueOf(character).getBytes(StandardCharsets.UTF_8)) {
          escaped.append("%%%02X".formatted(octet & 0xff));
        }
      } else {
        escaped.append(character);
      }
    }
    return escaped.toString();
  }

  private static boolean isEscape(String url, int at) {
    return at + 2 < url.length()
        && Character.digit(url.charAt(at + 1), 16) >= 0
        && Character.digit(url.charAt(at + 2), 16) >= 0;
  }
}
