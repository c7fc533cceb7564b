package org.latentspark.filter;

import java.io.Serializable;
import org.latentspark.cli.Settings;

/** Why a pair was not encoded: the closed list. Each pair has at most one reason, the first met. */
public enum RejectReason implements Serializable {
  /** A source file is damaged or only the first part of one; what else it holds is not known. */
  UNREADABLE_SOURCE("source file is damaged"),
  /** A line of CSV or JSON is malformed. */
  BAD_ROW("line of a table is malformed"),
  /** An archive's entry is damaged, a link, or leads out of the archive; or a file's name does. */
  BAD_ENTRY("entry of an archive or folder refused"),
  /** The source stores images, and none for this pair: img2dataset could not fetch it. */
  MISSING_IMAGE("the source has no image for it"),
  /** The metadata has no URL. */
  MISSING_URL("no URL"),
  /** The URL is malformed or neither http nor https. */
  BAD_URL("URL is malformed, or neither http nor https"),
  /** The caption is null or blank. */
  EMPTY_CAPTION("no caption"),
  /** The caption has fewer characters than {@code filter.min-caption-length}. */
  SHORT_CAPTION("caption too short"),
  /** The caption has more characters than {@code filter.max-caption-length}. */
  LONG_CAPTION("caption too long"),
  /** The caption's language is none of {@code filter.languages}. */
  LANGUAGE("caption in another language"),
  /** The shorter side is below {@code filter.min-side}, by the metadata or by the image. */
  TOO_SMALL("image too small"),
  /**
   * The longer side is more than {@code filter.max-aspect-ratio} times the shorter, by the metadata
   * or by the image.
   */
  ASPECT_RATIO("image too long and narrow"),
  /** {@code punsafe} is above {@code filter.max-punsafe}, or the tag not in {@code filter.nsfw}. */
  UNSAFE("probably unsafe"),
  /** {@code pwatermark} is above {@code filter.max-pwatermark}. */
  WATERMARK("probably watermarked"),
  /** {@code similarity} is below {@code filter.min-similarity}. */
  LOW_SIMILARITY("caption does not fit image"),
  /** {@code aesthetic} is below {@code filter.min-aesthetic}. */
  LOW_AESTHETIC("rated as ugly"),
  /**
   * A score, tag or language that is asked for is null and {@code filter.null-scores} is reject.
   */
  MISSING_SCORE("a score, tag or language is null"),
  /** Another pair that passes the filter has the same URL and an earlier key. */
  DUPLICATE_URL("URL stands in an earlier pair"),
  /** The host's name does not resolve. */
  UNKNOWN_HOST("host unknown"),
  /** The host is a private, loopback, link-local or otherwise internal address. */
  PRIVATE_ADDRESS("address not public"),
  /** The server answers 404 or 410, or there is no such file. */
  NOT_FOUND("not found (404, 410, no file)"),
  /** The server answers 401, 403, 407 or 451. */
  FORBIDDEN("forbidden (401, 403, 407, 451)"),
  /** The server's X-Robots-Tag forbids this use ({@code fetch.robots-directives}). */
  OPTED_OUT("opted out by X-Robots-Tag"),
  /** The server answers with another status that is no success, also after the retries. */
  HTTP_ERROR("other HTTP status"),
  /** More redirects than {@code fetch.max-redirects}, or one that leads nowhere. */
  BAD_REDIRECT("redirects too often or nowhere"),
  /** The connection fails or breaks, also after the retries. */
  CONNECTION_FAILED("connection failed"),
  /** The image was not there within {@code fetch.deadline}. */
  TIMEOUT("deadline passed"),
  /** The file is larger than {@code fetch.max-bytes}. */
  TOO_LARGE("file too large"),
  /** The answer has no content. */
  EMPTY_FILE("file empty"),
  /** The content is no image, whatever its header says: HTML, text, anything. */
  NOT_AN_IMAGE("not an image"),
  /** An image in a format that is not decoded here, such as AVIF or SVG. */
  UNSUPPORTED_FORMAT("image format not supported"),
  /** The header's dimensions exceed {@code image.max-side} or {@code image.max-pixels}. */
  TOO_MANY_PIXELS("too many pixels"),
  /** The file ends before the image does. */
  TRUNCATED("image truncated"),
  /** The decoder refuses the image. */
  UNDECODABLE("image damaged"),
  /** Another encoded pair has the same image, byte for byte, and an earlier key. */
  DUPLICATE_CONTENT("image stands in an earlier pair"),
  /** Another encoded pair has nearly the same image and an earlier key. */
  NEAR_DUPLICATE("image much like an earlier pair's"),
  /** The encoders' output for the pair holds NaN or an infinity. */
  NOT_FINITE("encoding not finite");

  private final String meaning;

  RejectReason(String meaning) {
    this.meaning = meaning;
  }

  /** Returns the kebab-case name used in files and tables. */
  public String code() {
    return Settings.kebab(this);
  }

  /** Returns the reason with the name {@code code}. */
  public static RejectReason ofCode(String code) {
    for (RejectReason reason : values()) {
      if (reason.code().equals(code)) {
        return reason;
      }
    }
    throw new IllegalArgumentException("there is no reason " + code);
  }

  /** Returns a few words on what it means. */
  public String meaning() {
    return meaning;
  }

  /** Returns the rejection of a pair for this reason. */
  public Rejection because(String detail) {
    return new Rejection(this, detail);
  }
}
