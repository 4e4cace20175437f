//! Addresses and networks.

use std::net::IpAddr;
use std::sync::LazyLock;

/// A network: its first address as 128 bits (IPv4 in the last 32), and how many bits are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    bits: u128,
    prefix: u32,
    v6: bool,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone. Bits beyond the prefix do not matter: `10.1.2.3/8` is
    /// `10.0.0.0/8`. IPv4 addresses within IPv6 (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2) are the IPv4 addresses.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => {
                if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                (address, Some(prefix.parse::<u32>().ok()?))
            }
            None => (text, None),
        };
        let (bits, width, prefix) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32, prefix.unwrap_or(32)),
            IpAddr::V6(address) => {
                let prefix = prefix.unwrap_or(128);
                match address.to_ipv4_mapped() {
                    Some(inner) if (96..=128).contains(&prefix) => (u128::from(u32::from(inner)), 32, prefix - 96),
                    _ => (u128::from(address), 128, prefix),
                }
            }
        };
        if prefix > width {
            return None;
        }
        Some(Self { bits: bits & mask(width - prefix), prefix, v6: width == 128 })
    }

    fn free(self) -> u32 {
        (if self.v6 { 128 } else { 32 }) - self.prefix
    }

    /// Whether every address of `inner` is in this network. A network of IPv6 holds none of IPv4.
    pub fn contains(self, inner: Self) -> bool {
        self.v6 == inner.v6 && self.prefix <= inner.prefix && inner.bits & mask(self.free()) == self.bits
    }

    fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// Whether any address of this network can be reached from the internet: whether it is global unicast, and not in a
    /// block that the IANA special-purpose registries (RFC 6890) do not mark as globally reachable.
    pub fn is_public(self) -> bool {
        let Blocks { special_v4, reachable_v4, special_v6, reachable_v6, unicast, translated } = &*BLOCKS;
        if !self.v6 {
            // No two of the blocks that are beside each other make a larger one, but for the last, which is two.
            return !special_v4.iter().any(|block| block.contains(self))
                || reachable_v4.iter().any(|hole| hole.overlaps(self));
        }
        // IPv4 through a translator (RFC 6052): as the address within.
        if translated.iter().any(|block| block.overlaps(self)) {
            let bits = self.bits & u128::from(u32::MAX);
            return self.prefix < 96 || Self { bits, prefix: self.prefix - 96, v6: false }.is_public();
        }
        unicast.iter().any(|block| block.overlaps(self))
            && (!special_v6.iter().any(|block| block.contains(self))
                || reachable_v6.iter().any(|hole| hole.overlaps(self)))
    }
}

/// The bits that a network with so many free ones fixes.
fn mask(free: u32) -> u128 {
    u128::MAX.checked_shl(free).unwrap_or(0)
}

/// The blocks below, read.
struct Blocks {
    special_v4: Vec<Network>,
    reachable_v4: Vec<Network>,
    special_v6: Vec<Network>,
    reachable_v6: Vec<Network>,
    /// Global unicast of IPv6 (RFC 4291).
    unicast: Vec<Network>,
    /// IPv4 behind a translator (RFC 6052).
    translated: Vec<Network>,
}

static BLOCKS: LazyLock<Blocks> = LazyLock::new(|| {
    let of = |blocks: &[&str]| blocks.iter().filter_map(|block| Network::parse(block)).collect();
    Blocks {
        special_v4: of(SPECIAL_V4),
        reachable_v4: of(REACHABLE_V4),
        special_v6: of(SPECIAL_V6),
        reachable_v6: of(REACHABLE_V6),
        unicast: of(&["2000::/3"]),
        translated: of(&["64:ff9b::/96"]),
    }
});

/// Not reachable: <https://www.iana.org/assignments/iana-ipv4-special-registry>, and multicast (224.0.0.0/4, RFC 5771)
/// together with what is reserved (240.0.0.0/4).
const SPECIAL_V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
];

/// Reachable within those.
const REACHABLE_V4: &[&str] = &["192.0.0.9/32", "192.0.0.10/32"];

