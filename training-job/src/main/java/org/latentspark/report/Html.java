package org.latentspark.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Locale;

/** Writes text, numbers and tables as HTML. */
final class Html {
  private static final MathContext FOUR_DIGITS = new MathContext(4);
  private static final int LONGEST_TEXT = 400;

  private Html() {}

  /** Returns text that means itself in HTML, in elements and in quoted attributes. */
  static String text(Object value) {
    String text = String.valueOf(value);
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(
            point -> {
              switch (point) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(visible(point) ? point : 0xfffd);
              }
            });
    return escaped.toString();
  }

  private static boolean visible(int point) {
    return point == '\n' || point == '\t' || !Character.isISOControl(point);
  }

  /** Returns text of unknown length and direction, cut to what a person reads. */
  static String excerpt(String text) {
    boolean whole = text.codePointCount(0, text.length()) <= LONGEST_TEXT;
    String shown = whole ? text : text.substring(0, text.offsetByCodePoints(0, LONGEST_TEXT)) + "…";
    return "<bdi>" + text(shown) + "</bdi>";
  }

  /** Returns a number with three or four significant digits. */
  static String number(double value) {
    if (!Double.isFinite(value)) {
      return "–";
    }
    double size = Math.abs(value);
    if (size >= 100) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    if (size >= 1 || size == 0) {
      return String.format(Locale.ROOT, size >= 10 ? "%.1f" : "%.2f", value);
    }
    if (size >= 1e-4) {
      return new BigDecimal(value).round(FOUR_DIGITS).stripTrailingZeros().toPlainString();
    }
    return String.format(Locale.ROOT, "%.2e", value);
  }

  /** Returns a share as percent, to the tenth where little is there, or little is missing. */
  static String percent(double share) {
    if (!Double.isFinite(share)) {
      return "–";
    }
    boolean fine = Math.abs(share) < 0.1 || share > 0.9 && share < 1;
    return String.format(Locale.ROOT, fine ? "%.1f %%" : "%.0f %%", 100 * share);
  }

  /**
   * Returns a table. All cells are HTML, columns whose heading starts with # hold numbers, and a
   * row of one cell takes the whole width.
   */
  static String table(List<String> headings, List<List<String>> rows) {
    StringBuilder table = new StringBuilder("<div class=\"scroll\"><table><thead><tr>");
    for (String heading : headings) {
      String shown = heading.startsWith("#") ? heading.substring(1) : heading;
      table.append("<th").append(kind(heading)).append('>').append(text(shown)).append("</th>");
    }
    table.append("</tr></thead><tbody>");
    for (List<String> row : rows) {
      table.append("<tr>");
      if (row.size() == 1 && headings.size() > 1) {
        table
            .append("<td colspan=\"")
            .append(headings.size())
            .append("\">")
            .append(row.get(0))
            .append("</td></tr>\n");
        continue;
      }
      for (int i = 0; i < row.size(); i++) {
        table.append("<td").append(kind(headings.get(i))).append('>').append(row.get(i));
        table.append("</td>");
      }
      table.append("</tr>\n");
    }
    return table.append("</tbody></table></div>\n").toString();
  }

  private static String kind(String heading) {
    return heading.startsWith("#") ? " class=\"number\"" : "";
  }
}
