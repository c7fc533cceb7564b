package org.latentspark.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.latentspark.latents.LatentDataset;
import org.latentspark.latents.Split;
import org.latentspark.tensor.Natives;
import org.latentspark.tensor.Tensors;

class TestLatentRows {
  @TempDir private Path folder;

  @Test
  void workersShareTheRowsInTheOrderOfTheKeys() throws Exception {
    LatentDataset dataset = dataset(7, 2);
    List<String> first = keys(dataset, Split.TRAIN, 0, 2);
    List<String> second = keys(dataset, Split.TRAIN, 1, 2);
    assertThat(first).containsExactly("key-0002", "key-0004", "key-0006", "key-0008");
    assertThat(second).containsExactly("key-0003", "key-0005", "key-0007");
    assertThat(keys(dataset, Split.VALIDATION, 0, 1)).containsExactly("key-0000", "key-0001");
  }

  @Test
  void theShareIsThatOfTheFirstRowsByKey() throws Exception {
    Natives.load();
    LatentDataset dataset = dataset(7, 2);
    try (LatentRows rows = LatentRows.share(dataset, Split.TRAIN, 0, 2, 3, new DamageBudget(0))) {
      assertThat(rows.keys()).containsExactly("key-0002", "key-0004");
    }
  }

  @Test
  void workerWithoutHeldOutRowsHasNone() throws Exception {
    assertThat(keys(dataset(4, 1), Split.VALIDATION, 1, 2)).isEmpty();
  }

  @Test
  void posteriorAndTextAreTheRows() throws Exception {
    Natives.load();
    LatentDataset dataset = dataset(6, 0);
    try (LatentRows rows = share(dataset, Split.TRAIN, 0, 1);
        PointerScope scope = new PointerScope()) {
      LatentBatch one = rows.batch(5);
      assertThat(Tensors.sizes(one.mean())).containsExactly(1, 2, 4, 4);
      assertThat(Tensors.floats(one.std())).usingComparatorWithPrecision(1e-4f).containsOnly(0.1f);
      assertThat(Tensors.sizes(one.text())).containsExactly(1, 5, 12);
      assertThat(Tensors.doubles(one.ends())).containsExactly(2);
      LatentBatch sameKind = rows.batch(1);
      LatentBatch otherKind = rows.batch(2);
      assertThat(Tensors.floats(one.text()))
          .containsExactly(Tensors.floats(sameKind.text()))
          .isNotEqualTo(Tensors.floats(otherKind.text()));
      assertThat(Tensors.floats(one.mean())).isNotEqualTo(Tensors.floats(sameKind.mean()));
    }
  }

  private LatentDataset dataset(int trainRows, int validationRows) throws IOException {
    TinyDataset.write(folder, trainRows, validationRows, 5);
    return LatentDataset.open(new org.apache.hadoop.fs.Path(folder.toUri()), new Configuration());
  }

  private static LatentRows share(LatentDataset dataset, Split split, int rank, int workers) {
    return LatentRows.share(dataset, split, rank, workers, Long.MAX_VALUE, new DamageBudget(0));
  }

  private static List<String> keys(LatentDataset dataset, Split split, int rank, int workers)
      throws IOException {
    Natives.load();
    try (LatentRows rows = share(dataset, split, rank, workers)) {
      assertThat(rows.count()).isEqualTo(rows.keys().size());
      return new ArrayList<>(rows.keys());
    }
  }
}
