package org.latentspark.averaging;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.network.client.RpcResponseCallback;
import org.junit.jupiter.api.Test;
import org.latentspark.exchange.Secret;

/** What workers say, as Spark's network layer hands it on. */
class TestRendezvous {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<String> heard = new ArrayList<>();
  private final List<String> answers = new ArrayList<>();

  @Test
  void keepingPassesOnTheReportsBeforeIt() throws Exception {
    try (Rendezvous rendezvous = rendezvous()) {
      say(rendezvous, Rendezvous.Kind.REPORT, report(1));
      say(rendezvous, Rendezvous.Kind.REPORT, report(2));
      assertThat(heard).isEmpty();
      say(rendezvous, Rendezvous.Kind.KEEP, null);
      assertThat(heard).containsExactly("round 1", "round 2", "keep");
      assertThat(answers).containsExactly("done", "done", "done");
    }
  }

  @Test
  void stageThatIsOverTellsNothingMore() throws Exception {
    Rendezvous rendezvous = rendezvous();
    say(rendezvous, Rendezvous.Kind.REPORT, report(1));
    rendezvous.close();
    say(rendezvous, Rendezvous.Kind.KEEP, null);
    assertThat(heard).isEmpty();
    assertThat(answers).containsExactly("done", "The stage is over");
  }

  private Rendezvous rendezvous() {
    RunListener listener =
        new RunListener() {
          @Override
          public void round(RoundReport report) {
            heard.add("round " + report.round());
          }

          @Override
          public void keep() {
            heard.add("keep");
          }
        };
    return new Rendezvous(1, Secret.draw(new SparkConf(false)), Duration.ofMinutes(1), listener);
  }

  private static RoundReport report(long round) {
    return new RoundReport(round, round, round, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, null, null, null);
  }

  private void say(Rendezvous rendezvous, Rendezvous.Kind kind, Object body) throws Exception {
    Rendezvous.Message message = new Rendezvous.Message(kind, 0, JSON.valueToTree(body));
    rendezvous.receive(
        null,
        ByteBuffer.wrap(JSON.writeValueAsBytes(message)),
        new RpcResponseCallback() {
          @Override
          public void onSuccess(ByteBuffer response) {
            answers.add("done");
          }

          @Override
          public void onFailure(Throwable failure) {
            answers.add(failure.getMessage());
          }
        });
  }
}
