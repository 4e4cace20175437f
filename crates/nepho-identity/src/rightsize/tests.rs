use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Gap, Need, Options, Refusal, RightSized, Subject, right_size};
use crate::actions::Catalogue;
use crate::context::Context;
use crate::evaluate::{Attached, Outcome, Policies, Request};
use crate::pattern::Pattern;
use crate::policy::Policy;
use crate::principal::Principal;
use crate::usage::{LastAccessed, Reader, Target, Usage};

const ROLE: &str = "arn:aws:iam::111122223333:role/ci/Build";

fn role() -> Principal {
    Principal::Role { arn: ROLE.into() }
}

/// A record of the role, in the form that CloudTrail writes them.
fn record(time: &str, source: &str, name: &str, more: &Json) -> Json {
    let mut record = json!({"eventVersion": "1.08", "userIdentity": {"type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/Build/x", "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE, "accountId": "111122223333"}}},
        "eventTime": time, "eventSource": source, "eventName": name, "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.64", "eventType": "AwsApiCall", "managementEvent": true,
        "recipientAccountId": "111122223333", "eventCategory": "Management"});
    if let (Some(fields), Json::Object(more)) = (record.as_object_mut(), more) {
        fields.extend(more.clone());
    }
    record
}

fn data(arn: &str) -> Json {
    json!({"managementEvent": false, "eventCategory": "Data", "resources": [{"ARN": arn}]})
}

/// A trail of 31 days with these events.
fn trail(events: &[(&str, &str, Json)]) -> Usage {
    let first = record("2026-03-01T00:00:00Z", "sts.amazonaws.com", "GetCallerIdentity", &json!({}));
    let last = record("2026-03-31T00:00:00Z", "sts.amazonaws.com", "GetCallerIdentity", &json!({}));
    let of = |(source, name, more): &(&str, &str, Json)| record("2026-03-09T10:00:00Z", source, name, more);
    let records: Vec<Json> = [first, last].into_iter().chain(events.iter().map(of)).collect();
    let mut reader = Reader::new(Catalogue::embedded(), None);
    reader.read("trail", json!({"Records": records}).to_string().as_bytes());
    let usage = reader.finish();
    assert_eq!(usage.troubles, []);
    usage
}

fn context() -> Context {
    let mut context = Context::open();
    context.of_principal(&role());
    context
}

fn sized_with(statements: Json, usage: &Usage, accessed: Option<&LastAccessed>) -> Result<RightSized, Refusal> {
    let policy = Policy::of(&json!({"Version": "2012-10-17", "Statement": statements}));
    assert_eq!(policy.problems, []);
    let context = context();
    let principal = role();
    let subject = Subject {
        principal: &principal,
        policies: vec![Attached { name: "today", policy: &policy }],
        context: &context,
        tags: &[("team".into(), "payments".into())],
        known: &[],
    };
    right_size(&subject, usage, accessed, Catalogue::embedded(), Options::default())
}

fn sized(statements: Json, usage: &Usage) -> RightSized {
    let result = sized_with(statements, usage, None).unwrap();
    assert_eq!(result.proof.lost, []);
    result
}

/// The statements of the only policy.
fn statements(result: &RightSized) -> Json {
    let documents = result.documents();
    assert_eq!(documents.len(), 1, "{documents:?}");
    documents[0]["Statement"].clone()
}

#[test]
fn what_was_used_stays_and_the_rest_goes() {
    let usage = trail(&[
        ("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::reports/2026/01/a.csv")),
        ("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::reports/2026/02/a.csv")),
        ("s3.amazonaws.com", "HeadObject", data("arn:aws:s3:::reports/2026/02/a.csv")),
        ("s3.amazonaws.com", "PutObject", data("arn:aws:s3:::reports/out.csv")),
        ("ec2.amazonaws.com", "DescribeInstances", json!({})),
        ("iam.amazonaws.com", "GetRole", json!({"requestParameters": {"roleName": "Audit"}})),
    ]);
    let result = sized(json!([{"Effect": "Allow", "Action": ["s3:*", "ec2:*", "iam:Get*"], "Resource": "*"}]), &usage);
    assert_eq!(
        statements(&result),
        json!([
            {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"},
            {"Effect": "Allow", "Action": "iam:GetRole",
                "Resource": ["arn:aws:iam::111122223333:role/*/Audit", "arn:aws:iam::111122223333:role/Audit"]},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/2026/*/a.csv"},
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::reports/out.csv"},
        ])
    );
    assert_eq!(result.proof.asked, 6);
    assert!(result.pairs.after * 50 < result.pairs.before && result.pairs.after > 0, "{:?}", result.pairs);
}

#[test]
fn nothing_is_allowed_that_is_not_today() {
    let used = trail(&[
        ("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::reports/in/2025")),
        ("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::reports/in/2026")),
        ("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::other/x")),
        ("ec2.amazonaws.com", "DescribeVpcs", json!({})),
    ]);
    // Of what would be put together only some is allowed; some of what was used is not any more.
    let result = sized(
        json!([{"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource":
            ["arn:aws:s3:::reports/in/2025", "arn:aws:s3:::reports/in/20?6", "arn:aws:s3:::reports/${aws:username}/*"]}]),
        &used,
    );
    assert_eq!(
        statements(&result),
        json!([{"Effect": "Allow", "Action": "s3:GetObject",
        "Resource": ["arn:aws:s3:::reports/in/2025", "arn:aws:s3:::reports/in/2026"]}])
    );
    let refused: Vec<_> = result.not_today.iter().map(|need| need.action.as_str()).collect();
    assert_eq!(refused, ["ec2:DescribeVpcs", "s3:GetObject"]);
    // All but some: the wildcard would take in what is left out.
    let result = sized(
        json!([{"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::reports/in/2027"}]),
        &trail(&[
            ("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::reports/in/2025")),
            ("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::reports/in/2026")),
        ]),
    );
    let of_used = |result: &RightSized| {
        let all = result.policies.iter().flatten();
        all.filter(|rule| rule.sid.is_none()).map(super::Rule::to_json).collect::<Vec<_>>()
    };
    assert_eq!(
        of_used(&result),
        [json!({"Effect": "Allow", "Action": "s3:GetObject",
        "Resource": ["arn:aws:s3:::reports/in/2025", "arn:aws:s3:::reports/in/2026"]})]
    );
}

#[test]
fn conditions_variables_and_denies_stay() {
    let usage = trail(&[("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::home/alice/x"))]);
    let condition = json!({"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]},
        "ForAnyValue:StringLikeIfExists": {"aws:TagKeys": "a${*}*"}});
    let result = sized(
        json!([
            {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:PrincipalTag/who}/*",
                "Condition": condition},
            {"Sid": "NoDelete", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"},
            {"Sid": "NotOutside", "Effect": "Deny", "Action": "s3:Get*", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ]),
        &usage,
    );
    assert_eq!(
        statements(&result),
        json!([
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/${aws:PrincipalTag/who}/*",
                "Condition": condition},
            {"Sid": "NotOutside", "Effect": "Deny", "Action": "s3:Get*", "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ])
    );
    // Without conditions before with.
    let two = json!([
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/*"},
    ]);
    assert_eq!(
        statements(&sized(two, &usage)),
        json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::home/alice/x"}])
    );
}

#[test]
fn services_without_data_events_keep_what_they_have() {
    let today = || {
        json!([
            {"Sid": "All", "Effect": "Allow", "Action": ["s3:*", "lambda:*"], "Resource": ["arn:aws:s3:::reports*", "arn:aws:lambda:*:*:*"]},
            {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:Delete*"], "Resource": "arn:aws:sqs:eu-west-1:111122223333:jobs"},
        ])
    };
    let usage = trail(&[
        ("s3.amazonaws.com", "GetBucketAcl", json!({"requestParameters": {"bucketName": "reports"}})),
        ("lambda.amazonaws.com", "Invoke", data("arn:aws:lambda:eu-west-1:111122223333:function:resize")),
    ]);
    let result = sized(today(), &usage);
    let kept: Vec<_> = result.kept.iter().map(|of| (of.service.as_str(), of.gap)).collect();
    assert_eq!(kept, [("s3", Gap::NoDataEvents), ("sqs", Gap::NoDataEvents)]);
    let statements = statements(&result);
    let of =
        |sid: &str| -> Vec<&Json> { statements.as_array().unwrap().iter().filter(|of| of["Sid"] == sid).collect() };
    let s3 = of("KeptUseNotKnown");
    assert_eq!(s3[0]["Resource"], "arn:aws:s3:::reports*", "{statements}");
    let actions: Vec<&str> = s3[0]["Action"].as_array().unwrap().iter().map(|of| of.as_str().unwrap()).collect();
    // What is a management event is known not to be used; what stays is written briefly.
    assert!(
        actions.contains(&"s3:PutObject*") && !actions.iter().any(|of| of.contains("Bucket") && of.contains("Put")),
        "{actions:?}"
    );
    assert!(actions.len() < 25, "{actions:?}");
    let sqs = of("KeptUseNotKnown2");
    assert_eq!(
        *sqs[0],
        json!({"Sid": "KeptUseNotKnown2", "Effect": "Allow", "Action": ["sqs:DeleteMessage", "sqs:SendMessage"],
        "Resource": "arn:aws:sqs:eu-west-1:111122223333:jobs"})
    );
    // IAM knows that a service was not used.
    let accessed = LastAccessed::of(&json!({"ServicesLastAccessed": [{"ServiceNamespace": "sqs"},
        {"ServiceNamespace": "s3", "LastAuthenticated": "2026-03-09T10:00:00Z"}]}))
    .unwrap();
    let result = sized_with(today(), &usage, Some(&accessed)).unwrap();
    assert_eq!(result.kept.iter().map(|of| of.service.as_str()).collect::<Vec<_>>(), ["s3"]);
}

#[test]
fn last_accessed_data_says_what_the_trail_does_not() {
    let usage = trail(&[("ec2.amazonaws.com", "DescribeVpcs", json!({}))]);
    let accessed = LastAccessed::of(&json!({"ServicesLastAccessed": [
        {"ServiceNamespace": "iam", "LastAuthenticated": "2026-03-09T10:00:00Z", "TrackedActionsLastAccessed": [
            {"ActionName": "GetRole", "LastAccessedTime": "2026-03-09T10:00:00Z"},
            {"ActionName": "GetUser", "LastAccessedTime": "2025-03-09T10:00:00Z"}]},
        {"ServiceNamespace": "polly", "LastAuthenticated": "2026-03-09T10:00:00Z"}]}))
    .unwrap();
    let today = json!([
        {"Effect": "Allow", "Action": ["ec2:Describe*", "iam:*"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["polly:*", "sqs:CreateQueue"], "Resource": "*"},
    ]);
    let result = sized_with(today, &usage, Some(&accessed)).unwrap();
    assert_eq!(result.proof.lost, []);
    assert_eq!(
        statements(&result),
        json!([
            {"Effect": "Allow", "Action": ["ec2:DescribeVpcs", "iam:GetRole"], "Resource": "*"},
            {"Sid": "KeptUseNotKnown", "Effect": "Allow", "Action": "polly:*", "Resource": "*"},
        ])
    );
    assert_eq!(result.kept.iter().map(|of| of.gap).collect::<Vec<_>>(), [Gap::OnlyLastAccessed]);
}

#[test]
fn too_little_is_said_and_nothing_guessed() {
    let today = || json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let mut reader = Reader::new(Catalogue::embedded(), None);
    let records = [
        record("2026-03-01T10:00:00Z", "ec2.amazonaws.com", "DescribeVpcs", &json!({})),
        record(
            "2026-03-05T10:00:00Z",
            "ec2.amazonaws.com",
            "DescribeVpcs",
            &json!({"errorCode": "Client.UnauthorizedOperation"}),
        ),
    ];
    reader.read("trail", json!({"Records": records}).to_string().as_bytes());
    let refusal = sized_with(today(), &reader.finish(), None).unwrap_err();
    assert!(matches!(refusal, Refusal::TooShort { days: 5, requests: 1, .. }), "{refusal}");
    assert!(
        refusal.to_string().contains("5 days only, from 2026-03-01T10:00:00Z to 2026-03-05T10:00:00Z"),
        "{refusal}"
    );
    let refusal = sized_with(today(), &trail(&[]), None).unwrap_err();
    assert!(matches!(refusal, Refusal::TooFew { requests: 0, records: 2, least: 1, .. }), "{refusal}");
    assert_eq!(sized_with(today(), &Usage::default(), None).unwrap_err(), Refusal::NoRecords);
}

#[test]
fn what_is_too_large_for_one_policy_is_several() {
    let names = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "jay"];
    let sizes = |arns: &[String]| {
        let events: Vec<_> = arns.iter().map(|arn| ("s3.amazonaws.com", "GetObject", data(arn))).collect();
        let result = sized(json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]), &trail(&events));
        let documents = result.documents();
        assert!(documents.iter().all(|of| of.to_string().len() <= super::MOST_CHARACTERS));
        (documents.len(), result.notes.iter().any(|note| note.contains("wider patterns")))
    };
    let buckets: Vec<String> = (0..400).map(|n| format!("arn:aws:s3:::team-{n}-uploads/{}", names[n % 9])).collect();
    assert_eq!(sizes(&buckets), (3, false));
    let keys: Vec<String> = (0..3_000)
        .map(|n| format!("arn:aws:s3:::bucket-{}/{}/{}/{}", n % 97, names[n % 9], names[n / 9 % 9], names[n / 81 % 9]))
        .collect();
    assert_eq!(sizes(&keys), (1, true));
}

#[test]
fn conditions_that_held_for_all_are_offered() {
    let usage = trail(&[
        ("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::reports/payments/x")),
        ("ec2.amazonaws.com", "DescribeVpcs", json!({"tlsDetails": {"tlsVersion": "TLSv1.3"}})),
    ]);
    let result = sized(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]), &usage);
    let offered: Vec<_> = result.suggestions.iter().map(|of| (of.key.as_str(), of.values.join(","))).collect();
    assert_eq!(
        offered,
        [
            ("aws:SourceIp", "203.0.113.64/32".to_owned()),
            ("aws:RequestedRegion", "eu-west-1".to_owned()),
            ("${aws:PrincipalTag/team}", "s3:GetObject".to_owned()),
        ]
    );
}

#[test]
fn terraform_and_difference_say_the_same() {
    let usage = trail(&[("s3.amazonaws.com", "GetObject", data("arn:aws:s3:::reports/a\"b${c}%{d}"))]);
    let result = sized(
        json!([
            {"Sid": "Read", "Effect": "Allow", "Action": ["s3:getobject", "s3:PutBucketPolicy"], "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/team": "${aws:RequestTag/team}"}}},
            {"Sid": "Unused", "Effect": "Allow", "Action": "iam:*", "Resource": "*"},
        ]),
        &usage,
    );
    let terraform = "data \"aws_iam_policy_document\" \"build_right_sized\" {
  statement {
    effect = \"Allow\"
    actions = [
      \"s3:GetObject\",
    ]
    resources = [
      \"arn:aws:s3:::reports/a\\\"b$${$}{c}%%{d}\",
    ]

    condition {
      test     = \"StringEquals\"
      variable = \"aws:PrincipalTag/team\"
      values = [
        \"$${aws:RequestTag/team}\",
      ]
    }
  }
}

resource \"aws_iam_policy\" \"build_right_sized\" {
  name   = \"Build-right-sized\"
  policy = data.aws_iam_policy_document.build_right_sized.json
}
";
    assert_eq!(result.terraform("Build-right-sized"), terraform);
    let diff = "--- today, Read
+++ right-sized
@@ Action @@
 s3:GetObject
-s3:PutBucketPolicy
@@ Resource @@
-*
+arn:aws:s3:::reports/a\"b${$}{c}%{d}
--- today, Unused
+++ right-sized
@@ Action @@
-iam:*
@@ Resource @@
-*
";
    assert_eq!(result.diff(), diff);
}

/// Actions with events of their names and a resource of each.
const EVENTS: [(&str, &str, &str); 12] = [
    ("s3.amazonaws.com", "GetObject", "arn:aws:s3:::a/1/x"),
    ("s3.amazonaws.com", "GetObject", "arn:aws:s3:::a/2/x"),
    ("s3.amazonaws.com", "PutObject", "arn:aws:s3:::a/1/x"),
    ("s3.amazonaws.com", "PutObject", "arn:aws:s3:::b/x"),
    ("s3.amazonaws.com", "ListObjectsV2", "arn:aws:s3:::a"),
    ("kms.amazonaws.com", "Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("kms.amazonaws.com", "Encrypt", "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("sts.amazonaws.com", "AssumeRole", "arn:aws:iam::444455556666:role/Audit"),
    ("sqs.amazonaws.com", "SendMessage", "arn:aws:sqs:eu-west-1:111122223333:jobs1"),
    ("sqs.amazonaws.com", "SendMessage", "arn:aws:sqs:us-east-1:111122223333:jobs2"),
    ("ec2.amazonaws.com", "DescribeVpcs", ""),
    ("iam.amazonaws.com", "GetUser", ""),
];

const ACTIONS: [&str; 12] = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "s3:*Object",
    "s3:List*",
    "kms:*crypt",
    "kms:Decrypt",
    "sts:*",
    "sqs:*",
    "ec2:Describe*",
    "iam:GetUser",
];

const RESOURCES: [&str; 11] = [
    "*",
    "arn:aws:s3:::a",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::a/1/*",
    "arn:aws:s3:::?/*x",
    "arn:aws:s3:::${aws:PrincipalTag/b}/*",
    "arn:aws:kms:*:111122223333:key/*",
    "arn:aws:iam::444455556666:role/*",
    "arn:aws:sqs:*:*:jobs1",
    "arn:aws:sqs:*:111122223333:*",
    "arn:aws:*:eu-west-1:*:*",
];

fn conditions() -> impl Strategy<Value = Json> {
    prop_oneof![
        3 => Just(json!({})),
        1 => Just(json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})),
        1 => Just(json!({"Bool": {"aws:SecureTransport": "true"}})),
        1 => Just(json!({"StringLike": {"aws:PrincipalArn": "*role/ci/*"}})),
        1 => Just(json!({"StringLike": {"aws:PrincipalArn": "*role/other/*"}})),
        1 => Just(json!({"StringNotEqualsIfExists": {"aws:PrincipalTag/b": ["a", "${aws:RequestedRegion}"]}})),
    ]
}

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(of), 1..4)
}

fn statement() -> impl Strategy<Value = Json> {
    let parts = (some(&ACTIONS), some(&RESOURCES), conditions(), 0..6u8, 0..6u8, 0..6u8);
    parts.prop_map(|(actions, resources, conditions, deny, not_action, not_resource)| {
        json!({"Effect": if deny == 0 { "Deny" } else { "Allow" },
            (if not_action == 0 { "NotAction" } else { "Action" }): actions,
            (if not_resource == 0 { "NotResource" } else { "Resource" }): resources,
            "Condition": conditions})
    })
}

/// What policies say of a request whose circumstances are all known.
fn allows(policies: &[Policy], action: &str, target: &Target, tag: Option<&str>, region: &str, secure: bool) -> bool {
    let principal = role();
    let mut context = Context::closed();
    context.of_principal(&principal).set("aws:RequestedRegion", region).set("aws:SecureTransport", &secure.to_string());
    if let Some(tag) = tag {
        context.set("aws:PrincipalTag/b", tag);
    }
    let trusting = super::judge::trusting("111122223333");
    let identity = policies.iter().map(|policy| Attached { name: "", policy }).collect();
    let policies =
        Policies { identity, resource: vec![Attached { name: "", policy: &trusting }], ..Policies::default() };
    let resource = match target {
        Target::Of(pattern) => pattern.clone(),
        _ => Pattern::new("*"),
    };
    let request = Request {
        principal: &principal,
        action,
        resource,
        account: "111122223333",
        without_resource: *target == Target::Without,
        context: &context,
    };
    policies.decide(&request).outcome == Outcome::Allowed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever today's policies are: in all circumstances what was used is allowed if it is today, and nothing is allowed
    /// that is not.
    #[test]
    fn used_requests_stay_allowed_and_nothing_comes_new(
        statements in proptest::collection::vec(statement(), 1..6),
        used in proptest::collection::vec(any::<bool>(), EVENTS.len()),
        old in any::<bool>(),
    ) {
        let events: Vec<_> = EVENTS.iter().zip(&used).filter(|(_, used)| **used).map(|((source, name, arn), _)| {
            (*source, *name, if arn.is_empty() { json!({}) } else { data(arn) })
        }).collect();
        let usage = trail(&events);
        let version = if old { "2008-10-17" } else { "2012-10-17" };
        let today = Policy::of(&json!({"Version": version, "Statement": statements}));
        let (principal, context) = (role(), context());
        let subject = Subject { principal: &principal, policies: vec![Attached { name: "today", policy: &today }],
            context: &context, tags: &[], known: &[] };
        let options = Options { least_requests: 0, ..Options::default() };
        let result = super::propose(&subject, &usage, None, Catalogue::embedded(), options).unwrap();
        prop_assert_eq!(&result.proof.lost, &Vec::<Need>::new());
        let after: Vec<Policy> = result.documents().iter().map(Policy::of).collect();
        prop_assert!(after.iter().all(|policy| policy.problems.is_empty()));
        let before = [today];
        let circumstances = [(None, "eu-west-1", true), (Some("a"), "eu-west-1", false), (Some("b"), "us-east-1", true),
            (Some("us-east-1"), "us-east-1", true), (None, "us-east-1", false)];
        for (tag, region, secure) in circumstances {
            for (action, target, _) in usage.of(&principal).unwrap().actions() {
                // Which resource it was is not said.
                if target == Target::Unknown {
                    continue;
                }
                let was = allows(&before, action, &target, tag, region, secure);
                let is = allows(&after, action, &target, tag, region, secure);
                prop_assert_eq!(is, was, "{} {:?} {:?}", action, target, (tag, region, secure));
            }
            for (action, arn) in PROBES {
                let target = if arn.is_empty() { Target::Without } else { Target::Of(Pattern::literal(arn)) };
                let is = allows(&after, action, &target, tag, region, secure);
                prop_assert!(!is || allows(&before, action, &target, tag, region, secure), "{} {} is new", action, arn);
            }
        }
    }
}

/// Requests beside those that were used.
const PROBES: [(&str, &str); 17] = [
    ("s3:GetObject", "arn:aws:s3:::a/1/x"),
    ("s3:GetObject", "arn:aws:s3:::a/1/y"),
    ("s3:GetObject", "arn:aws:s3:::a/3/x"),
    ("s3:GetObject", "arn:aws:s3:::b/x"),
    ("s3:PutObject", "arn:aws:s3:::a/2/x"),
    ("s3:PutObjectAcl", "arn:aws:s3:::a/1/x"),
    ("s3:ListBucket", "arn:aws:s3:::a"),
    ("s3:ListBucket", "arn:aws:s3:::b"),
    ("s3:PutBucketPolicy", "arn:aws:s3:::a"),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab"),
    ("sts:AssumeRole", "arn:aws:iam::444455556666:role/Other"),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:jobs3"),
    ("sqs:ReceiveMessage", "arn:aws:sqs:eu-west-1:111122223333:jobs1"),
    ("ec2:DescribeInstances", ""),
    ("iam:GetUser", "arn:aws:iam::111122223333:user/x"),
    ("iam:CreateUser", "arn:aws:iam::111122223333:user/x"),
    ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:111122223333:function:f"),
];
