//! Small recordings written by hand, for what needs no server.

use std::path::{Path, PathBuf};

/// Answers that say what is needed for one bucket with a public policy, one whose policy cannot be read, and little else:
/// everything that is not here is a gap.
const ANSWERS: &str = r#"{"account":"111122223333","region":"us-east-1","service":"s3","operation":"ListBuckets","parameters":{},"response":{"Buckets":[{"Name":"open","CreationDate":"2026-01-01T00:00:00Z"},{"Name":"closed","CreationDate":"2026-01-01T00:00:00Z"}]},"time":"2026-11-24T00:00:00Z"}
{"account":"111122223333","region":"us-east-1","service":"s3","operation":"GetBucketPolicy","parameters":{"Bucket":"open"},"response":{"Policy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::open/*"}]}}}
{"account":"111122223333","region":"us-east-1","service":"s3","operation":"GetBucketPolicy","parameters":{"Bucket":"closed"},"error":{"code":"AccessDenied","message":"not for you"}}
{"account":"111122223333","region":"us-east-1","service":"s3","operation":"GetPublicAccessBlock","parameters":{"Bucket":"open"},"error":{"code":"NoSuchPublicAccessBlockConfiguration","message":"none"}}
{"account":"111122223333","region":"us-east-1","service":"s3","operation":"GetPublicAccessBlock","parameters":{"Bucket":"closed"},"error":{"code":"NoSuchPublicAccessBlockConfiguration","message":"none"}}
{"account":"111122223333","region":"us-east-1","service":"s3control","operation":"GetPublicAccessBlock","parameters":{"AccountId":"111122223333"},"error":{"code":"NoSuchPublicAccessBlockConfiguration","message":"none"}}
{"account":"111122223333","region":"us-east-1","service":"s3","operation":"GetBucketOwnershipControls","parameters":{"Bucket":"open"},"error":{"code":"OwnershipControlsNotFoundError","message":"none"}}
{"account":"111122223333","region":"us-east-1","service":"s3","operation":"GetBucketAcl","parameters":{"Bucket":"open"},"response":{"Owner":{"ID":"x"},"Grants":[]}}
{"account":"111122223333","region":"us-east-1","service":"s3","operation":"GetBucketAcl","parameters":{"Bucket":"closed"},"response":{"Owner":{"ID":"x"},"Grants":[]}}
"#;

/// The rule that fails on the one and is unknown on the other.
pub const RULE: &str = "aws.s3.bucket-public-read";

/// The recording, written into the folder.
pub fn buckets(folder: &Path) -> PathBuf {
    let path = folder.join("buckets.jsonl");
    std::fs::write(&path, ANSWERS).unwrap();
    path
}
