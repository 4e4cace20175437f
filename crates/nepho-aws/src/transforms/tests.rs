//! What each transform makes of policies and answers as they occur.

use serde_json::{Value as Json, json};

use super::{TRANSFORMS, transform};
use nepho_collect::TransformContext;

fn run_with(name: &str, value: Json, args: Json) -> Json {
    let item = Json::Null;
    let context = TransformContext { account: "111122223333", region: "us-east-1", item: &item, args: &args };
    transform(name).unwrap()(&value, &context).unwrap()
}

fn run(name: &str, value: Json) -> Json {
    run_with(name, value, Json::Null)
}

fn error(name: &str, value: Json) -> String {
    let item = Json::Null;
    let context = TransformContext { account: "111122223333", region: "us-east-1", item: &item, args: &Json::Null };
    transform(name).unwrap()(&value, &context).unwrap_err()
}

/// A resource policy with one Allow for everyone and these conditions.
fn open(condition: Json) -> Json {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*", "Condition": condition,
    }]})
}

#[test]
fn names_are_unique_and_in_order() {
    let names: Vec<_> = TRANSFORMS.iter().map(|(name, _, _)| *name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    assert!(transform("no-such-transform").is_none());
}

#[test]
fn absence_stays_absence() {
    for (name, _, _) in TRANSFORMS {
        let args = json!({"access": "read", "actions": ["s3:GetObject"]});
        let expected = match *name {
            "credential-report" => json!([]),
            "s3-public-access" => json!(false),
            _ => Json::Null,
        };
        assert_eq!(run_with(name, Json::Null, args), expected, "{name}");
    }
}

#[test]
fn everyone_is_public_however_it_is_written() {
    for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["arn:aws:iam::111122223333:root", "*"]})] {
        let policy =
            json!({"Statement": {"Effect": "Allow", "Principal": principal, "Action": ["sqs:*"], "Resource": "*"}});
        assert_eq!(run("policy-public", policy.clone()), json!(true), "{policy}");
        assert_eq!(run("policy-public", json!(policy.to_string())), json!(true), "as text");
    }
    let all_but_one = json!({"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/a"}, "Action": "s3:*", "Resource": "*"}]});
    assert_eq!(run("policy-public", all_but_one), json!(true));
}

#[test]
fn url_encoded_documents_are_read() {
    let text = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%22%2A%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    assert_eq!(run("policy-public", json!(text)), json!(true));
}

