//! Conditions that held for all requests that were allowed: offers, not part of the policy.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::plan::Need;
use crate::usage::{Circumstances, Target};

/// A condition that could be added to the statements that allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// `IpAddress`
    pub operator: &'static str,
    /// `aws:SourceIp`
    pub key: String,
    /// Any of these.
    pub values: Vec<String>,
    /// What to think of before.
    pub note: String,
}

/// More values of an address than this are no condition that people would keep.
const MOST_ADDRESSES: usize = 20;

/// What held for all `circumstances`.
pub(super) fn suggestions(
    circumstances: &Circumstances,
    needs: &[Need],
    tags: &[(Box<str>, Box<str>)],
) -> Vec<Suggestion> {
    let of = circumstances;
    let mut all = Vec::new();
    if of.requests == 0 {
        return all;
    }
    let texts = |values: &BTreeSet<Box<str>>| values.iter().map(ToString::to_string).collect::<Vec<String>>();
    let held = format!("held for all {} requests of the trail", of.requests);
    if of.without_endpoint == 0 && !of.endpoints.more {
        all.push(Suggestion {
            operator: "StringEquals",
            key: "aws:SourceVpce".to_owned(),
            values: texts(&of.endpoints.of),
            note: format!("{held}; services that act for the principal do not come through the endpoint"),
        });
    }
    // Through an endpoint a request has the private address, which `aws:SourceIp` does not have.
    let through_none = of.endpoints.of.is_empty() && !of.endpoints.more;
    if of.without_address == 0 && through_none && !of.addresses.more {
        let ranges = ranges(&of.addresses.of);
        if !ranges.is_empty() && ranges.len() <= MOST_ADDRESSES {
            all.push(Suggestion {
                operator: "IpAddress",
                key: "aws:SourceIp".to_owned(),
                values: ranges,
                note: format!("{held}; services that act for the principal have other addresses (`aws:ViaAWSService`)"),
            });
        }
    }
    let regions: Vec<String> = texts(&of.regions.of).into_iter().filter(|region| !region.is_empty()).collect();
    if !of.regions.more && regions.len() == of.regions.of.len() {
        all.push(Suggestion {
            operator: "StringEquals",
            key: "aws:RequestedRegion".to_owned(),
            values: regions,
            note: format!("{held}; global services are in `us-east-1`"),
        });
    }
    if of.encrypted == of.requests {
        all.push(Suggestion {
            operator: "Bool",
            key: "aws:SecureTransport".to_owned(),
            values: vec!["true".to_owned()],
            note: held.clone(),
        });
    }
    if of.with_mfa == of.requests {
        all.push(Suggestion {
            operator: "Bool",
            key: "aws:MultiFactorAuthPresent".to_owned(),
            values: vec!["true".to_owned()],
            note: held,
        });
    }
    all.extend(tags.iter().filter_map(|(key, value)| tag(key, value, needs)));
    all
}

/// Where all resources of an action have a tag of the principal's as a part, a variable would do for all who have the tag.
fn tag(key: &str, value: &str, needs: &[Need]) -> Option<Suggestion> {
    if value.len() < 3 {
        return None;
    }
    let mut actions: Vec<&str> = needs.iter().map(|need| need.action.as_str()).collect();
    actions.dedup();
    let agree = |action: &str| {
        let of_action = needs.iter().filter(|need| need.action == action);
        let mut count = 0;
        for need in of_action {
            let Target::Of(pattern) = &need.target else { return false };
            let resource = pattern.text().splitn(6, ':').nth(5).unwrap_or_default();
            if !resource.split(['/', ':']).any(|part| part == value) {
                return false;
            }
            count += 1;
        }
        count > 0
    };
    let values: Vec<String> = actions.into_iter().filter(|action| agree(action)).map(str::to_owned).collect();
    (!values.is_empty()).then(|| Suggestion {
        operator: "Resource",
        key: format!("${{aws:PrincipalTag/{key}}}"),
        values,
        note: format!(
            "`{value}`, the principal's tag `{key}`, is a part of every resource of these actions; with the variable in its \
             place one policy is enough for all who have the tag, and whoever may set the tag decides on the access"
        ),
    })
}

/// Addresses, or their networks where there are many.
fn ranges(addresses: &BTreeSet<Box<str>>) -> Vec<String> {
    let addresses: Vec<IpAddr> = addresses.iter().filter_map(|address| address.parse().ok()).collect();
    if addresses.len() <= MOST_ADDRESSES {
        return addresses
            .iter()
            .map(|address| format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 }))
            .collect();
    }
    let networks: BTreeSet<String> = addresses
        .iter()
        .map(|address| match address {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        })
        .collect();
    networks.into_iter().collect()
}
