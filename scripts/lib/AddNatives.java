import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.Set;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * Adds the native libraries on a class path to an application jar, without decompressing them.
 *
 * <p>Run by the build: {@code java AddNatives.java APP_JAR CLASS_PATH}.
 */
final class AddNatives {
  private AddNatives() {}

  public static void main(String[] arguments) throws IOException {
    Path application = Path.of(arguments[0]);
    Path merged = application.resolveSibling(application.getFileName() + ".part");
    try (ZipArchiveOutputStream out = new ZipArchiveOutputStream(merged)) {
      out.setUseZip64(Zip64Mode.AsNeeded);
      Set<String> added = new HashSet<>();
      copy(application, out, added);
      for (String element : arguments[1].split(File.pathSeparator)) {
        if (element.matches(".*-linux-x86_64[^/]*\\.jar")) {
          copy(Path.of(element), out, added);
        }
      }
    }
    Files.move(merged, application, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void copy(Path jar, ZipArchiveOutputStream out, Set<String> added)
      throws IOException {
    try (ZipFile in = ZipFile.builder().setPath(jar).get()) {
      Enumeration<ZipArchiveEntry> entries = in.getEntriesInPhysicalOrder();
      while (entries.hasMoreElements()) {
        ZipArchiveEntry entry = entries.nextElement();
        if (isNeeded(entry.getName()) && added.add(entry.getName())) {
          out.addRawArchiveEntry(entry, in.getRawInputStream(entry));
        }
      }
    }
  }

  /** Leaves out what only developers of the libraries need. */
  private static boolean isNeeded(String name) {
    return !name.startsWith("META-INF/native-image/")
        && !name.matches("org/bytedeco/.*/linux-x86_64[^/]*/(python|share|include)/.*")
        && !name.matches("org/bytedeco/.*\\.cpp");
  }
}