/// Not reachable within global unicast, 2000::/3: <https://www.iana.org/assignments/iana-ipv6-special-registry>. 6to4
/// (2002::/16) and Teredo (within 2001::/23), about which the registry leaves it open, are not routed any more.
const SPECIAL_V6: &[&str] = &["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/// Reachable within those.
const REACHABLE_V6: &[&str] = &[
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn networks_hold_what_is_in_them() {
        for (outer, inner, holds) in [
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "0.0.0.0/0", true),
            ("0.0.0.0/1", "0.0.0.0/0", false),
            ("10.0.0.0/8", "10.255.0.0/16", true),
            ("10.0.0.0/16", "10.0.0.0/8", false),
            ("10.0.0.0/8", "11.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3/32", true),
            ("10.1.2.3/31", "10.1.2.2", true),
            ("0.0.0.0/0", "::/0", false),
            ("::/0", "0.0.0.0/0", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "::/0", true),
            ("2001:db8::/32", "2001:db8:ffff::/48", true),
            ("2001:db8::/32", "2001:db9::/48", false),
            // Bits of the host are not looked at.
            ("10.1.2.3/8", "10.9.9.9", true),
            ("10.0.0.0/8", "10.1.2.3/16", true),
            ("2001:db8::1/32", "2001:db8:1::", true),
            // IPv4 within IPv6 is IPv4.
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("::ffff:10.0.0.0/104", "10.1.1.1", true),
            ("::ffff:0.0.0.0/96", "0.0.0.0/0", true),
            ("10.0.0.0/8", "::ffff:a01:101/128", true),
            ("10.0.0.0/8", "::ffff:0:0/95", false),
        ] {
            let of = |text: &str| Network::parse(text).unwrap();
            assert_eq!(of(outer).contains(of(inner)), holds, "{outer} {inner}");
        }
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in [
            "",
            "/8",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.0/ 8",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.0.0",
            "10.0.0.0/99999999999",
            "010.0.0.1",
            "10.0.0.256",
            "::/129",
            "::ffff:10.0.0.1/129",
            "fe80::1%eth0",
            "[::1]",
            "sg-1",
            "0x0a000001",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    /// Every row of the two registries (as of 2025), the first and last address of it, and the addresses beside it.
    #[test]
    fn public_is_what_the_internet_reaches() {
        for (text, public) in [
            ("0.0.0.0", false),
            ("0.255.255.255", false),
            ("1.0.0.0", true),
            ("9.255.255.255", true),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("100.128.0.0", true),
            ("126.255.255.255", true),
            ("127.0.0.1", false),
            ("128.0.0.0", true),
            ("169.253.255.255", true),
            ("169.254.169.254", false),
            ("169.255.0.0", true),
            ("172.15.255.255", true),
            ("172.16.0.0", false),
            ("172.31.255.255", false),
            ("172.32.0.0", true),
            ("191.255.255.255", true),
            ("192.0.0.0", false),
            ("192.0.0.8", false),
            ("192.0.0.9", true),
            ("192.0.0.10", true),
            ("192.0.0.11", false),
            ("192.0.0.170", false),
            ("192.0.1.0", true),
            ("192.0.2.0", false),
            ("192.0.3.0", true),
            ("192.31.196.1", true),
            ("192.52.193.1", true),
            ("192.88.99.1", true),
            ("192.167.255.255", true),
            ("192.168.0.0", false),
            ("192.169.0.0", true),
            ("192.175.48.1", true),
            ("198.17.255.255", true),
            ("198.18.0.0", false),
            ("198.19.255.255", false),
            ("198.20.0.0", true),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("203.0.114.0", true),
            ("223.255.255.255", true),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            // Networks: one address that is reached is enough.
            ("0.0.0.0/0", true),
            ("0.0.0.0/1", true),
            ("10.0.0.0/7", true),
            ("10.0.0.0/9", false),
            ("172.16.0.0/11", true),
            ("192.0.0.0/24", true),
            ("192.0.0.0/29", false),
            ("192.168.0.0/15", true),
            ("224.0.0.0/3", false),
            ("192.0.0.0/2", true),
            // IPv6.
            ("::", false),
            ("::1", false),
            ("::/0", true),
            ("::/1", true),
            ("1::", false),
            ("100::1", false),
            ("100:0:0:1::1", false),
            ("64:ff9b::8.8.8.8", true),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::10.0.0.0/104", false),
            ("64:ff9b:1::1", false),
            ("1fff:ffff::", false),
            ("2000::", true),
            ("2001::1", false),
            ("2001:1::", false),
            ("2001:1::1", true),
            ("2001:1::2", true),
            ("2001:1::3", true),
            ("2001:1::4", false),
            ("2001:2::1", false),
            ("2001:3::1", true),
            ("2001:4:112::1", true),
            ("2001:4:113::1", false),
            ("2001:10::1", false),
            ("2001:20::1", true),
            ("2001:2f::1", true),
            ("2001:30::1", true),
            ("2001:40::1", false),
            ("2001:1ff::1", false),
            ("2001:200::1", true),
            ("2001:db8::1", false),
            ("2001:db9::", true),
            ("2002:808:808::1", false),
            ("2003::1", true),
            ("2600:1f18::1", true),
            ("2620:4f:8000::1", true),
            ("3fff::1", false),
            ("3fff:fff:ffff::", false),
            ("3fff:1000::", true),
            ("3fff:ffff::1", true),
            ("4000::", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("2000::/3", true),
            ("2001::/23", true),
            ("2001:db8::/33", false),
            ("fc00::/7", false),
            // IPv4 within IPv6.
            ("::ffff:10.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:10.0.0.0/104", false),
            ("::ffff:0.0.0.0/96", true),
        ] {
            assert_eq!(Network::parse(text).unwrap().is_public(), public, "{text}");
        }
    }
}
