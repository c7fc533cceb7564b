package org.latentspark.image;

/**
 * What a server answered.
 *
 * @param status the code
 * @param location where it redirects to, empty for nowhere
 * @param body the file; empty unless the status is a success
 */
@SuppressWarnings("ArrayRecordComponent") // carried to the decoder, never compared
record Answer(int status, String location, byte[] body) {}
