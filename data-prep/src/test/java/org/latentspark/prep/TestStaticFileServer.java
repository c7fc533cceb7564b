package org.latentspark.prep;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestStaticFileServer {
  @TempDir Path folder;

  @Test
  void servesFilesOfTheFolder() throws Exception {
    Path root = Files.createDirectories(folder.resolve("root/images"));
    Files.writeString(root.resolve("a.txt"), "hello");
    Files.writeString(root.resolve("empty.txt"), "");
    try (StaticFileServer server = StaticFileServer.start(folder.resolve("root"), 0)) {
      try (var in = URI.create(server.url() + "images/a.txt").toURL().openStream()) {
        assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo("hello");
      }
      URI url = URI.create(server.url());
      assertThat(status(url, "/images/empty.txt")).contains(" 200 ");
      assertThat(status(url, "/images/b.txt")).contains(" 404 ");
      assertThat(status(url, "/images")).contains(" 404 ");
    }
  }

  @Test
  void servesNothingOutsideOfIt() throws Exception {
    Path root = Files.createDirectories(folder.resolve("root"));
    Path secret = Files.writeString(folder.resolve("secret.txt"), "secret");
    Files.createSymbolicLink(root.resolve("link.txt"), secret);
    try (StaticFileServer server = StaticFileServer.start(root, 0)) {
      URI url = URI.create(server.url());
      for (String path :
          new String[] {"/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/" + secret}) {
        assertThat(status(url, path)).as(path).doesNotContain(" 200 ");
      }
    }
  }

  /** Asks by hand: a client would tidy the path first. */
  private static String status(URI server, String path) throws Exception {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      String request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
          .readLine();
    }
  }
}
