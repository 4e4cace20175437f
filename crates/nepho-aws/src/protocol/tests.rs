#![allow(clippy::indexing_slicing, reason = "tests look into answers they know")]

use super::*;
use crate::tables::service;

fn ask(name: &str, operation: &str, status: u16, body: &[u8]) -> Result<Json, ParseError> {
    parse(service(name).unwrap(), operation, HttpAnswer { status, headers: &[], body })
}

fn malformed(name: &str, operation: &str, body: &[u8]) {
    let outcome = ask(name, operation, 200, body);
    assert!(matches!(outcome, Err(ParseError::Malformed(_))), "{name}:{operation} {outcome:?}");
}

#[test]
fn foreign_bodies_are_never_empty_answers() {
    let html = b"<html><head><title>Sign in</title></head><body>proxy</body></html>".as_slice();
    let deep = "<a>".repeat(5000);
    for (name, operation) in [
        ("ec2", "DescribeVpcs"),
        ("iam", "GetAccountAuthorizationDetails"),
        ("s3", "ListBuckets"),
        ("lambda", "ListFunctions"),
        ("kms", "ListKeys"),
    ] {
        for body in [html, b"", b"<", b"not at all", b"\xff\xfe\x00", deep.as_bytes(), b"[1]", b"null"] {
            malformed(name, operation, body);
        }
    }
    for (name, operation) in [("ec2", "DescribeVpcs"), ("iam", "GetAccountAuthorizationDetails"), ("s3", "ListBuckets")]
    {
        malformed(name, operation, b"{}");
    }
    malformed("ec2", "DescribeVpcs", b"<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId>");
    malformed("lambda", "ListFunctions", b"{\"Functions\": [{\"FunctionName\": \"a\"");
    malformed("kms", "ListKeys", br#"{"Output": {"__type": "UnknownOperationException"}, "Version": "1.0"}"#);
    malformed("kms", "ListKeys", br#"{"Keys": "none"}"#);
}

#[test]
fn empty_answers_that_are_empty() {
    assert_eq!(ask("kms", "ListKeys", 200, b"{}").unwrap(), serde_json::json!({}));
    let body = b"<DescribeVpcsResponse><requestId>r</requestId><vpcSet/></DescribeVpcsResponse>";
    assert_eq!(ask("ec2", "DescribeVpcs", 200, body).unwrap(), serde_json::json!({"Vpcs": []}));
}

#[test]
fn iam_policy_documents_are_objects() {
    let body = b"<GetAccountAuthorizationDetailsResponse><GetAccountAuthorizationDetailsResult><RoleDetailList><member>\
        <RoleName>r</RoleName><CreateDate>2026-01-02T03:04:05Z</CreateDate>\
        <AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</AssumeRolePolicyDocument></member></RoleDetailList>\
        <IsTruncated>false</IsTruncated></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>";
    let answer = ask("iam", "GetAccountAuthorizationDetails", 200, body).unwrap();
    let role = &answer["RoleDetailList"][0];
    assert_eq!(role["AssumeRolePolicyDocument"], serde_json::json!({"Statement": []}));
    assert_eq!(role["CreateDate"], "2026-01-02T03:04:05+00:00");
}

#[test]
fn s3_peculiarities() {
    let error = b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please</Message></Error>";
    let outcome = ask("s3", "ListBuckets", 200, error);
    assert!(matches!(outcome, Err(ParseError::Api(ApiError { ref code, .. })) if code == "SlowDown"), "{outcome:?}");
    let entities = b"<ListAllMyBucketsResult><Buckets><Bucket><Name>a&amp;b&#x41;</Name></Bucket></Buckets></ListAllMyBucketsResult>";
    assert_eq!(ask("s3", "ListBuckets", 200, entities).unwrap()["Buckets"][0]["Name"], "a&bA");
}

#[test]
fn errors_that_are_not_the_protocols() {
    for (name, operation) in
        [("ec2", "DescribeVpcs"), ("s3", "ListBuckets"), ("lambda", "ListFunctions"), ("kms", "ListKeys")]
    {
        for body in [b"".as_slice(), b"<html>Bad gateway</html>", b"{", b"\xff"] {
            match ask(name, operation, 502, body) {
                Err(ParseError::Api(error)) => assert_eq!((error.status, error.code.as_str()), (502, "502")),
                other => panic!("{other:?}"),
            }
        }
    }
}