#[test]
fn named_principals_and_services_are_not_public() {
    for principal in [
        json!({"AWS": "arn:aws:iam::444455556666:root"}),
        json!({"Service": "cloudtrail.amazonaws.com"}),
        json!({"Federated": "cognito-identity.amazonaws.com"}),
        json!({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}),
    ] {
        let policy =
            json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"}]});
        assert_eq!(run("policy-public", policy.clone()), json!(false), "{policy}");
    }
    assert_eq!(
        run("policy-public", json!({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*"}]})),
        json!(false)
    );
    assert_eq!(
        run("policy-public", json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})),
        json!(false)
    );
    assert_eq!(run("policy-public", json!({"Statement": []})), json!(false));
}

#[test]
fn conditions_that_limit() {
    for condition in [
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}),
        json!({"StringEquals": {"AWS:SourceOwner": "111122223333"}}),
        json!({"StringLike": {"aws:PrincipalOrgPaths": "o-abc123/r-1/ou-1/*"}}),
        json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-abc123/*"]}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::my-bucket"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:my-bucket"}}),
        json!({"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}),
        json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        json!({"IpAddress": {"aws:SourceIp": ["203.0.113.7", "2001:db8::/32"]}}),
        json!({"StringLike": {"aws:userid": "AROAEXAMPLEID1234:*"}}),
        json!({"StringEquals": {"kms:CallerAccount": "111122223333", "kms:ViaService": "s3.us-east-1.amazonaws.com"}}),
        json!({"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true", "aws:SecureTransport": true}}),
    ] {
        assert_eq!(run("policy-public", open(condition.clone())), json!(false), "{condition}");
    }
}

#[test]
fn conditions_that_seem_to_limit() {
    for condition in [
        json!({}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}),
        json!({"StringLike": {"aws:Referer": "https://example.com/*"}}),
        json!({"StringLike": {"aws:PrincipalArn": "*"}}),
        json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:*"}}),
        json!({"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}),
        json!({"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abc123"}}),
        json!({"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}),
        json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
        json!({"Null": {"aws:PrincipalOrgID": "false"}}),
        json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}),
        json!({"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}),
        json!({"StringEquals": {"aws:SourceAccount": []}}),
        json!({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}),
    ] {
        assert_eq!(run("policy-public", open(condition.clone())), json!(true), "{condition}");
    }
}

#[test]
fn a_deny_of_outsiders_takes_an_open_allow_back() {
    let policy = |deny: Json| {
        json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"},
            deny,
        ]})
    };
    let outside_endpoint = policy(
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::a/*"],
        "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}, "BoolIfExists": {"aws:ViaAWSService": "false"}}}),
    );
    assert_eq!(run("policy-public", outside_endpoint), json!(false));
    let other_action = policy(json!({"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*"}));
    assert_eq!(run("policy-public", other_action), json!(true));
    let other_resource =
        policy(json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::a"}));
    assert_eq!(run("policy-public", other_resource), json!(true));
    let plain_http = policy(
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
    );
    assert_eq!(run("policy-public", plain_http), json!(true));
    let one_user = policy(
        json!({"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:user/a"}, "Action": "s3:*", "Resource": "*"}),
    );
    assert_eq!(run("policy-public", one_user), json!(true));
}

#[test]
fn public_actions_are_those_of_open_statements() {
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sqs:*", "Resource": "*"},
    ]});
    assert_eq!(run("policy-public-actions", policy), json!(["sqs:ReceiveMessage", "sqs:SendMessage"]));
    let negated =
        json!({"Statement": {"Effect": "Allow", "Principal": "*", "NotAction": "sqs:DeleteQueue", "Resource": "*"}});
    assert_eq!(run("policy-public-actions", negated), json!(["*"]));
}

#[test]
fn external_accounts_are_those_named() {
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ["444455556666", "arn:aws:iam::777788889999:role/x", "arn:aws:iam::111122223333:root", "AIDAEXAMPLE"]}, "Action": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": "222233334444"}}},
        {"Effect": "Deny", "Principal": {"AWS": "555566667777"}, "Action": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}, "Action": "s3:GetObject", "Resource": "*"},
    ]});
    assert_eq!(
        run("policy-external-accounts", policy.clone()),
        json!(["222233334444", "444455556666", "777788889999"])
    );
    assert_eq!(
        run("policy-principals", policy),
        json!([
            "*",
            "444455556666",
            "AIDAEXAMPLE",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::777788889999:role/x",
            "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"
        ])
    );
}

#[test]
fn trust_in_other_accounts_needs_a_guard() {
    let trust = |condition: Json| json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole", "Condition": condition}]});
    for guard in [
        json!({"StringEquals": {"sts:ExternalId": "unguessable"}}),
        json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}),
    ] {
        assert_eq!(run("policy-external-accounts-unguarded", trust(guard.clone())), json!([]), "{guard}");
    }
    for none in [
        json!({}),
        json!({"StringLike": {"sts:ExternalId": "*"}}),
        json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}),
    ] {
        assert_eq!(run("policy-external-accounts-unguarded", trust(none.clone())), json!(["444455556666"]), "{none}");
    }
}

#[test]
fn services_and_their_sources() {
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}, "Action": "sqs:SendMessage", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:bucket"}, "StringEquals": {"aws:SourceAccount": "111122223333"}}},
        {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "*"}}},
        {"Effect": "Deny", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"},
    ]});
    assert_eq!(
        run("policy-service-principals", policy.clone()),
        json!(["config.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com"])
    );
    assert_eq!(
        run("policy-services-without-source", policy),
        json!(["config.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"])
    );
}

#[test]
fn federation_needs_claims_that_narrow() {
    let github = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let trust = |provider: &str, condition: Json| json!({"Statement": [{"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}]});
    let aud = json!("sts.amazonaws.com");
    for narrow in [
        json!({"StringEquals": {"token.actions.githubusercontent.com:aud": aud, "token.actions.githubusercontent.com:sub": "repo:acme/site:ref:refs/heads/main"}}),
        json!({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}),
        json!({"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:acme/a:*", "repo:acme/b:*"]}}),
        json!({"StringEquals": {"token.actions.githubusercontent.com:repository_owner": "acme"}}),
    ] {
        assert_eq!(run("policy-open-federation", trust(github, narrow.clone())), json!([]), "{narrow}");
    }
    for open in [
        json!({}),
        json!({"StringEquals": {"token.actions.githubusercontent.com:aud": aud}}),
        json!({"StringLike": {"token.actions.githubusercontent.com:sub": "*"}}),
        json!({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*"}}),
        json!({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:*/site:*"}}),
        json!({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme*"}}),
        json!({"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:acme/a:*", "*"]}}),
        json!({"StringLikeIfExists": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}),
        json!({"ForAllValues:StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}),
        json!({"StringEquals": {"token.actions.githubusercontent.com:ref": "refs/heads/main"}}),
        json!({"StringEquals": {"gitlab.com:sub": "project_path:acme/site:ref_type:branch:ref:main"}}),
    ] {
        assert_eq!(run("policy-open-federation", trust(github, open.clone())), json!([github]), "{open}");
    }
    let eks = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC";
    let account =
        json!({"StringEquals": {"oidc.eks.us-east-1.amazonaws.com/id/ABC:sub": "system:serviceaccount:shop:cart"}});
    assert_eq!(run("policy-open-federation", trust(eks, account)), json!([]));
    let any_pod = json!({"StringEquals": {"oidc.eks.us-east-1.amazonaws.com/id/ABC:aud": "sts.amazonaws.com"}});
    assert_eq!(run("policy-open-federation", trust(eks, any_pod.clone())), json!([]));
    assert_eq!(run_with("policy-open-federation", trust(eks, any_pod), json!({"clusters": true})), json!([eks]));
    let pool = json!({"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:1"}});
    assert_eq!(run("policy-open-federation", trust("cognito-identity.amazonaws.com", pool)), json!([]));
    let signed_in = json!({"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}});
    assert_eq!(
        run("policy-open-federation", trust("cognito-identity.amazonaws.com", signed_in)),
        json!(["cognito-identity.amazonaws.com"])
    );
    assert_eq!(
        run("policy-open-federation", trust("cognito-identity.amazonaws.com", json!({}))),
        json!(["cognito-identity.amazonaws.com"])
    );
    let saml = "arn:aws:iam::111122223333:saml-provider/okta";
    assert_eq!(run("policy-open-federation", trust(saml, json!({}))), json!([]));
    assert_eq!(run("policy-federated-principals", trust(saml, json!({}))), json!([saml]));
}

#[test]
fn tls_is_required_by_a_deny_for_everyone_and_all() {
    let deny = |statement: Json| json!({"Statement": [statement]});
    let http = json!({"Bool": {"aws:SecureTransport": "false"}});
    let both = json!(["arn:aws:s3:::a", "arn:aws:s3:::a/*"]);
    for good in [
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": both, "Condition": http}),
        json!({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:SecureTransport": false}}}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "arn:aws:sqs:us-east-1:111122223333:q", "Condition": http}),
    ] {
        assert_eq!(run("policy-requires-tls", deny(good.clone())), json!(true), "{good}");
    }
    for bad in [
        json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": both, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": both, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
        json!({"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "s3:*", "Resource": both, "Condition": http}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": both, "Condition": http}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::a", "Condition": http}),
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": both, "Condition": {"Bool": {"aws:SecureTransport": "false"}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
    ] {
        assert_eq!(run("policy-requires-tls", deny(bad.clone())), json!(false), "{bad}");
    }
}

fn identity(actions: Json, resource: &str) -> Json {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]})
}

#[test]
fn full_admin_is_everything_on_everything() {
    for admin in [
        identity(json!("*"), "*"),
        identity(json!(["s3:GetObject", "*:*"]), "*"),
        json!([identity(json!("s3:*"), "*"), identity(json!("*"), "*")]),
    ] {
        assert_eq!(run("policy-full-admin", admin.clone()), json!(true), "{admin}");
    }
    for other in [
        identity(json!("iam:*"), "*"),
        identity(json!("*"), "arn:aws:s3:::a/*"),
        json!({"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}),
        json!({"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}),
        json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*"}]}),
        json!([]),
    ] {
        assert_eq!(run("policy-full-admin", other.clone()), json!(false), "{other}");
    }
    let quarantine = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}]});
    assert_eq!(run("policy-full-admin", quarantine), json!(true));
}

#[test]
fn wildcard_actions_are_whole_services() {
    assert_eq!(
        run("policy-wildcard-actions", identity(json!(["S3:*", "ec2:Describe*", "iam:GetUser", "*"]), "*")),
        json!(["*", "s3:*"])
    );
    assert_eq!(
        run(
            "policy-wildcard-actions",
            json!({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}})
        ),
        json!(["*"])
    );
    assert_eq!(
        run("policy-wildcard-actions", json!({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}})),
        json!([])
    );
}

