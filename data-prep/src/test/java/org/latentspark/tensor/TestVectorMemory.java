package org.latentspark.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestVectorMemory {
  /** More than a block, and no whole number of them. */
  private static final long COUNT = (1L << 20) + 7;

  @TempDir private Path folder;

  @Test
  void mappedVectorsAreZeroKeepTheirValuesAndLeaveNoFile() throws Exception {
    VectorMemory memory = new VectorMemory(folder.resolve("new/folder").toString());
    Tensor first = memory.zeros(COUNT);
    Tensor second = memory.zeros(COUNT);
    try (PointerScope scope = new PointerScope();
        var left = Files.list(folder.resolve("new/folder"))) {
      assertThat(left).as("files").isEmpty();
      assertThat(first.numel()).isEqualTo(COUNT);
      assertThat(first.sum().item_double()).isZero();
      first.add_(new Scalar(2));
      assertThat(first.sum().item_double()).isEqualTo(2.0 * COUNT);
      assertThat(second.sum().item_double()).as("another vector").isZero();
    } finally {
      first.releaseReference();
      second.releaseReference();
    }
  }

  @Test
  void residentVectorsAreZero() {
    Tensor vector = VectorMemory.RESIDENT.zeros(3);
    try (PointerScope scope = new PointerScope()) {
      assertThat(Tensors.floats(vector)).containsExactly(0, 0, 0);
    } finally {
      vector.releaseReference();
    }
  }

  @Test
  void folderThatCannotHoldAVectorIsNamed() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    assertThatThrownBy(() -> new VectorMemory(file.toString()).zeros(3))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(file + " has no room for a vector of 3 values");
  }
}
