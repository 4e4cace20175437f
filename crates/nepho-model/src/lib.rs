//! The words that every other crate shares: values, times, resources, coverage, severity, verdict.
//!
//! Pure data. Knows nothing of any provider, of files, of the network or of the graph's layout.

mod coverage;
mod judgement;
mod resource;
mod time;
mod value;

pub use coverage::{CoverageEntry, CoverageState};
pub use judgement::{Severity, Verdict};
pub use resource::{Direction, Link, Resource, UnknownFact};
pub use time::{ParseTimestampError, Timestamp};
pub use value::Value;

/// `aws.ec2.network-interface` → `AwsEc2NetworkInterface`: the graph label of a kind.
pub fn label_of_kind(kind: &str) -> String {
    let mut label = String::with_capacity(kind.len());
    for part in kind.split(['.', '-', '_']) {
        let mut characters = part.chars();
        if let Some(first) = characters.next() {
            label.extend(first.to_uppercase());
            label.push_str(characters.as_str());
        }
    }
    label
}

#[cfg(test)]
mod tests {
    #[test]
    fn labels_are_camel_case() {
        assert_eq!(super::label_of_kind("aws.s3.bucket"), "AwsS3Bucket");
        assert_eq!(super::label_of_kind("aws.ec2.network-interface"), "AwsEc2NetworkInterface");
        assert_eq!(super::label_of_kind("aws.elbv2.load-balancer"), "AwsElbv2LoadBalancer");
    }
}
