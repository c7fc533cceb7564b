package org.latentspark.sample;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/** Writes PNG files that say how they were drawn, in iTXt chunks (PNG specification, 11.3.4.5). */
final class PictureFile {
  private static final String FORMAT = "javax_imageio_png_1.0";

  private PictureFile() {}

  /** Returns a picture as PNG with the given texts by keyword, in their order. */
  static byte[] png(BufferedImage picture, Map<String, String> texts) throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
    try {
      IIOMetadata metadata = writer.getDefaultImageMetadata(new ImageTypeSpecifier(picture), null);
      IIOMetadataNode chunks = new IIOMetadataNode("iTXt");
      texts.forEach((keyword, text) -> chunks.appendChild(entry(keyword, text)));
      IIOMetadataNode root = new IIOMetadataNode(FORMAT);
      root.appendChild(chunks);
      metadata.mergeTree(FORMAT, root);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
        writer.setOutput(out);
        writer.write(new IIOImage(picture, null, metadata));
      }
      return bytes.toByteArray();
    } finally {
      writer.dispose();
    }
  }

  private static IIOMetadataNode entry(String keyword, String text) {
    IIOMetadataNode entry = new IIOMetadataNode("iTXtEntry");
    entry.setAttribute("keyword", keyword);
    entry.setAttribute("compressionFlag", "FALSE");
    entry.setAttribute("compressionMethod", "0");
    entry.setAttribute("languageTag", "");
    entry.setAttribute("translatedKeyword", "");
    entry.setAttribute("text", text);
    return entry;
  }
}
