//! A scan of a seeded server: resources, relations, verdicts; the recording replays to the same.

use crate::support::{against, expect_code, moto, nephoscope, profile, report, seed, verdict};

const SEED: &str = r#"
s3 = session.client("s3")
for name in ["scan-open", "scan-closed"]:
    s3.create_bucket(Bucket=name)
s3.put_bucket_policy(Bucket="scan-open", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::scan-open/*"}]}))
s3.put_public_access_block(Bucket="scan-closed", PublicAccessBlockConfiguration={
    "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True})
ec2 = session.client("ec2")
kms = session.client("kms")
key = kms.create_key()["KeyMetadata"]
ec2.create_volume(AvailabilityZone="us-east-1a", Size=8, Encrypted=True, KmsKeyId=key["Arn"])
ec2.create_volume(AvailabilityZone="us-east-1a", Size=8)
vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
group = ec2.create_security_group(GroupName="ssh", Description="ssh", VpcId=vpc)["GroupId"]
ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
iam = session.client("iam")
iam.create_user(UserName="scan-user")
iam.create_access_key(UserName="scan-user")
"#;

#[test]
fn finds_what_was_seeded_and_replays_to_the_same() {
    let account = "222200000001";
    seed(account, SEED);
    let home = tempfile::tempdir().unwrap();
    let (live, replayed) = (home.path().join("live.json"), home.path().join("replayed.json"));
    let recording = home.path().join("recording");
    let output = against(home.path(), &moto())
        .env("AWS_CONFIG_FILE", profile(home.path(), account))
        .args(["scan", "aws", "--profile", "test", "--regions", "us-east-1", "--verdicts", "all", "--record"])
        .arg(&recording)
        .arg("--out")
        .arg(&live)
        .output()
        .unwrap();
    expect_code(&output, &[0, 3]);
    let found = report(&live);
    assert_eq!(found["accounts"][0]["id"], account);
    assert_eq!(verdict(&found, "aws.s3.bucket-public-read", "arn:aws:s3:::scan-open"), Some("fail"));
    assert_eq!(verdict(&found, "aws.s3.bucket-public-read", "arn:aws:s3:::scan-closed"), Some("pass"));
    let volumes: Vec<&str> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"] == "aws.ec2.volume-unencrypted")
        .filter_map(|finding| finding["verdict"].as_str())
        .collect();
    assert_eq!(volumes.iter().filter(|verdict| **verdict == "fail").count(), 1, "{volumes:?}");
    assert_eq!(volumes.iter().filter(|verdict| **verdict == "pass").count(), 1, "{volumes:?}");

    let query = |text: &str| {
        let output = nephoscope(home.path())
            .args(["query", text, "--format", "json", "--replay"])
            .arg(&recording)
            .output()
            .unwrap();
        serde_json::from_str::<serde_json::Value>(&expect_code(&output, &[0])).unwrap()
    };
    let public = query("MATCH (b:AwsS3Bucket) WHERE b.public_read RETURN b.name AS name");
    assert_eq!(public, serde_json::json!([{"name": "scan-open"}]));
    let encrypted = query("MATCH (v:AwsEc2Volume)-[:ENCRYPTED_BY]->(k:AwsKmsKey) RETURN count(*) AS n");
    assert_eq!(encrypted, serde_json::json!([{"n": 1}]));
    let keys = query("MATCH (u:AwsIamUser {name: 'scan-user'})<-[:PART_OF]-(k:AwsIamAccessKey) RETURN count(k) AS n");
    assert_eq!(keys, serde_json::json!([{"n": 1}]));

    for again in 0..2 {
        let output = nephoscope(home.path())
            .args(["scan", "aws", "--verdicts", "all", "--quiet", "--out"])
            .arg(&replayed)
            .arg("--replay")
            .arg(&recording)
            .output()
            .unwrap();
        expect_code(&output, &[0, 3]);
        let (mut one, mut two) = (report(&live), report(&replayed));
        // What is said of the source differs; what was found must not.
        for report in [&mut one, &mut two] {
            for field in ["source", "notes", "clock"] {
                report.as_object_mut().unwrap().remove(field);
            }
        }
        assert_eq!(one["coverage"], two["coverage"], "coverage differs (replay {again})");
        assert_eq!(one["findings"], two["findings"], "findings differ (replay {again})");
        assert_eq!(one, two);
    }
}

#[test]
fn an_account_that_is_no_member_is_a_mistake() {
    let account = "222200000002";
    seed(account, "session.client('organizations').create_organization(FeatureSet='ALL')");
    let home = tempfile::tempdir().unwrap();
    let output = against(home.path(), &moto())
        .env("AWS_CONFIG_FILE", profile(home.path(), account))
        .args(["scan", "aws", "--profile", "test", "--organization", "--accounts", "999999999999"])
        .output()
        .unwrap();
    expect_code(&output, &[2]);
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(shown.contains("`999999999999` is not in the organisation"), "{shown}");
}

#[test]
fn two_replays_are_byte_identical() {
    let home = tempfile::tempdir().unwrap();
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/recording");
    let run = |name: &str| {
        let out = home.path().join(name);
        let output = nephoscope(home.path())
            .args(["scan", "aws", "--quiet", "--verdicts", "all", "--out"])
            .arg(&out)
            .arg("--replay")
            .arg(&demo)
            .output()
            .unwrap();
        expect_code(&output, &[0, 3]);
        std::fs::read(out).unwrap()
    };
    assert!(run("one.json") == run("two.json"));
    assert!(run("one.html") == run("two.html"));
}
