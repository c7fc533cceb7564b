package org.latentspark.prep;

import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3ClientBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** A real S3 server, s3proxy, in a process of its own, with one bucket. */
public final class S3Server implements AutoCloseable {
  /** The bucket that is there from the start. */
  public static final String BUCKET = "latents";

  // None of them has a word in it by which Spark would hide it.
  private static final String ACCESS_KEY = "AKIAPLANTED7LATENTS5";
  private static final String SECRET_KEY = "wJalrPlantedUtnFEMIK7MDENGbPxRfiCYLATENTS";
  private static final String SESSION = "FwoGZXIvYXdzPlantedEBYaDLATENTS";
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final Path CLASS_PATH = Path.of("target", "s3proxy.classpath");

  private final Process process;
  private final String endpoint;

  private S3Server(Process process, String endpoint) {
    this.process = process;
    this.endpoint = endpoint;
  }

  /** Starts a server that keeps its objects, its configuration and its log in {@code folder}. */
  public static S3Server start(Path folder) throws Exception {
    int port = freePort();
    String endpoint = "http://127.0.0.1:" + port;
    Path properties = folder.resolve("s3proxy.properties");
    // The header that it does not know is that of the session token.
    Files.writeString(
        properties,
        """
        s3proxy.endpoint=%s
        s3proxy.authorization=aws-v2-or-v4
        s3proxy.identity=%s
        s3proxy.credential=%s
        s3proxy.ignore-unknown-headers=true
        jclouds.provider=filesystem-nio2
        jclouds.identity=%2$s
        jclouds.credential=%3$s
        jclouds.filesystem.basedir=%s
        """
            .formatted(
                endpoint,
                ACCESS_KEY,
                SECRET_KEY,
                Files.createDirectories(folder.resolve("objects"))));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                classPath(),
                "org.gaul.s3proxy.Main",
                "--properties",
                properties.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("s3proxy.log").toFile())
            .start();
    S3Server server = new S3Server(process, endpoint);
    server.awaitPort(port);
    server.client().createBucket(BUCKET);
    return server;
  }

  /** Maven names the jars once, and gets them where they are missing. */
  private static String classPath() throws Exception {
    if (!Files.exists(CLASS_PATH)) {
      Process maven =
          new ProcessBuilder(
                  "mvn",
                  "-B",
                  "-q",
                  "-f",
                  Path.of("..", "data-prep", "src", "test", "s3proxy", "pom.xml").toString(),
                  "dependency:build-classpath",
                  "-Dmdep.outputFile=" + CLASS_PATH.toAbsolutePath())
              .inheritIO()
              .start();
      if (!maven.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS) || maven.exitValue() != 0) {
        maven.destroyForcibly();
        throw new IOException("Maven found no s3proxy");
      }
    }
    return Files.readString(CLASS_PATH).strip();
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void awaitPort(int port) throws Exception {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        return;
      } catch (IOException e) {
        if (!process.isAlive() || System.nanoTime() > deadline) {
          throw new IOException("s3proxy does not answer", e);
        }
        Thread.sleep(50);
      }
    }
  }

  /** Returns Amazon's own client of the server. */
  AmazonS3 client() {
    return AmazonS3ClientBuilder.standard()
        .withEndpointConfiguration(new EndpointConfiguration(endpoint, "us-east-1"))
        .withPathStyleAccessEnabled(true)
        .withCredentials(
            new AWSStaticCredentialsProvider(new BasicAWSCredentials(ACCESS_KEY, SECRET_KEY)))
        .build();
  }

  /** Returns what must not be seen anywhere: access key, secret key, session token. */
  public static List<String> secrets() {
    return List.of(ACCESS_KEY, SECRET_KEY, SESSION);
  }

  /** Returns the Hadoop settings with which s3a finds the server. */
  Map<String, String> settings() {
    return new TreeMap<>(
        Map.of(
            "fs.s3a.endpoint",
            endpoint,
            "fs.s3a.endpoint.region",
            "us-east-1",
            "fs.s3a.path.style.access",
            "true",
            "fs.s3a.connection.ssl.enabled",
            "false",
            "fs.s3a.access.key",
            ACCESS_KEY,
            "fs.s3a.secret.key",
            SECRET_KEY,
            "fs.s3a.session.token",
            SESSION,
            "fs.s3a.aws.credentials.provider",
            "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider"));
  }

  /** Returns the same as Hadoop's configuration. */
  public Configuration configuration() {
    Configuration configuration = new Configuration();
    settings().forEach(configuration::set);
    return configuration;
  }

  /** Returns the settings as options of a JVM that runs Spark. */
  public List<String> options() {
    return settings().entrySet().stream()
        .map(entry -> "-Dspark.hadoop." + entry.getKey() + "=" + entry.getValue())
        .toList();
  }

  /** Ends the server, and lets Hadoop forget it: the next one has another address. */
  @Override
  public void close() throws IOException {
    FileSystem.get(URI.create("s3a://" + BUCKET), configuration()).close();
    process.destroyForcibly().onExit().join();
  }
}
