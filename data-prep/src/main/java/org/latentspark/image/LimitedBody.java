package org.latentspark.image;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import org.latentspark.filter.RejectReason;
import org.latentspark.filter.RejectedException;

/** Collects a body, and hangs up as soon as it has more bytes than allowed. */
final class LimitedBody implements BodySubscriber<byte[]> {
  /** What is read of an error page, so that its connection can serve again. */
  private static final int ERROR_PAGE_BYTES = 16 << 10;

  private enum Kind {
    IMAGE,
    ERROR_PAGE
  }

  private final Kind kind;
  private final long limit;
  private final CompletableFuture<byte[]> body = new CompletableFuture<>();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private Subscription subscription;

  private LimitedBody(Kind kind, long limit) {
    this.kind = kind;
    this.limit = limit;
  }

  /** Returns a handler for images of up to {@code maxBytes}. */
  static BodyHandler<byte[]> handler(long maxBytes) {
    return response ->
        response.statusCode() / 100 == 2
            ? image(response, maxBytes)
            : new LimitedBody(Kind.ERROR_PAGE, ERROR_PAGE_BYTES);
  }

  private static LimitedBody image(ResponseInfo response, long maxBytes) {
    LimitedBody body = new LimitedBody(Kind.IMAGE, maxBytes);
    OptionalLong claimed = response.headers().firstValueAsLong("content-length");
    if (claimed.isPresent() && claimed.getAsLong() > maxBytes) {
      body.refuse("content-length %d".formatted(claimed.getAsLong()));
    }
    return body;
  }

  @Override
  public void onSubscribe(Subscription newSubscription) {
    subscription = newSubscription;
    if (body.isDone()) {
      subscription.cancel();
    } else {
      subscription.request(Long.MAX_VALUE);
    }
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    for (ByteBuffer buffer : buffers) {
      if (body.isDone()) {
        return;
      }
      if (bytes.size() + (long) buffer.remaining() > limit) {
        refuse("more bytes came");
        subscription.cancel();
        return;
      }
      byte[] chunk = new byte[buffer.remaining()];
      buffer.get(chunk);
      bytes.writeBytes(chunk);
    }
  }

  @Override
  public void onError(Throwable throwable) {
    body.completeExceptionally(throwable);
  }

  @Override
  public void onComplete() {
    body.complete(bytes.toByteArray());
  }

  @Override
  public CompletionStage<byte[]> getBody() {
    return body;
  }

  private void refuse(String detail) {
    if (kind == Kind.ERROR_PAGE) {
      body.complete(new byte[0]);
    } else {
      body.completeExceptionally(
          new RejectedException(RejectReason.TOO_LARGE, detail + ", most is " + limit));
    }
  }
}
