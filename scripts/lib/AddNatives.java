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
 * Makes an application jar of a jar of classes and the native libraries on a class path, without
 * decompressing them. The jar appears only when complete.
 *
 * <p>Run by the build: {@code java AddNatives.java CLASSES_JAR APPLICATION_JAR CLASS_PATH}.
 */
final class AddNatives {
  private AddNatives() {}

  public static void main(String[] arguments) throws IOException {
    Path application = Path.of(arguments[1]);
    Path part = application.resolveSibling(application.getFileName() + ".part");
    try (ZipArchiveOutputStream out = new ZipArchiveOutputStream(part)) {
      out.setUseZip64(Zip64Mode.AsNeeded);
      Set<String> added = new HashSet<>();
      copy(Path.of(arguments[0]), out, added);
      for (String element : arguments[2].split(File.pathSeparator)) {
        if (element.matches(".*-linux-x86_64[^/]*\\.jar")) {
          copy(Path.of(element), out, added);
        }
      }
    }
    Files.move(part, application, StandardCopyOption.REPLACE_EXISTING);
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
