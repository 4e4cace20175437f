//! Records are in the shape of the examples in AWS's guides: CloudTrail's (log file examples, `userIdentity`), S3's
//! (log file entries), KMS's and Lambda's.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Fault, LastAccessed, Limits, Names, Reader, Target, Usage, Used};
use crate::actions::Catalogue;
use crate::pattern::Pattern;
use crate::principal::Principal;

const ALICE: &str = "arn:aws:iam::111122223333:user/Alice";
const BUILD: &str = "arn:aws:iam::111122223333:role/ci/Build";

fn user() -> Json {
    json!({"type": "IAMUser", "principalId": "AIDAJ45Q7YFFAREXAMPLE", "arn": ALICE, "accountId": "111122223333",
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "Alice"})
}

fn session() -> Json {
    json!({"type": "AssumedRole", "principalId": "AROAIDPPEZS35WEXAMPLE:deploy",
        "arn": "arn:aws:sts::111122223333:assumed-role/Build/deploy", "accountId": "111122223333",
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE", "sessionContext": {
            "sessionIssuer": {"type": "Role", "principalId": "AROAIDPPEZS35WEXAMPLE", "arn": BUILD,
                "accountId": "111122223333", "userName": "Build"},
            "attributes": {"creationDate": "2026-03-02T10:00:00Z", "mfaAuthenticated": "false"}}})
}

