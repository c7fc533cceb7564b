package org.latentspark.image;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * Tells addresses of the public internet from all others: a URL of a public dataset must not make
 * this cluster ask its own machines (server-side request forgery).
 */
final class PublicAddresses {
  private PublicAddresses() {}

  /**
   * Returns whether {@code address} is globally reachable, by IANA's special-purpose registries.
   */
  static boolean isPublic(InetAddress address) {
    if (address.isAnyLocalAddress()
        || address.isLoopbackAddress()
        || address.isLinkLocalAddress()
        || address.isSiteLocalAddress()
        || address.isMulticastAddress()) {
      return false;
    }
    byte[] bytes = address.getAddress();
    return address instanceof Inet4Address ? isPublic4(bytes) : isPublic6((Inet6Address) address);
  }

  private static boolean isPublic4(byte[] bytes) {
    int first = bytes[0] & 0xff;
    int second = bytes[1] & 0xff;
    int third = bytes[2] & 0xff;
    boolean special =
        first == 0
            || first == 10
            || first == 127
            || first >= 224
            || (first == 100 && second >= 64 && second < 128)
            || (first == 169 && second == 254)
            || (first == 172 && second >= 16 && second < 32)
            || (first == 192 && second == 168)
            || (first == 192 && second == 0 && (third == 0 || third == 2))
            || (first == 198 && (second == 18 || second == 19))
            || (first == 198 && second == 51 && third == 100)
            || (first == 203 && second == 0 && third == 113);
    return !special;
  }

  private static boolean isPublic6(Inet6Address address) {
    byte[] bytes = address.getAddress();
    int first = (bytes[0] & 0xff) << 8 | (bytes[1] & 0xff);
    int second = (bytes[2] & 0xff) << 8 | (bytes[3] & 0xff);
    if (first == 0x64 && second == 0xff9b) {
      return bytes[4] == 0 && bytes[5] == 0 && isPublicInside(bytes, 12);
    }
    if (first == 0x2002) {
      return isPublicInside(bytes, 2);
    }
    if (address.isIPv4CompatibleAddress()) {
      return false;
    }
    // Global unicast is 2000::/3; Teredo and documentation addresses lie inside it.
    return (first & 0xe000) == 0x2000
        && !(first == 0x2001 && second == 0)
        && !(first == 0x2001 && second == 0xdb8);
  }

  /** An IPv6 address that carries an IPv4 address (NAT64, 6to4) is as public as that one. */
  private static boolean isPublicInside(byte[] bytes, int offset) {
    try {
      return isPublic(InetAddress.getByAddress(Arrays.copyOfRange(bytes, offset, offset + 4)));
    } catch (UnknownHostException e) {
      throw new AssertionError("four bytes are an address", e);
    }
  }
}
