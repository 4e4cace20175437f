//! What hangs on what is not known is told as a condition, not as a yes or a no.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use nepho_identity::{Attached, Context, Decision, Outcome, Pattern, Policies, Policy, Principal, Request};
use serde_json::{Value as Json, json};

const ACCOUNT: &str = "123456789012";

fn decide(policy: &Policy, resource: &str, context: &Context, f: impl FnOnce(&Decision<'_>)) {
    let principal = Principal::of("arn:aws:iam::123456789012:user/ada").unwrap();
    let policies = Policies { identity: vec![Attached { name: "own", policy }], ..Policies::default() };
    f(&policies.decide(&Request {
        principal: &principal,
        action: "s3:PutObject",
        resource: Pattern::new(resource),
        account: ACCOUNT,
        without_resource: false,
        context,
    }));
}

fn policy(statements: Json) -> Policy {
    Policy::of(&json!({"Version": "2012-10-17", "Statement": statements}))
}

#[test]
fn a_resource_that_hangs_on_an_unknown_variable_is_a_condition() {
    let own = "arn:aws:s3:::${aws:PrincipalTag/bucket}/*";
    let all = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let cases = [
        (json!([{"Effect": "Allow", "Action": "s3:*", "Resource": own}]), "the resource is"),
        (json!([{"Effect": "Allow", "Action": "s3:*", "NotResource": own}]), "the resource is not"),
        (json!([all, {"Effect": "Deny", "Action": "s3:*", "Resource": own}]), "the resource is not"),
        (json!([all, {"Effect": "Deny", "Action": "s3:*", "NotResource": own}]), "the resource is"),
    ];
    for (statements, condition) in cases {
        let policy = policy(statements.clone());
        decide(&policy, "arn:aws:s3:::a/x", &Context::open(), |decision| {
            assert_eq!(decision.outcome, Outcome::Conditional, "{statements}");
            assert_eq!(decision.formula.to_string(), format!("{condition} {own}"), "{statements}");
            assert_eq!(decision.formula.keys(), ["aws:PrincipalTag/bucket"], "{statements}");
        });
        for (bucket, same) in [("a", true), ("b", false)] {
            let mut context = Context::open();
            context.set("aws:PrincipalTag/bucket", bucket);
            decide(&policy, "arn:aws:s3:::a/x", &context, |decision| {
                let allowed = decision.outcome == Outcome::Allowed;
                assert_eq!(allowed, same == (condition == "the resource is"), "{statements} {bucket}");
            });
        }
    }
    // Whatever the variable is, another service's resource is none of it.
    let policy = policy(json!([{"Effect": "Allow", "Action": "s3:*", "Resource": own}]));
    decide(&policy, "arn:aws:sqs:eu-west-1:123456789012:a/x", &Context::open(), |decision| {
        assert_eq!(decision.outcome, Outcome::ImplicitlyDenied);
    });
}

#[test]
fn a_pattern_of_one_kind_of_resources_is_none_of_another() {
    let instances = policy(json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:ec2:*:*:instance/*"}]));
    for (resource, outcome) in [
        ("arn:*:ec2:*:123456789012:instance/*", Outcome::Allowed),
        ("arn:*:ec2:*::image/*", Outcome::ImplicitlyDenied),
        ("arn:*:ec2:*:123456789012:subnet/*", Outcome::ImplicitlyDenied),
        ("arn:*:ec2:*:123456789012:*/*", Outcome::Allowed),
    ] {
        decide(&instances, resource, &Context::open(), |decision| assert_eq!(decision.outcome, outcome, "{resource}"));
    }
}
