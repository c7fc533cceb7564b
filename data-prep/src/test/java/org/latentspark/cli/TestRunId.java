package org.latentspark.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class TestRunId {
  @Test
  void isOfTimeAndChanceAndTheSameThroughoutAProcess() {
    assertThat(RunId.of(Map.of())).matches("\\d{8}T\\d{6}Z-[0-9a-f]{8}");
    assertThat(RunId.of(Map.of())).isNotEqualTo(RunId.of(Map.of()));
    assertThat(RunId.here()).isEqualTo(RunId.here());
  }

  @Test
  void isThatOfTheSchedulerWhereItGivesOne() {
    String airflow = "scheduled__2026-11-23T02:00:00+00:00";
    assertThat(RunId.of(Map.of(RunId.VARIABLE, airflow))).isEqualTo(airflow);
    assertThatThrownBy(() -> RunId.of(Map.of(RunId.VARIABLE, "a b\n{}")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("must be at most 200 letters, digits");
  }
}