#[test]
fn actions_on_all_resources() {
    let args = json!(["kms:Decrypt", "kms:ReEncryptFrom"]);
    let on_all = |policy: Json| run_with("policy-actions-on-all", policy, args.clone());
    assert_eq!(on_all(identity(json!("kms:*"), "*")), json!(["kms:Decrypt", "kms:ReEncryptFrom"]));
    assert_eq!(on_all(identity(json!("kms:Dec*"), "arn:aws:kms:*:111122223333:key/*")), json!(["kms:Decrypt"]));
    assert_eq!(on_all(identity(json!("kms:Decrypt"), "arn:aws:kms:us-east-1:111122223333:key/1234")), json!([]));
    assert_eq!(on_all(identity(json!("kms:Encrypt"), "*")), json!([]));
    let via = json!({"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}}]});
    assert_eq!(on_all(via), json!([]));
    let mfa = json!({"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]});
    assert_eq!(on_all(mfa), json!(["kms:Decrypt"]));
    let denied = json!({"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}, {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}]});
    assert_eq!(on_all(denied), json!(["kms:ReEncryptFrom"]));
}

#[test]
fn all_resources_are_those_of_the_action() {
    let on_all = |resource: &str, action: &str| {
        run_with("policy-actions-on-all", identity(json!("*"), resource), json!([action])) == json!([action])
    };
    assert!(!on_all("arn:aws:s3:::one-bucket/*", "iam:PassRole"));
    assert!(!on_all("arn:aws:s3:::one-bucket/*", "s3:PutObject"));
    assert!(on_all("arn:aws:s3:::*", "s3:PutObject"));
    assert!(on_all("arn:aws:s3:::*/*", "s3:PutObject"));
    assert!(on_all("arn:aws:iam::*:role/*", "sts:AssumeRole"));
    assert!(on_all("arn:aws:iam::111122223333:role/*", "iam:PutRolePolicy"));
    assert!(!on_all("arn:aws:iam::111122223333:user/*", "iam:PassRole"));
    assert!(on_all("arn:aws:iam::111122223333:user/*", "iam:CreateAccessKey"));
    assert!(on_all("arn:aws:iam::111122223333:group/*", "iam:AddUserToGroup"));
    assert!(!on_all("arn:aws:iam::111122223333:user/*", "iam:CreatePolicyVersion"));
    assert!(on_all("arn:aws:lambda:*:*:function:*", "lambda:UpdateFunctionCode"));
}

#[test]
fn an_action_is_allowed_or_not() {
    let args = json!({"actions": ["sts:AssumeRole"], "resource": "*"});
    assert_eq!(run_with("policy-allows", identity(json!("sts:*"), "*"), args.clone()), json!(true));
    assert_eq!(
        run_with("policy-allows", identity(json!("sts:AssumeRole"), "arn:aws:iam::*:role/*"), args.clone()),
        json!(true)
    );
    assert_eq!(
        run_with(
            "policy-allows",
            identity(json!("sts:AssumeRole"), "arn:aws:iam::444455556666:role/deploy"),
            args.clone()
        ),
        json!(false)
    );
    assert_eq!(
        run_with(
            "policy-allows",
            json!({"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}),
            args
        ),
        json!(true)
    );
}

#[test]
fn escalation_methods_need_all_their_actions() {
    let methods = |policy: Json| run("policy-escalation-methods", policy);
    assert_eq!(
        methods(identity(json!(["iam:PassRole", "ec2:RunInstances"]), "*")),
        json!(["iam:PassRole+ec2:RunInstances"])
    );
    assert_eq!(methods(identity(json!(["ec2:RunInstances"]), "*")), json!([]));
    assert_eq!(methods(identity(json!(["iam:CreatePolicyVersion"]), "*")), json!(["iam:CreatePolicyVersion"]));
    assert_eq!(methods(identity(json!(["iam:CreateAccessKey"]), "arn:aws:iam::*:user/${aws:username}")), json!([]));
    let split = json!([identity(json!("iam:PassRole"), "*"), identity(json!("ec2:*"), "*")]);
    assert_eq!(methods(split), json!(["iam:PassRole+ec2:RunInstances"]));
    let pass = |service: &str| {
        json!({"Statement": [
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": service}}},
            {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"},
        ]})
    };
    assert_eq!(methods(pass("ec2.amazonaws.com")), json!(["iam:PassRole+ec2:RunInstances"]));
    assert_eq!(methods(pass("lambda.amazonaws.com")), json!([]));
    let bounded = json!({"Statement": [{"Effect": "Allow", "Action": "iam:PutRolePolicy", "Resource": "*", "Condition": {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/b"}}}]});
    assert_eq!(methods(bounded), json!([]));
    let denied = json!({"Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]});
    assert_eq!(methods(denied), json!([]));
}

#[test]
fn what_is_no_policy_is_an_error_and_never_a_panic() {
    assert!(error("policy-public", json!("not json")).starts_with("not JSON"));
    assert!(error("policy-public", json!(5)).contains("not a JSON object"));
    assert!(error("policy-public", json!("%ff%fe")).contains("UTF-8"));
    for odd in [
        json!({}),
        json!({"Statement": null}),
        json!({"Statement": [[], 1, "x", null, {}]}),
        json!({"Statement": [{"Effect": 1, "Principal": 2, "Action": 3}]}),
        json!({"Statement": [{"Effect": "Allow", "Principal": [], "Action": {}, "Resource": [[]], "Condition": []}]}),
        json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": {"a": "*"}}, "Action": ["", "*"], "Resource": "", "Condition": {"": {"": [null, {}]}}}]}),
        json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": ["arn:::::", "é:ü", "arn:aws:iam"]}, "Action": "é*?", "Resource": "*?*é"}]}),
    ] {
        for (name, _, _) in TRANSFORMS.iter().filter(|(name, _, _)| name.starts_with("policy-")) {
            run_with(name, odd.clone(), json!({"actions": ["a:b", 1]}));
        }
    }
}

#[test]
fn patterns_with_many_stars_end_soon() {
    let pattern = "*a".repeat(2_000);
    let text = "a".repeat(4_000) + "b";
    let policy = json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": text, "Resource": text},
        {"Effect": "Deny", "Principal": "*", "Action": pattern, "Resource": pattern},
    ]});
    assert_eq!(run("policy-public", policy), json!(true));
}

#[test]
fn a_bucket_is_public_by_policy_or_acl_unless_blocked() {
    let read = |value: Json| run_with("s3-public-access", value, json!({"access": "read"}));
    let write = |value: Json| run_with("s3-public-access", value, json!({"access": "write"}));
    let policy = |action: &str| json!({"Policy": json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::a/*"}]}).to_string()});
    let acl = |permission: &str, group: &str| json!({"Grants": [{"Grantee": {"Type": "Group", "URI": format!("http://acs.amazonaws.com/groups/{group}")}, "Permission": permission}]});
    let block = |setting: &str| json!({"PublicAccessBlockConfiguration": {setting: true}});
    assert_eq!(read(json!({"policy": policy("s3:GetObject")})), json!(true));
    assert_eq!(write(json!({"policy": policy("s3:GetObject")})), json!(false));
    assert_eq!(write(json!({"policy": policy("s3:Put*")})), json!(true));
    assert_eq!(
        read(json!({"policy": policy("s3:*"), "public_access_block": block("RestrictPublicBuckets")})),
        json!(false)
    );
    assert_eq!(
        read(json!({"policy": policy("s3:*"), "account_public_access_block": block("RestrictPublicBuckets")})),
        json!(false)
    );
    assert_eq!(read(json!({"policy": policy("s3:*"), "public_access_block": block("BlockPublicPolicy")})), json!(true));
    assert_eq!(read(json!({"acl": acl("READ", "global/AllUsers")})), json!(true));
    assert_eq!(read(json!({"acl": acl("READ", "global/AuthenticatedUsers")})), json!(true));
    assert_eq!(write(json!({"acl": acl("READ", "global/AllUsers")})), json!(false));
    assert_eq!(write(json!({"acl": acl("WRITE_ACP", "global/AllUsers")})), json!(true));
    assert_eq!(write(json!({"acl": acl("WRITE", "s3/LogDelivery")})), json!(false));
    assert_eq!(
        read(json!({"acl": acl("READ", "global/AllUsers"), "public_access_block": block("IgnorePublicAcls")})),
        json!(false)
    );
    let enforced = json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}});
    assert_eq!(read(json!({"acl": acl("READ", "global/AllUsers"), "ownership_controls": enforced})), json!(false));
    let partly = json!({"Policy": json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::a/*"},
        {"Effect": "Deny", "Principal": "*", "Action": ["s3:Put*", "s3:Delete*", "s3:ReplicateObject"], "Resource": "*"},
    ]}).to_string()});
    assert_eq!(read(json!({"policy": partly})), json!(true));
    assert_eq!(write(json!({"policy": partly})), json!(false));
}

#[test]
fn the_credential_report_is_one_object_a_user() {
    let report = "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active\n\
        <root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,no_information,false,false\n\
        N/A,arn:aws:iam::111122223333:user/N/A,2021-01-01T00:00:00+00:00,true,2026-01-01T00:00:00+00:00,true,false\n";
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(report);
    let expected = json!([
        {"user": "<root_account>", "arn": "arn:aws:iam::111122223333:root", "user_creation_time": "2020-01-01T00:00:00+00:00", "password_enabled": null, "password_last_used": null, "mfa_active": false, "access_key_1_active": false},
        {"user": "N/A", "arn": "arn:aws:iam::111122223333:user/N/A", "user_creation_time": "2021-01-01T00:00:00+00:00", "password_enabled": true, "password_last_used": "2026-01-01T00:00:00+00:00", "mfa_active": true, "access_key_1_active": false},
    ]);
    assert_eq!(run("credential-report", json!(encoded)), expected);
    assert_eq!(run("credential-report", json!([encoded])), expected);
    assert_eq!(run("credential-report", json!(report)), expected, "not encoded");
    assert!(error("credential-report", json!("!!!")).contains("not base64"));
    assert!(error("credential-report", json!("a,b\n1,2\n")).contains("`user`"));
}

#[test]
fn small_ones() {
    assert_eq!(run("arn-account", json!("arn:aws:iam::111122223333:role/a")), json!("111122223333"));
    assert_eq!(run("arn-account", json!("arn:aws:s3:::bucket")), Json::Null);
    assert_eq!(run("arn-account", json!(["arn:aws:sqs:us-east-1:444455556666:q", "x"])), json!(["444455556666"]));
    assert_eq!(run("arn-resource-id", json!("arn:aws:iam::111122223333:role/path/name")), json!("name"));
    assert_eq!(run("arn-resource-id", json!("arn:aws:sns:us-east-1:111122223333:topic")), json!("topic"));
    assert_eq!(run("arn-resource-id", json!("arn:aws:logs:us-east-1:111122223333:log-group:group:*")), json!("group"));
    assert_eq!(run("arn-resource-id", json!("sg-1")), json!("sg-1"));
    assert_eq!(run("lower", json!(["A", "b"])), json!(["a", "b"]));
    assert_eq!(run("sort", json!(["b", "a"])), json!(["a", "b"]));
    assert_eq!(run("json", json!("{\"a\": 1}")), json!({"a": 1}));
    assert_eq!(run("json", json!({"a": 1})), json!({"a": 1}));
}

#[test]
fn listed_items_gain_what_keys_need() {
    let topic = json!([{"TopicArn": "arn:aws:sns:eu-west-1:111122223333:alerts"}, {"Other": 1}, "x"]);
    assert_eq!(
        run("arn-name", topic),
        json!([{"TopicArn": "arn:aws:sns:eu-west-1:111122223333:alerts", "ArnName": "alerts"}, {"Other": 1}, "x"])
    );
    let url = "https://sqs.us-east-1.amazonaws.com/111122223333/orders";
    assert_eq!(
        run("queue-url-parts", json!([{"QueueUrl": url}])),
        json!([{"QueueUrl": url, "QueueName": "orders", "QueueOwner": "111122223333"}])
    );
    assert_eq!(
        run("route53-zone-id", json!([{"Id": "/hostedzone/Z1"}, {"Id": "Z2"}])),
        json!([{"Id": "Z1"}, {"Id": "Z2"}])
    );
}

#[test]
fn secrets_are_found_where_text_was_replaced() {
    let environment = json!({"A": "[redacted]", "DB_PASSWORD": "[redacted generic-password hun… 5f4dcc3b]", "NESTED": [{"x": "[redacted aws-access-key-id AKIA… …XYZ 77aa] and [redacted slack-token xoxb… 88bb]"}]});
    assert_eq!(
        run("secret-findings", environment),
        json!([
            {"place": "DB_PASSWORD", "kind": "generic-password", "sample": "hun…", "hash": "5f4dcc3b"},
            {"place": "NESTED.0.x", "kind": "aws-access-key-id", "sample": "AKIA… …XYZ", "hash": "77aa"},
            {"place": "NESTED.0.x", "kind": "slack-token", "sample": "xoxb…", "hash": "88bb"},
        ])
    );
    assert_eq!(run("secret-findings", json!("[redacted]")), json!([]));
}
