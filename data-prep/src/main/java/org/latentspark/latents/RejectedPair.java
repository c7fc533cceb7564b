package org.latentspark.latents;

/**
 * One row of {@code rejected/}: a pair that was read and not encoded.
 *
 * @param key stable identity of the pair; rows that repeat a pair share it
 * @param url as the metadata has it, may be null
 * @param caption as the metadata has it, may be null
 * @param reason code from the closed list of reasons
 * @param detail what was found, for a person to read; may be null
 */
public record RejectedPair(String key, String url, String caption, String reason, String detail) {}
