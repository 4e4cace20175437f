//! Addresses and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: its first address as 128 bits (IPv4 in the last 32), and how many bits are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    bits: u128,
    prefix: u32,
    v6: bool,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => {
                if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                (address, Some(prefix.parse::<u32>().ok()?))
            }
            None => (text, None),
        };
        let (bits, width, v6) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32, false),
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                // `::ffff:10.0.0.1` is the IPv4 address.
                Some(inner) if prefix.is_none() => (u128::from(u32::from(inner)), 32, false),
                _ => (u128::from(address), 128, true),
            },
        };
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return None;
        }
        let free = width - prefix;
        let mask = if free >= 128 { 0 } else { u128::MAX << free };
        Some(Self { bits: bits & mask, prefix, v6 })
    }

    fn free(self) -> u32 {
        (if self.v6 { 128 } else { 32 }) - self.prefix
    }

    /// Whether every address of `inner` is in this network.
    pub fn contains(self, inner: Self) -> bool {
        if self.v6 != inner.v6 || self.prefix > inner.prefix {
            return false;
        }
        let free = self.free();
        let mask = if free >= 128 { 0 } else { u128::MAX << free };
        inner.bits & mask == self.bits
    }

    /// Whether any address of this network can be reached from the internet: neither private, nor shared, nor local,
    /// nor reserved (IANA special-purpose registries, RFC 6890).
    pub fn is_public(self) -> bool {
        let special: &[&str] = if self.v6 {
            // Global unicast is 2000::/3; within it documentation, benchmarking and ORCHID are not reachable.
            if self.prefix < 3 {
                return true;
            }
            let first = Ipv6Addr::from(self.bits);
            if first.segments()[0] & 0xe000 != 0x2000 {
                return false;
            }
            &["2001:db8::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "3fff::/20"]
        } else {
            &[
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
                "224.0.0.0/4",
                "240.0.0.0/4",
            ]
        };
        if !self.v6 && self.prefix == 32 && Ipv4Addr::from(self.bits as u32).is_broadcast() {
            return false;
        }
        !special.iter().filter_map(|network| Self::parse(network)).any(|network| network.contains(self))
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn networks_hold_what_is_in_them() {
        let holds = |outer: &str, inner: &str| Network::parse(outer).unwrap().contains(Network::parse(inner).unwrap());
        assert!(holds("0.0.0.0/0", "8.8.8.8"));
        assert!(holds("10.0.0.0/8", "10.255.0.0/16"));
        assert!(!holds("10.0.0.0/16", "10.0.0.0/8"));
        assert!(!holds("0.0.0.0/0", "::/0"));
        assert!(holds("::/0", "2001:db8::1"));
        assert!(holds("10.1.2.3/8", "10.9.9.9"));
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "10.0.0.0/+8", "::/129", "sg-1"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn public_is_what_the_internet_reaches() {
        for (text, public) in [
            ("8.8.8.8", true),
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("10.0.0.1", false),
            ("172.31.0.0/16", false),
            ("172.32.0.1", true),
            ("100.64.0.1", false),
            ("192.168.0.0/15", true),
            ("2600:1f18::1", true),
            ("fd00::1", false),
            ("fe80::1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(Network::parse(text).unwrap().is_public(), public, "{text}");
        }
    }
}
