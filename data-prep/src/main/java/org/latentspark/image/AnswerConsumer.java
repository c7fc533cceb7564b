package org.latentspark.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncResponseConsumer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;

/**
 * Collects an answer; hangs up as soon as it is more than allowed, and makes the server wait while
 * there is no memory for it.
 */
final class AnswerConsumer implements AsyncResponseConsumer<Answer> {
  /** How much may arrive of a body that has no place between two looks at its share. */
  static final int WINDOW = 64 << 10;

  /** What is read of an error page, so that its connection can serve again. */
  private static final int ERROR_PAGE_BYTES = 16 << 10;

  private final long maxBytes;
  private final RobotsTag robots;
  private final BodyMemory memory;
  private final CompletableFuture<Answer> answer = new CompletableFuture<>();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private FutureCallback<Answer> callback;
  private int status;
  private String location = "";
  private BodyMemory.Claim claim;
  private boolean closed;

  AnswerConsumer(long maxBytes, RobotsTag robots, BodyMemory memory) {
    this.maxBytes = maxBytes;
    this.robots = robots;
    this.memory = memory;
  }

  /** Returns the answer to come. */
  CompletableFuture<Answer> answer() {
    return answer;
  }

  @Override
  public void consumeResponse(
      HttpResponse response,
      EntityDetails entity,
      HttpContext context,
      FutureCallback<Answer> resultCallback)
      throws IOException {
    callback = resultCallback;
    status = response.getCode();
    Header redirect = response.getFirstHeader(HttpHeaders.LOCATION);
    location = redirect == null || redirect.getValue() == null ? "" : redirect.getValue();
    if (isFile()) {
      requireWanted(response, entity);
    }
    if (entity == null) {
      complete();
    }
  }

  private boolean isFile() {
    return status / 100 == 2;
  }

  private void requireWanted(HttpResponse response, EntityDetails entity) throws IOException {
    List<String> tags =
        Arrays.stream(response.getHeaders("X-Robots-Tag"))
            .map(header -> String.valueOf(header.getValue()))
            .toList();
    String forbidding = robots.forbids(tags).orElse(null);
    if (forbidding != null) {
      hangUp(new RejectedException(RejectReason.OPTED_OUT, "X-Robots-Tag: " + forbidding));
    }
    if (entity != null && entity.getContentLength() > maxBytes) {
      hangUp(tooLarge("content-length " + entity.getContentLength()));
    }
  }

  @Override
  public void informationResponse(HttpResponse response, HttpContext context) {
    // Such as 103, early hints.
  }

  @Override
  public synchronized void updateCapacity(CapacityChannel channel) throws IOException {
    if (body.size() + WINDOW <= memory.share()) {
      channel.update(WINDOW);
    } else if (claim == null && !closed) {
      claim = memory.claim(() -> takeTheRest(channel));
    }
  }

  /** With a place of its own, a body need not stop again. */
  private static void takeTheRest(CapacityChannel channel) {
    try {
      channel.update(Integer.MAX_VALUE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void consume(ByteBuffer source) throws IOException {
    if (body.size() + (long) source.remaining() > (isFile() ? maxBytes : ERROR_PAGE_BYTES)) {
      if (isFile()) {
        hangUp(tooLarge("more bytes came"));
      }
      answer.complete(new Answer(status, location, new byte[0]));
      throw new IOException("hung up");
    }
    byte[] chunk = new byte[source.remaining()];
    source.get(chunk);
    body.writeBytes(chunk);
  }

  @Override
  public void streamEnd(List<? extends Header> trailers) {
    complete();
  }

  private void complete() {
    Answer whole = new Answer(status, location, isFile() ? body.toByteArray() : new byte[0]);
    answer.complete(whole);
    callback.completed(whole);
  }

  @Override
  public void failed(Exception cause) {
    answer.completeExceptionally(cause);
  }

  @Override
  public void releaseResources() {
    body.reset();
  }

  /** Gives back the memory, once the file is used. */
  synchronized void close() {
    closed = true;
    if (claim != null) {
      claim.close();
    }
  }

  private RejectedException tooLarge(String detail) {
    return new RejectedException(RejectReason.TOO_LARGE, detail + ", most is " + maxBytes);
  }

  private void hangUp(RejectedException why) throws IOException {
    answer.completeExceptionally(why);
    throw new IOException(why);
  }
}
