package org.latentspark.sample;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * Lays pictures out in a grid with a caption under each; without captions on a machine that has no
 * fonts, as many a bare container.
 */
public final class ContactSheet {
  private static final int MARGIN = 8;
  private static final int MAX_LINES = 3;
  private static final Color BACKGROUND = Color.WHITE;
  private static final Color INK = new Color(0x20, 0x20, 0x20);

  private final int columns;
  private final int tile;
  private final Font font;

  /**
   * Prepares a sheet.
   *
   * @param columns pictures in a row
   * @param tile edge in pixels that the longer edge of each picture is scaled to
   */
  public ContactSheet(int columns, int tile) {
    if (columns < 1 || tile < 1) {
      throw new IllegalArgumentException(
          "columns = " + columns + ", tile = " + tile + ": both must be at least 1");
    }
    this.columns = columns;
    this.tile = tile;
    this.font = new Font(Font.SANS_SERIF, Font.PLAIN, Math.max(11, tile / 10));
  }

  /** Draws the sheet; {@code captions} has one text for each picture, wrapped to its width. */
  public BufferedImage draw(List<BufferedImage> pictures, List<String> captions) {
    if (pictures.size() != captions.size()) {
      throw new IllegalArgumentException(
          pictures.size() + " pictures and " + captions.size() + " captions");
    }
    FontMetrics metrics = metrics();
    List<List<String>> labels =
        captions.stream()
            .map(caption -> metrics == null ? List.<String>of() : wrap(caption, metrics))
            .toList();
    int lines = labels.stream().mapToInt(List::size).max().orElse(0);
    int cellWidth = tile + MARGIN;
    int labelHeight = metrics == null ? 0 : lines * metrics.getHeight();
    int cellHeight = tile + labelHeight + 2 * MARGIN;
    int rows = (pictures.size() + columns - 1) / columns;
    int used = Math.min(columns, Math.max(1, pictures.size()));
    BufferedImage sheet =
        new BufferedImage(
            used * cellWidth + MARGIN,
            Math.max(1, rows) * cellHeight + MARGIN,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = graphics(sheet);
    graphics.setColor(BACKGROUND);
    graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    for (int index = 0; index < pictures.size(); index++) {
      int left = MARGIN + index % columns * cellWidth;
      int top = MARGIN + index / columns * cellHeight;
      place(graphics, pictures.get(index), left, top);
      if (metrics != null) {
        write(graphics, labels.get(index), left, top + tile + MARGIN / 2);
      }
    }
    graphics.dispose();
    return sheet;
  }

  private void place(Graphics2D graphics, BufferedImage picture, int left, int top) {
    double factor = (double) tile / Math.max(picture.getWidth(), picture.getHeight());
    int width = (int) Math.round(picture.getWidth() * factor);
    int height = (int) Math.round(picture.getHeight() * factor);
    graphics.drawImage(
        picture, left + (tile - width) / 2, top + (tile - height) / 2, width, height, null);
  }

  private void write(Graphics2D graphics, List<String> lines, int left, int top) {
    FontMetrics metrics = graphics.getFontMetrics();
    graphics.setColor(INK);
    int baseline = top + metrics.getAscent();
    for (String line : lines) {
      graphics.drawString(line, left + (tile - metrics.stringWidth(line)) / 2, baseline);
      baseline += metrics.getHeight();
    }
  }

  private List<String> wrap(String caption, FontMetrics metrics) {
    List<String> lines = new ArrayList<>();
    String line = "";
    for (String word : caption.strip().split("\\s+", -1)) {
      String longer = line.isEmpty() ? word : line + " " + word;
      if (line.isEmpty() || metrics.stringWidth(longer) <= tile) {
        line = longer;
      } else if (lines.size() == MAX_LINES - 1) {
        line = line + " \u2026";
        break;
      } else {
        lines.add(line);
        line = word;
      }
    }
    lines.add(line);
    return lines.stream().map(text -> fit(text, metrics)).toList();
  }

  private String fit(String line, FontMetrics metrics) {
    String fitting = line;
    while (metrics.stringWidth(fitting) > tile && fitting.length() > 2) {
      String shorter =
          fitting.endsWith("\u2026") ? fitting.substring(0, fitting.length() - 1) : fitting;
      fitting = shorter.substring(0, shorter.offsetByCodePoints(shorter.length(), -1)) + "\u2026";
    }
    return fitting;
  }

  /** Returns the measures of the font, or null where Java finds no font. */
  private FontMetrics metrics() {
    Graphics2D graphics = graphics(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB));
    try {
      return graphics.getFontMetrics();
    } catch (RuntimeException | LinkageError | InternalError e) {
      // The error depends on what is missing: fontconfig, freetype, or every font file.
      return null;
    } finally {
      graphics.dispose();
    }
  }

  private Graphics2D graphics(BufferedImage image) {
    Graphics2D graphics = image.createGraphics();
    graphics.setFont(font);
    graphics.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    return graphics;
  }
}
