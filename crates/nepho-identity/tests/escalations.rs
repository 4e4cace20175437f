//! Ways to administrator in small accounts, each beside twins that one thing breaks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use nepho_catalog::Catalog;
use nepho_graph::{Graph, GraphBuilder, NodeHandle, Schema};
use nepho_identity::Directory;
use nepho_identity::escalation::Escalations;
use nepho_model::Value;
use serde_json::{Value as Json, json};

const ACCOUNT: &str = "123456789012";

struct Account(GraphBuilder);

impl Account {
    fn new() -> Self {
        Self(GraphBuilder::new(Schema::open()))
    }

    fn node(&mut self, kind: &str, arn: &str, name: &str, properties: Vec<(&str, Json)>) -> NodeHandle {
        let properties: Vec<(Arc<str>, Value)> =
            properties.into_iter().map(|(name, value)| (name.into(), Value::from_json(&value))).collect();
        self.0.add_node(kind, arn, ACCOUNT, "global", Value::from(name), Value::Null, properties)
    }

    fn identity(&mut self, of: &str, name: &str, statements: Json, more: Vec<(&str, Json)>) -> NodeHandle {
        let inline = json!([{"name": "own", "document": {"Version": "2012-10-17", "Statement": statements}}]);
        let mut properties = vec![("inline_policies", inline)];
        properties.extend(more);
        self.node(&format!("aws.iam.{of}"), &arn(of, name), name, properties)
    }

    fn user(&mut self, name: &str, statements: Json) -> NodeHandle {
        self.identity("user", name, statements, Vec::new())
    }

    fn role(&mut self, name: &str, statements: Json, principal: Json) -> NodeHandle {
        let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]});
        self.identity("role", name, statements, vec![("trust_policy", trust)])
    }

    fn policy(&mut self, name: &str, statements: Json) -> NodeHandle {
        let document = json!({"Version": "2012-10-17", "Statement": statements});
        self.node("aws.iam.policy", &arn("policy", name), name, vec![("policy", document)])
    }

    fn finish(self) -> Graph {
        self.0.finish()
    }
}

fn arn(of: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{of}/{name}")
}

