package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.latentspark.averaging.RoundReport;

class TestLossAlarm {
  private final LossAlarm alarm = new LossAlarm();
  private long round;

  @Test
  void spikeIsToldOnceWithItsRoundAndTheLossBefore() {
    for (int index = 0; index < 20; index++) {
      assertThat(look(index % 2 == 0 ? 0.5 : 0.52)).as("steady round %s", index).isEmpty();
    }
    assertThat(look(0.9))
        .hasValueSatisfying(
            text -> assertThat(text).contains("round 21 gave 0.9", "20 rounds before it 0.51"));
    assertThat(look(0.51)).as("the round after").isEmpty();
  }

  @Test
  void fallingLossAndNoiseAreNoSpikes() {
    for (int index = 0; index < 200; index++) {
      double noise = 1 + 0.1 * Math.sin(index * 12.9898);
      assertThat(look(noise / (1 + index * 0.05))).as("round %s", index).isEmpty();
    }
  }

  @Test
  void firstRoundsAreNotJudged() {
    assertThat(look(0.1)).isEmpty();
    assertThat(look(10)).isEmpty();
  }

  private Optional<String> look(double loss) {
    round++;
    return alarm.look(
        new RoundReport(round, round, round, loss, 1, 1e-3, 1, 0, 0, 0, 0, 0, 1, null, null));
  }
}