/// A record with what all have; `more` adds or replaces fields.
fn record(identity: Json, source: &str, name: &str, more: Json) -> Json {
    let mut record = json!({"eventVersion": "1.08", "userIdentity": identity, "eventTime": "2026-03-02T10:12:05Z",
        "eventSource": source, "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.64",
        "userAgent": "aws-cli/2.15", "requestParameters": null, "responseElements": null, "requestID": "07D681279BD94AED",
        "eventID": "f2b287f3-0df1-4961-a2f4-c4bdfed47657", "readOnly": true, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": "111122223333", "eventCategory": "Management"});
    if let (Some(fields), Json::Object(more)) = (record.as_object_mut(), more) {
        fields.extend(more);
    }
    record
}

fn object_read(key: &str) -> Json {
    let arn = format!("arn:aws:s3:::reports/{key}");
    record(
        session(),
        "s3.amazonaws.com",
        "GetObject",
        json!({
        "requestParameters": {"bucketName": "reports", "key": key, "Host": "reports.s3.eu-west-1.amazonaws.com"},
        "additionalEventData": {"SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256"},
        "resources": [{"type": "AWS::S3::Object", "ARN": arn},
            {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::reports"}],
        "managementEvent": false, "eventCategory": "Data", "vpcEndpointId": "vpce-1a2b3c4d"}),
    )
}

fn read(bytes: &[u8]) -> Usage {
    let mut reader = Reader::new(Catalogue::embedded(), None);
    reader.read("trail.json", bytes);
    reader.finish()
}

fn read_all(records: &[Json]) -> Usage {
    read(json!({"Records": records}).to_string().as_bytes())
}

fn role() -> Principal {
    Principal::Role { arn: BUILD.into() }
}

fn done(used: &Used) -> Vec<String> {
    let text = |target: &Target| match target {
        Target::Without => "*".to_owned(),
        Target::Unknown => "?".to_owned(),
        Target::Of(pattern) => pattern.to_string(),
    };
    used.actions().into_iter().map(|(action, target, _)| format!("{action} {}", text(&target))).collect()
}

/// What one event of the role is taken for.
fn of_event(source: &str, name: &str, more: Json) -> Vec<String> {
    let usage = read_all(&[record(session(), source, name, more)]);
    usage.of(&role()).map(done).unwrap_or_default()
}

fn faults(usage: &Usage) -> Vec<(Fault, u64)> {
    usage.troubles.iter().map(|of| (of.fault, of.count)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn names_in_the_catalogue_file_are_aws_names() {
    let (names, catalogue) = (Names::embedded(), Catalogue::embedded());
    let unknown: Vec<_> = names.actions().filter(|action| catalogue.action(action).is_none()).collect();
    assert!(unknown.is_empty(), "no such actions: {unknown:?}");
    let empty: Vec<_> = names.listed().filter(|of| catalogue.matching(&Pattern::new(of)).next().is_none()).collect();
    assert!(empty.is_empty(), "no such actions: {empty:?}");
    let prefixes: Vec<_> = names.prefixes().filter(|prefix| catalogue.service(prefix).is_none()).collect();
    assert!(prefixes.is_empty(), "no such services: {prefixes:?}");
}

#[test]
fn events_are_taken_for_the_actions_that_iam_asks_for() {
    for (source, name, more, expected) in [
        ("ec2.amazonaws.com", "DescribeInstances", json!({}), vec!["ec2:DescribeInstances *"]),
        ("monitoring.amazonaws.com", "DescribeAlarms", json!({}), vec!["cloudwatch:DescribeAlarms ?"]),
        (
            "lambda.amazonaws.com",
            "GetFunction20150331v2",
            json!({"requestParameters": {"functionName": "resize"}}),
            vec!["lambda:GetFunction arn:aws:lambda:eu-west-1:111122223333:function:resize"],
        ),
        ("cloudfront.amazonaws.com", "ListDistributions2020_05_31", json!({}), vec!["cloudfront:ListDistributions *"]),
        ("s3.amazonaws.com", "ListBuckets", json!({}), vec!["s3:ListAllMyBuckets *"]),
        (
            "s3.amazonaws.com",
            "GetBucketLifecycle",
            json!({"requestParameters": {"bucketName": "reports", "lifecycle": ""}}),
            vec!["s3:GetLifecycleConfiguration arn:aws:s3:::reports"],
        ),
        (
            "s3.amazonaws.com",
            "ListObjects",
            json!({
                "resources": [{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::reports/"},
                    {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::reports"}]}),
            vec!["s3:ListBucket arn:aws:s3:::reports"],
        ),
        (
            "s3.amazonaws.com",
            "DeleteObjects",
            json!({"requestParameters": {"bucketName": "reports"}}),
            vec!["s3:DeleteObject arn:aws:s3:::reports/*"],
        ),
        (
            "s3.amazonaws.com",
            "CopyObject",
            json!({"readOnly": false, "requestParameters":
                {"bucketName": "reports", "key": "b", "x-amz-copy-source": "/raw/a%20b.csv"}}),
            vec!["s3:GetObject arn:aws:s3:::raw/a b.csv", "s3:PutObject arn:aws:s3:::reports/b"],
        ),
        (
            "kms.amazonaws.com",
            "Decrypt",
            json!({"requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
                "resources": [{"accountId": "111122223333", "type": "AWS::KMS::Key",
                    "ARN": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}]}),
            vec!["kms:Decrypt arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        ),
        (
            "sts.amazonaws.com",
            "AssumeRole",
            json!({"requestParameters":
                {"roleArn": "arn:aws:iam::444455556666:role/Audit", "roleSessionName": "s"}}),
            vec!["sts:AssumeRole arn:aws:iam::444455556666:role/Audit"],
        ),
        (
            "sqs.amazonaws.com",
            "SendMessageBatch",
            json!({"requestParameters":
                {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs"}}),
            vec!["sqs:SendMessage arn:aws:sqs:eu-west-1:111122223333:jobs"],
        ),
        (
            "secretsmanager.amazonaws.com",
            "GetSecretValue",
            json!({"requestParameters": {"secretId": "prod/db"}}),
            vec!["secretsmanager:GetSecretValue arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-??????"],
        ),
        (
            "dynamodb.amazonaws.com",
            "Query",
            json!({"requestParameters": {"tableName": "orders", "indexName": "by-day"},
                "resources": [{"accountId": "111122223333", "type": "AWS::DynamoDB::Table",
                    "ARN": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"}]}),
            vec![
                "dynamodb:Query arn:aws:dynamodb:eu-west-1:111122223333:table/orders",
                "dynamodb:Query arn:aws:dynamodb:eu-west-1:111122223333:table/orders/index/by-day",
            ],
        ),
        (
            "ec2.amazonaws.com",
            "StopInstances",
            json!({"requestParameters": {"instancesSet": {"items": [{"instanceId": "i-ebeaf9e2"}]}, "force": false}}),
            vec!["ec2:StopInstances arn:aws:ec2:eu-west-1:111122223333:instance/i-ebeaf9e2"],
        ),
        (
            "logs.amazonaws.com",
            "CreateLogStream",
            json!({"requestParameters": {"logGroupName": "/aws/lambda/resize", "logStreamName": "2026/03/02/[$LATEST]8f3a"}}),
            vec!["logs:CreateLogStream arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/resize:log-stream:*"],
        ),
        ("apigateway.amazonaws.com", "GetRestApis", json!({}), vec!["apigateway:GET ?"]),
        (
            "lambda.amazonaws.com",
            "CreateFunction20150331",
            json!({"readOnly": false, "requestParameters":
                {"functionName": "resize", "role": "arn:aws:iam::111122223333:role/service/Resize"}}),
            vec![
                "iam:PassRole arn:aws:iam::111122223333:role/service/Resize",
                "lambda:CreateFunction arn:aws:lambda:eu-west-1:111122223333:function:resize",
            ],
        ),
        // No permission is asked for.
        ("sts.amazonaws.com", "GetCallerIdentity", json!({}), vec![]),
        ("signin.amazonaws.com", "ConsoleLogin", json!({"eventType": "AwsConsoleSignIn"}), vec![]),
    ] {
        assert_eq!(of_event(source, name, more), expected, "{source} {name}");
    }
}

#[test]
fn a_launch_needs_more_than_it_names() {
    let done = of_event(
        "ec2.amazonaws.com",
        "RunInstances",
        json!({"readOnly": false, "requestParameters": {
        "instancesSet": {"items": [{"imageId": "ami-0abcdef1234567890", "minCount": 1, "keyName": "ops"}]},
        "subnetId": "subnet-1a2b", "groupSet": {"items": [{"groupId": "sg-1a2b"}]}, "iamInstanceProfile": {"name": "web"}}}),
    );
    let ec2 = "ec2:RunInstances arn:aws:ec2:eu-west-1";
    assert_eq!(
        done,
        [
            format!("{ec2}:111122223333:instance/*"),
            format!("{ec2}:111122223333:key-pair/ops"),
            format!("{ec2}:111122223333:network-interface/*"),
            format!("{ec2}:111122223333:security-group/sg-1a2b"),
            format!("{ec2}:111122223333:subnet/subnet-1a2b"),
            format!("{ec2}:111122223333:volume/*"),
            format!("{ec2}::image/ami-0abcdef1234567890"),
            "iam:PassRole ?".to_owned(),
        ]
    );
}

#[test]
fn who_asked_is_the_one_whose_policies_count() {
    let federated = json!({"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/x",
        "accountId": "111122223333", "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": ALICE}}});
    let nameless = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Build/x",
        "accountId": "111122223333"});
    for (identity, expected) in [
        (user(), Principal::User { arn: ALICE.into() }),
        (session(), role()),
        (federated, Principal::User { arn: ALICE.into() }),
        (nameless, Principal::Role { arn: "arn:aws:iam::111122223333:role/Build".into() }),
        (
            json!({"type": "Root", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:root"}),
            Principal::Root { account: "111122223333".into() },
        ),
        (
            json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}),
            Principal::Service { name: "ec2.amazonaws.com".into() },
        ),
        (
            json!({"type": "AWSAccount", "principalId": "AIDAQRSTUVWXYZEXAMPLE", "accountId": "444455556666"}),
            Principal::Account { account: "444455556666".into() },
        ),
        (
            json!({"type": "WebIdentityUser", "principalId": "accounts.google.com:app:user", "userName": "user",
            "identityProvider": "accounts.google.com"}),
            Principal::Federated { provider: "accounts.google.com".into() },
        ),
    ] {
        let usage = read_all(&[record(identity, "ec2.amazonaws.com", "DescribeInstances", json!({}))]);
        assert_eq!(usage.principals.keys().collect::<Vec<_>>(), [&expected]);
    }
}

#[test]
fn what_was_not_allowed_is_counted_apart() {
    let denied = json!({"errorCode": "Client.UnauthorizedOperation"});
    let usage = read_all(&[
        record(session(), "ec2.amazonaws.com", "DescribeVpcs", denied),
        record(
            session(),
            "s3.amazonaws.com",
            "GetBucketPolicy",
            json!({"errorCode": "NoSuchBucketPolicy", "requestParameters": {"bucketName": "reports"}}),
        ),
    ]);
    let used = usage.of(&role()).unwrap();
    let tallies: Vec<_> =
        used.actions().into_iter().map(|(name, _, tally)| (name, tally.allowed, tally.denied)).collect();
    assert_eq!(tallies, [("ec2:DescribeVpcs", 0, 1), ("s3:GetBucketPolicy", 1, 0)]);
    assert_eq!((used.events, used.denied, used.circumstances.requests), (2, 1, 1));
}

#[test]
fn what_is_not_known_is_listed_not_guessed() {
    let usage = read_all(&[record(session(), "shiny-new.amazonaws.com", "MakeShiny", json!({}))]);
    let used = usage.of(&role()).unwrap();
    assert_eq!(used.unmapped.get("shiny-new.amazonaws.com MakeShiny"), Some(&1));
    assert!(used.actions().is_empty());
}

#[test]
fn data_events_of_a_service_are_there_or_not() {
    let list =
        record(user(), "s3.amazonaws.com", "GetBucketAcl", json!({"requestParameters": {"bucketName": "reports"}}));
    assert!(!read_all(std::slice::from_ref(&list)).has_data_events("111122223333", "s3"));
    let usage = read_all(&[list, object_read("2026/a.csv")]);
    assert!(usage.has_data_events("111122223333", "s3"));
    assert!(!usage.has_data_events("444455556666", "s3"));
    assert!(!usage.has_data_events("111122223333", "lambda"));
    assert!(usage.buckets.of.contains("reports"));
    assert_eq!(done(usage.of(&role()).unwrap()), ["s3:GetObject arn:aws:s3:::reports/2026/a.csv"]);
}

#[test]
fn circumstances_are_those_of_allowed_requests() {
    let by_service = json!({"sourceIPAddress": "cloudformation.amazonaws.com", "awsRegion": "us-east-1"});
    let usage = read_all(&[object_read("a"), record(session(), "ec2.amazonaws.com", "DescribeVpcs", by_service)]);
    let of = &usage.of(&role()).unwrap().circumstances;
    assert_eq!(of.addresses.of.iter().map(|of| &**of).collect::<Vec<_>>(), ["203.0.113.64"]);
    assert_eq!((of.without_address, of.without_endpoint, of.encrypted), (1, 1, 1));
    assert_eq!(of.regions.of.len(), 2);
}

#[test]
fn all_forms_of_a_trail_say_the_same() {
    let (first, second) = (object_read("a\"\\,\n{"), object_read("b"));
    let escaped = |record: &Json| format!("\"{}\"", record.to_string().replace('"', "\"\""));
    let pretty = serde_json::to_string_pretty(&json!({"Records": [first, second]})).unwrap();
    let forms = [
        json!({"Records": [first, second]}).to_string(),
        pretty.clone(),
        format!("\u{feff}{pretty}\n"),
        format!("{first}\n{second}\n"),
        format!("{}\n\n{}", json!({"Records": [first]}), json!({"Records": [second]})),
        json!([first, second]).to_string(),
        serde_json::to_string_pretty(&first).unwrap() + &serde_json::to_string_pretty(&second).unwrap(),
        json!({"NextToken": "x", "Events": [{"EventId": "1", "CloudTrailEvent": first.to_string()},
            {"CloudTrailEvent": second.to_string()}]})
        .to_string(),
        json!({"QueryStatus": "FINISHED", "QueryResultRows": [[{"eventJson": first.to_string()}],
            [{"eventJson": second.to_string()}]]})
        .to_string(),
        format!("{}\n{}\n", json!({"eventJson": first.to_string()}), json!({"eventJson": second.to_string()})),
        format!("eventID,eventJson\r\n1,{}\r\n2,{}\r\n", escaped(&first), escaped(&second)),
        format!("\"eventJson\"\n{}\n{}", escaped(&first), escaped(&second)),
        json!({"detail-type": "AWS API Call via CloudTrail", "detail": first}).to_string()
            + &json!({"detail": second}).to_string(),
    ];
    for form in &forms {
        for bytes in [form.clone().into_bytes(), gzip(form.as_bytes())] {
            let usage = read(&bytes);
            assert_eq!(usage.troubles, [], "{form}");
            let expected = ["s3:GetObject arn:aws:s3:::reports/a\"\\,\n{", "s3:GetObject arn:aws:s3:::reports/b"];
            assert_eq!(usage.of(&role()).map(done).unwrap_or_default(), expected, "{form}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    let good = object_read("a");
    let lines = |bad: &str| format!("{good}\n{bad}\n{good}\n");
    let missing = |field: &str| {
        let mut record = good.clone();
        record.as_object_mut().unwrap().remove(field);
        lines(&record.to_string())
    };
    let deep = format!("{}{}", "{\"a\":".repeat(300), "1".to_owned() + &"}".repeat(300));
    let open = format!("[{}", "[".repeat(200_000));
    for (text, fault, records) in [
        (lines("not json at all"), Fault::NotJson, 2),
        (lines("\u{0}\u{1}\u{2}"), Fault::NotJson, 2),
        (lines("{\"eventName\": \"cut"), Fault::Malformed, 2),
        (lines("{\"eventName\": {\"cut\": 1}"), Fault::Malformed, 2),
        (lines("{\"eventName\": 5}"), Fault::Malformed, 2),
        (lines(&deep), Fault::TooDeep, 2),
        (lines(&format!("{{\"big\": \"{}\"}}", "x".repeat(5 << 20))), Fault::TooLarge, 2),
        (missing("eventName"), Fault::Missing("eventName"), 2),
        (missing("eventSource"), Fault::Missing("eventSource"), 2),
        (missing("eventTime"), Fault::Missing("eventTime"), 2),
        (missing("userIdentity"), Fault::Missing("userIdentity"), 2),
        (lines(&good.to_string().replace("2026-03-02T10:12:05Z", "yesterday")), Fault::Time, 2),
        (format!("{good}\n{open}"), Fault::Truncated, 1),
        (format!("{{\"Records\": [{good}, {good}"), Fault::Truncated, 2),
        (format!("{{\"Records\": [{good}, {{\"a\": \"line\nbreak\"}}, {good}]}}"), Fault::Broken, 1),
        (format!("{{\"Records\": [{good}, {{\"a\": nonsense}}, {good}]}}"), Fault::Malformed, 2),
        (format!("{{\"Records\": [{good}, {deep}, {good}]}}"), Fault::TooDeep, 2),
    ] {
        let usage = read(text.as_bytes());
        let start: String = text.chars().rev().take(60).collect();
        assert_eq!(faults(&usage), [(fault, 1)], "{start}");
        assert_eq!(usage.events, records, "{fault}");
    }
}

#[test]
fn damaged_compressed_files_give_what_they_have() {
    let records: Vec<Json> = (0..300).map(|n| object_read(&format!("{n}-{}", n * 7919 % 1000))).collect();
    let whole = gzip(json!({"Records": records}).to_string().as_bytes());
    let usage = read(&whole[..whole.len() / 2]);
    assert_eq!(faults(&usage), [(Fault::TruncatedGzip, 1)]);
    assert!(usage.events > 20 && usage.events < 300, "{}", usage.events);
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xff);
    assert!(read(&damaged).troubles.iter().any(|of| matches!(of.fault, Fault::DamagedGzip | Fault::Malformed)));
    assert_eq!(faults(&read(&[0x1f, 0x8b])), [(Fault::TruncatedGzip, 1)]);
    assert_eq!(faults(&read(b"")), []);
}

#[test]
fn a_file_that_becomes_far_too_large_is_left() {
    let bomb = gzip(&vec![b' '; 3 << 20]);
    let limits = Limits { free_bytes: 1 << 18, ..Limits::default() };
    let mut reader = Reader::new(Catalogue::embedded(), None).with_limits(limits);
    reader.read("bomb.gz", Cursor::new(bomb));
    let usage = reader.finish();
    assert_eq!(faults(&usage), [(Fault::Bomb, 1)]);
    assert!(usage.bytes < 1 << 20);
}

#[test]
fn only_one_principal_can_be_kept() {
    let text = json!({"Records": [object_read("a"), record(user(), "ec2.amazonaws.com", "DescribeVpcs", json!({}))]});
    let mut reader = Reader::new(Catalogue::embedded(), Some(Principal::User { arn: ALICE.into() }));
    reader.read("a", text.to_string().as_bytes());
    let usage = reader.finish();
    assert_eq!((usage.principals.len(), usage.events), (1, 2));
    // Whose data events they are does not matter for whether the trail has them.
    assert!(usage.has_data_events("111122223333", "s3"));
}

#[test]
fn last_accessed_data_is_read() {
    let accessed = LastAccessed::of(&json!({"JobStatus": "COMPLETED", "ServicesLastAccessed": [
        {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "LastAuthenticated": "2026-03-01T09:00:00Z",
            "TotalAuthenticatedEntities": 1, "TrackedActionsLastAccessed": [
                {"ActionName": "GetBucketAcl", "LastAccessedTime": "2026-02-01T09:00:00Z", "LastAccessedRegion": "eu-west-1"},
                {"ActionName": "PutBucketPolicy"}]},
        {"ServiceName": "AWS Lambda", "ServiceNamespace": "lambda", "TotalAuthenticatedEntities": 0}]})).unwrap();
    assert!(accessed.is_unused("lambda") && !accessed.is_unused("s3") && !accessed.is_unused("sqs"));
    assert!(accessed.is_action_unused("s3:PutBucketPolicy") && !accessed.is_action_unused("s3:GetObject"));
    assert_eq!(accessed.actions_since("2026-01-15T00:00:00Z".parse().unwrap()), ["s3:getbucketacl"]);
    assert!(accessed.actions_since("2026-02-15T00:00:00Z".parse().unwrap()).is_empty());
    assert!(LastAccessed::of(&json!({"JobStatus": "IN_PROGRESS"})).is_err());
}

proptest! {
    /// Bytes of any kind are read to their end, and wherever pieces of the stream begin, records are the same.
    #[test]
    fn any_bytes_can_be_read(junk in proptest::collection::vec(any::<u8>(), 0..400), at in 0usize..2000, size in 1usize..40) {
        let mut bytes = json!({"Records": [object_read("a"), object_read("b")]}).to_string().into_bytes();
        let at = at % bytes.len();
        bytes.splice(at..at, junk);
        let whole = read(&bytes);
        let mut reader = Reader::new(Catalogue::embedded(), None);
        reader.read("trail.json", std::io::BufReader::with_capacity(size, &*bytes));
        let pieces = reader.finish();
        prop_assert_eq!(whole.events, pieces.events);
        prop_assert_eq!(whole.troubles, pieces.troubles);
    }
}
