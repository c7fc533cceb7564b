package org.latentspark.prep;

import java.util.Map;
import org.latentspark.filter.RejectReason;
import org.latentspark.latents.Manifest;
import org.latentspark.latents.Split;

/** The table at the end of a run: what became of the pairs that were read. */
final class AccountingTable {
  private AccountingTable() {}

  static String of(Manifest manifest) {
    Manifest.Accounting accounting = manifest.accounting();
    StringBuilder table = new StringBuilder();
    line(table, "read", accounting.read(), "");
    line(
        table,
        "encoded",
        accounting.encoded(),
        "%d train, %d validation"
            .formatted(manifest.rows(Split.TRAIN), manifest.rows(Split.VALIDATION)));
    line(table, "rejected", accounting.rejected(), "");
    for (Map.Entry<String, Long> reason : accounting.rejectedByReason().entrySet()) {
      line(
          table,
          "  " + reason.getKey(),
          reason.getValue(),
          RejectReason.ofCode(reason.getKey()).meaning());
    }
    return table.toString();
  }

  private static void line(StringBuilder table, String name, long count, String note) {
    table.append("%-22s %12d  %s".formatted(name, count, note).stripTrailing()).append('\n');
  }
}
