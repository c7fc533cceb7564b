package org.latentspark.image;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a server says in X-Robots-Tag of the use of its files, such as {@code noai} or {@code
 * googlebot: noindex}.
 *
 * @param directives those that are obeyed, in lower case; none of them ignores the header
 */
record RobotsTag(Set<String> directives) implements Serializable {
  /** Names under which a server addresses this program. */
  private static final Set<String> AGENTS = Set.of("latentspark", "*");

  static RobotsTag of(List<String> directives) {
    return new RobotsTag(
        directives.stream()
            .map(directive -> directive.strip().toLowerCase(Locale.ROOT))
            .collect(Collectors.toUnmodifiableSet()));
  }

  /** Returns the header's value if it forbids the use. */
  Optional<String> forbids(List<String> headers) {
    return headers.stream().filter(this::forbids).findFirst();
  }

  private boolean forbids(String header) {
    String[] parts = header.toLowerCase(Locale.ROOT).split(":", 2);
    boolean meant = parts.length == 1 || AGENTS.contains(parts[0].strip());
    String named = parts[parts.length - 1];
    return meant && List.of(named.split("[,\\s]+")).stream().anyMatch(directives::contains);
  }
}