fn allow(actions: Json, resource: &str) -> Json {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

/// Who has a way to administrator: the names, with those along the way.
fn ways(graph: &Graph) -> BTreeSet<String> {
    let directory = Directory::of(graph);
    let escalations = Escalations::of(graph, &directory, &Catalog::embedded().unwrap());
    let all = directory.principals().flat_map(|(id, _)| escalations.to_administrator(id, false));
    let name = |id| directory.identity(id).name.to_string();
    all.map(|path| {
        let to = path.hops.iter().map(|hop| format!("{} {}", hop.method.rsplit('.').next().unwrap(), name(hop.to)));
        format!("{}: {}", name(path.start), to.collect::<Vec<_>>().join(", "))
    })
    .collect()
}

fn set(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(ToString::to_string).collect()
}

#[test]
fn who_may_write_the_own_policy_is_an_administrator_unless_something_keeps_them_from_it() {
    let mut account = Account::new();
    let put = || allow(json!("iam:PutUserPolicy"), "*");
    account.user("free", json!([put()]));
    account.user("elsewhere", json!([allow(json!("iam:PutUserPolicy"), &arn("user", "another"))]));
    account.user("denied", json!([put(), {"Effect": "Deny", "Action": "iam:Put*", "Resource": "*"}]));
    let on_a_tag = json!({"StringEquals": {"aws:PrincipalTag/team": "platform"}});
    account.user(
        "untagged",
        json!([{"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*", "Condition": on_a_tag}]),
    );
    let bounded = account.user("bounded", json!([put()]));
    let boundary = account.policy("boundary", json!([allow(json!(["s3:*", "iam:PutUserPolicy"]), "*")]));
    account.0.add_relation(bounded, "BOUNDED_BY", boundary, Vec::new());
    let open = account.user("bounded-by-everything", json!([put()]));
    let everything = account.policy("everything", json!([allow(json!("*"), "*")]));
    account.0.add_relation(open, "BOUNDED_BY", everything, Vec::new());
    let found = ways(&account.finish());
    // Who may write any user's policies may write that of one whose keys they cannot have: of themselves it is enough.
    assert_eq!(
        found,
        set(&["free: put-user-policy free", "bounded-by-everything: put-user-policy bounded-by-everything",])
    );
}

#[test]
fn a_role_is_passed_to_a_service_that_it_trusts_only() {
    let mut account = Account::new();
    let all = || json!([allow(json!("*"), "*")]);
    account.role("for-functions", all(), json!({"Service": "lambda.amazonaws.com"}));
    account.role("for-tasks", all(), json!({"Service": "ecs-tasks.amazonaws.com"}));
    let functions = json!(["lambda:CreateFunction", "lambda:InvokeFunction"]);
    let pass = |role: &str| allow(json!("iam:PassRole"), &arn("role", role));
    account.user("runs", json!([pass("for-functions"), allow(functions.clone(), "*")]));
    account.user("wrong-service", json!([pass("for-tasks"), allow(functions.clone(), "*")]));
    account.user("nothing-to-run-it", json!([pass("for-functions")]));
    let to_tasks = json!({"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}});
    let role = arn("role", "for-functions");
    account.user(
        "passed-elsewhere",
        json!([
            {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": to_tasks},
            allow(functions, "*"),
        ]),
    );
    assert_eq!(ways(&account.finish()), set(&["runs: create-function for-functions"]));
}

#[test]
fn ways_go_over_several_identities_and_not_where_a_trust_is_missing() {
    let mut account = Account::new();
    let assume = |role: &str| json!([allow(json!("sts:AssumeRole"), &arn("role", role))]);
    account.role("admin", json!([allow(json!("*"), "*")]), json!({"AWS": arn("role", "middle")}));
    account.role("middle", assume("admin"), json!({"AWS": ACCOUNT}));
    account.user("first", assume("middle"));
    // Named by no trust policy, or allowed by no policy of their own.
    account.user("untrusted", assume("admin"));
    account.user("unallowed", json!([allow(json!("s3:GetObject"), "*")]));
    assert_eq!(
        ways(&account.finish()),
        set(&["first: assume-role middle, assume-role admin", "middle: assume-role admin"])
    );
}

#[test]
fn control_policies_count_from_every_level_above_the_account() {
    let denies = json!([allow(json!("*"), "*"), {"Effect": "Deny", "Action": "iam:PutUserPolicy", "Resource": "*"}]);
    let allows = || json!([allow(json!("*"), "*")]);
    for level in [None, Some("root"), Some("organizational-unit"), Some("account")] {
        let mut account = Account::new();
        account.user("ada", json!([allow(json!("iam:PutUserPolicy"), "*")]));
        let arn = |of: &str| format!("arn:aws:organizations::999999999999:{of}/o-1/{of}-1");
        account.node(
            "aws.organizations.organization",
            &arn("organization"),
            "o-1",
            vec![("management_account_id", json!("999999999999"))],
        );
        let root = account.node("aws.organizations.root", &arn("root"), "Root", vec![]);
        let unit = account.node("aws.organizations.organizational-unit", &arn("ou"), "unit", vec![]);
        let member =
            account.node("aws.organizations.account", &arn("account"), "one", vec![("account_id", json!(ACCOUNT))]);
        account.0.add_relation(member, "MEMBER_OF", unit, Vec::new());
        account.0.add_relation(unit, "PART_OF", root, Vec::new());
        for (of, node) in [("root", root), ("organizational-unit", unit), ("account", member)] {
            let statements = if level == Some(of) { denies.clone() } else { allows() };
            let document = json!({"Version": "2012-10-17", "Statement": statements});
            let properties = vec![("type", json!("SERVICE_CONTROL_POLICY")), ("policy", document)];
            let policy = account.node("aws.organizations.policy", &arn(&format!("policy-{of}")), of, properties);
            account.0.add_relation(node, "HAS_POLICY", policy, Vec::new());
        }
        let expected = if level.is_none() { set(&["ada: put-user-policy ada"]) } else { set(&[]) };
        assert_eq!(ways(&account.finish()), expected, "{level:?}");
    }
}

#[test]
fn what_could_not_be_read_is_not_taken_for_nothing() {
    let complete = |change: fn(&mut Account)| {
        let mut account = Account(GraphBuilder::new(listed()));
        account.user("ada", json!([allow(json!("iam:PutUserPolicy"), "*")]));
        change(&mut account);
        !Directory::of(&account.finish()).is_incomplete()
    };
    assert!(complete(|_| {}));
    // A statement that says neither allow nor deny may have been meant to deny.
    assert!(!complete(|account| {
        account.user("bob", json!([{"Effect": "deny", "Action": "*", "Resource": "*"}]));
    }));
    assert!(!complete(|account| {
        account.identity("user", "bob", json!([]), vec![("permissions_boundary_arn", json!(arn("policy", "gone")))]);
    }));
    assert!(!complete(|account| {
        account.identity("user", "bob", json!([]), vec![("groups", json!(["gone"]))]);
    }));
    assert!(!complete(|account| account.0.mark_incomplete("aws.iam.role", ACCOUNT, "")));
    assert!(!complete(|account| account.0.mark_incomplete("aws.organizations.policy", ACCOUNT, "")));
}

/// A schema of which all kinds count as listed.
fn listed() -> Schema {
    let mut schema = Schema::open();
    for kind in ["iam.user", "iam.role", "iam.group", "iam.policy"] {
        schema.add_kind(
            &format!("aws.{kind}"),
            Vec::<String>::new(),
            Vec::<(String, nepho_graph::PropertyType)>::new(),
        );
    }
    for kind in ["organization", "account", "organizational-unit", "root", "policy"] {
        let id = format!("aws.organizations.{kind}");
        schema.add_kind(&id, Vec::<String>::new(), Vec::<(String, nepho_graph::PropertyType)>::new());
    }
    schema
}
