package org.latentspark.pairs;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What is read of a table's columns, each known by several names in any case. */
enum MetadataField {
  URL("url", "image_url", "imageurl"),
  CAPTION("text", "caption", "txt", "top_caption", "alt_text"),
  WIDTH("width", "original_width", "image_width"),
  HEIGHT("height", "original_height", "image_height"),
  LANGUAGE("language", "lang"),
  NSFW("nsfw"),
  SIMILARITY("similarity", "clip_similarity", "clip_similarity_vitb32"),
  UNSAFE("punsafe", "p_unsafe"),
  WATERMARK("pwatermark", "p_watermark"),
  AESTHETIC("aesthetic", "aesthetic_score", "aesthetics_score", "aesthetic_score_laion_v2"),
  /** An image beside the table. */
  FILE("file_name", "filename", "image_path", "file_path"),
  /** The image itself; img2dataset calls it by its format. */
  IMAGE("jpg", "jpeg", "png", "webp", "image", "image_bytes", "img"),
  /** How img2dataset fared with the pair. */
  STATUS("status"),
  ERROR("error_message");

  @SuppressWarnings("ImmutableEnumChecker") // List.of
  private final List<String> aliases;

  MetadataField(String... aliases) {
    this.aliases = List.of(aliases);
  }

  List<String> aliases() {
    return aliases;
  }

  /** Returns the first of {@code present} by the order of the aliases, or nothing. */
  Optional<String> find(Collection<String> present) {
    for (String alias : aliases) {
      for (String column : present) {
        if (column.toLowerCase(Locale.ROOT).equals(alias)) {
          return Optional.of(column);
        }
      }
    }
    return Optional.empty();
  }
}
