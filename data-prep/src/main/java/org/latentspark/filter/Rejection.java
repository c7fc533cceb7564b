package org.latentspark.filter;

import java.io.Serializable;

/**
 * That a pair is not encoded, and why.
 *
 * @param reason from the closed list
 * @param detail what was found, for a person to read; may be null
 */
public record Rejection(RejectReason reason, String detail) implements Serializable {}
