//! Unknown: the logic tables, comparison, and searches that may have missed something.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr, reason = "helpers of tests")]

use std::sync::Arc;

use nepho_graph::{Condition, Graph, GraphBuilder, PropertyType, Query, Schema, Truth, UnknownCause};
use nepho_model::{Timestamp, Value};

use Truth::{False, Null, True, Unknown};

fn schema() -> Schema {
    let mut schema = Schema::closed();
    let t = |name: &'static str, of| (name, of);
    schema.add_kind("aws.account.account", ["Account"], [t("contacts", PropertyType::Int)]);
    schema.add_kind(
        "aws.s3.bucket",
        ["Bucket", "DataStore"],
        [
            t("encrypted", PropertyType::Bool),
            t("versioned", PropertyType::Bool),
            t("retention_days", PropertyType::Int),
            t("class", PropertyType::String),
            t("created", PropertyType::Time),
            t("policy", PropertyType::Json),
            t("grants", PropertyType::List),
        ],
    );
    schema.add_kind(
        "aws.cloudtrail.trail",
        ["AuditLog"],
        [t("multi_region", PropertyType::Bool), t("logging", PropertyType::Bool)],
    );
    schema.add_kind("aws.kms.key", ["EncryptionKey"], [t("rotates", PropertyType::Bool)]);
    schema.add_relation("IN_ACCOUNT", "aws.s3.bucket", "aws.account.account");
    schema.add_relation("IN_ACCOUNT", "aws.cloudtrail.trail", "aws.account.account");
    schema.add_relation("ENCRYPTED_BY", "aws.s3.bucket", "aws.kms.key");
    schema.add_relation("LOGS_TO", "aws.cloudtrail.trail", "aws.s3.bucket");
    schema
}

fn properties(of: &[(&str, Value)]) -> Vec<(Arc<str>, Value)> {
    of.iter().map(|(name, value)| (Arc::from(*name), value.clone())).collect()
}

struct World {
    builder: GraphBuilder,
    bucket: nepho_graph::NodeHandle,
    account: nepho_graph::NodeHandle,
}

/// One account with one bucket in us-east-1.
fn world(of: &[(&str, Value)]) -> World {
    let mut builder = GraphBuilder::new(schema());
    builder.set_clock(Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
    let null = || Value::Null;
    let account = builder.add_node("aws.account.account", "acct", "1", "global", null(), null(), vec![]);
    let bucket =
        builder.add_node("aws.s3.bucket", "arn:b", "1", "us-east-1", Value::from("b"), Value::Unknown, properties(of));
    builder.add_relation(bucket, "IN_ACCOUNT", account, vec![]);
    World { builder, bucket, account }
}

impl World {
    fn add(
        &mut self,
        kind: &str,
        key: &str,
        account: &str,
        region: &str,
        of: &[(&str, Value)],
    ) -> nepho_graph::NodeHandle {
        self.builder.add_node(kind, key, account, region, Value::Null, Value::Null, properties(of))
    }
}

fn judge(graph: &Graph, text: &str) -> Truth {
    let condition =
        Condition::compile(&schema(), "aws.s3.bucket", "r", text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let all = condition.evaluate(graph);
    assert_eq!(all.len(), 1);
    assert_eq!(condition.at(graph, all[0].0), all[0].1, "row by row and by column must agree on `{text}`");
    all[0].1
}

/// An expression with each truth value, over `encrypted: unknown` and `versioned: null`.
fn of_truth(truth: Truth) -> &'static str {
    match truth {
        True => "true",
        False => "false",
        Null => "r.versioned",
        Unknown => "r.encrypted",
    }
}

#[test]
fn and_or_xor_and_not_follow_the_table() {
    let graph = world(&[("encrypted", Value::Unknown)]).builder.finish();
    let and = [
        [True, False, Null, Unknown],
        [False, False, False, False],
        [Null, False, Null, Unknown],
        [Unknown, False, Unknown, Unknown],
    ];
    let or = [
        [True, True, True, True],
        [True, False, Null, Unknown],
        [True, Null, Null, Unknown],
        [True, Unknown, Unknown, Unknown],
    ];
    let xor = [
        [False, True, Null, Unknown],
        [True, False, Null, Unknown],
        [Null, Null, Null, Unknown],
        [Unknown, Unknown, Unknown, Unknown],
    ];
    for (row, left) in Truth::ALL.into_iter().enumerate() {
        for (column, right) in Truth::ALL.into_iter().enumerate() {
            for (word, table) in [("AND", &and), ("OR", &or), ("XOR", &xor)] {
                let text = format!("{} {word} {}", of_truth(left), of_truth(right));
                assert_eq!(judge(&graph, &text), table[row][column], "{left:?} {word} {right:?}");
            }
        }
        let not = [False, True, Null, Unknown][row];
        assert_eq!(judge(&graph, &format!("NOT {}", of_truth(left))), not);
    }
}

#[test]
fn unknown_goes_through_every_comparison_and_function() {
    let graph = world(&[
        ("encrypted", Value::Unknown),
        ("retention_days", Value::Unknown),
        ("class", Value::Unknown),
        ("created", Value::Unknown),
        ("policy", Value::Unknown),
        ("grants", Value::Unknown),
    ])
    .builder
    .finish();
    for operator in ["=", "<>", "<", "<=", ">", ">="] {
        for other in ["1", "null", "r.versioned", "r.retention_days", "'a'"] {
            assert_eq!(judge(&graph, &format!("r.retention_days {operator} {other}")), Unknown, "{operator} {other}");
            assert_eq!(judge(&graph, &format!("{other} {operator} r.retention_days")), Unknown, "{other} {operator}");
        }
    }
    for text in [
        "r.encrypted IS NULL",
        "r.encrypted IS NOT NULL",
        "coalesce(r.encrypted, true)",
        "coalesce(r.versioned, r.encrypted)",
        "r.retention_days + 1 > 0",
        "-r.retention_days < 0",
        "r.class STARTS WITH 'a'",
        "r.class CONTAINS null",
        "r.class =~ 'a.*'",
        "r.class IN ['a']",
        "1 IN r.grants",
        "toLower(r.class) = 'a'",
        "size(r.grants) = 0",
        "r.policy.Statement IS NULL",
        "r.policy['Statement'] = 1",
        "any(x IN r.grants WHERE x = 1)",
        "all(x IN r.grants WHERE x = 1)",
        "none(x IN r.grants WHERE x = 1)",
        "size([x IN r.grants | x]) = 0",
        "reduce(s = 0, x IN r.grants | s + 1) = 0",
        "CASE WHEN r.encrypted THEN true ELSE false END",
        "CASE r.class WHEN 'a' THEN true ELSE false END",
        "age_days(r.created) > 90",
        "r.created < '2026-01-01'",
        "glob('a*', r.class)",
        "is_public_ip(r.class)",
        "cidr_contains('0.0.0.0/0', r.class)",
        "ip_in(r.class, '0.0.0.0/0')",
        "r.tags['env'] = 'prod'",
        "exists(r.class)",
        "toInteger(r.class) = 1",
        "[r.retention_days] = [1]",
        "{a: r.retention_days} = {a: 1}",
    ] {
        assert_eq!(judge(&graph, text), Unknown, "{text}");
    }
    // What the rest decides, is decided.
    for (text, truth) in [
        ("r.retention_days IN []", False),
        ("1 IN [1, r.retention_days]", True),
        ("any(x IN [1, r.retention_days] WHERE x = 1)", True),
        ("all(x IN [2, r.retention_days] WHERE x = 1)", False),
        ("single(x IN [1, 1, r.retention_days] WHERE x = 1)", False),
        ("coalesce(true, r.encrypted)", True),
        ("[1, r.retention_days] = [2, 1]", False),
        ("CASE WHEN true THEN true WHEN r.encrypted THEN false END", True),
    ] {
        assert_eq!(judge(&graph, text), truth, "{text}");
    }
}

#[test]
fn absent_values_are_null() {
    let graph = world(&[]).builder.finish();
    assert_eq!(judge(&graph, "r.retention_days < 365"), Null);
    assert_eq!(judge(&graph, "coalesce(r.retention_days, 0) < 365"), True);
    assert_eq!(judge(&graph, "NOT r.encrypted"), Null);
    assert_eq!(judge(&graph, "r.encrypted IS NULL"), True);
}

const TRAIL: &str = "EXISTS { MATCH (r)-[:IN_ACCOUNT]->(:AwsAccountAccount)<-[:IN_ACCOUNT]-(t:AwsCloudtrailTrail) \
                     WHERE t.multi_region AND t.logging }";

fn with_trail(multi_region: Value, logging: Value) -> World {
    let mut world = world(&[]);
    let trail = world.add(
        "aws.cloudtrail.trail",
        "t",
        "1",
        "us-east-1",
        &[("multi_region", multi_region), ("logging", logging)],
    );
    let account = world.account;
    world.builder.add_relation(trail, "IN_ACCOUNT", account, vec![]);
    world
}

#[test]
fn a_search_is_unknown_when_a_candidate_is_unknown() {
    let yes = || Value::Bool(true);
    let no = || Value::Bool(false);
    for (multi_region, logging, truth) in [
        (yes(), yes(), True),
        (yes(), no(), False),
        (yes(), Value::Unknown, Unknown),
        (Value::Unknown, yes(), Unknown),
        // Whatever the one is, the other settles it.
        (Value::Unknown, no(), False),
        (no(), Value::Unknown, False),
        (Value::Null, yes(), False),
    ] {
        let graph = with_trail(multi_region.clone(), logging.clone()).builder.finish();
        assert_eq!(judge(&graph, TRAIL), truth, "multi_region {multi_region:?}, logging {logging:?}");
        assert_eq!(judge(&graph, &format!("NOT {TRAIL}")), !truth);
    }
}

#[test]
fn a_search_is_unknown_when_a_kind_is_incomplete_where_it_looks() {
    for (account, region, truth) in [
        ("1", "us-east-1", Unknown),
        ("1", "global", Unknown),
        ("1", "", Unknown),
        ("", "", Unknown),
        ("1", "eu-west-1", False),
        ("2", "us-east-1", False),
    ] {
        let mut world = world(&[]);
        world.builder.mark_incomplete("aws.cloudtrail.trail", account, region);
        let graph = world.builder.finish();
        assert_eq!(judge(&graph, TRAIL), truth, "incomplete in {account:?} {region:?}");
    }
    // By class, too; another kind does not matter.
    let mut other = world(&[]);
    other.builder.mark_incomplete("aws.kms.key", "1", "us-east-1");
    let graph = other.builder.finish();
    assert_eq!(judge(&graph, "EXISTS { (r)-[:ENCRYPTED_BY]->(:EncryptionKey) }"), Unknown);
    assert_eq!(judge(&graph, "(r)-[:ENCRYPTED_BY]->()"), Unknown);
    assert_eq!(judge(&graph, "EXISTS { (r)<-[:LOGS_TO]-(:AuditLog) }"), False);
    // Found is found.
    let mut found = with_trail(Value::Bool(true), Value::Bool(true));
    found.builder.mark_incomplete("aws.cloudtrail.trail", "1", "");
    assert_eq!(judge(&found.builder.finish(), TRAIL), True);
}

#[test]
fn a_search_is_unknown_when_relations_were_not_read() {
    let pattern = "EXISTS { (r)-[:ENCRYPTED_BY]->(:AwsKmsKey) }";
    let mut own = world(&[]);
    own.builder.mark_unknown_relation(own.bucket, "ENCRYPTED_BY");
    let graph = own.builder.finish();
    assert_eq!(judge(&graph, pattern), Unknown);
    assert_eq!(judge(&graph, "NOT (r)-[:ENCRYPTED_BY]->()"), Unknown);
    assert_eq!(judge(&graph, "COUNT { (r)-[:ENCRYPTED_BY]->() } = 0"), Unknown);
    assert_eq!(judge(&graph, "size([(r)-[:ENCRYPTED_BY]->(k) | k]) = 0"), Unknown);
    assert_eq!(judge(&graph, "EXISTS { (r)<-[:LOGS_TO]-() }"), False);
    let condition = Condition::compile(&schema(), "Bucket", "r", pattern).unwrap();
    let bucket = graph.node_by_key("arn:b").unwrap();
    assert_eq!(
        condition.unknown_causes(&graph, bucket.id()),
        [UnknownCause::Relation { node: bucket.id(), relation: "ENCRYPTED_BY".into() }]
    );
    assert_eq!(bucket.unknown_relations().collect::<Vec<_>>(), ["ENCRYPTED_BY"]);
    // A trail whose targets could not be read may log to this bucket.
    let mut far = with_trail(Value::Null, Value::Null);
    let trail = far.builder.find("aws.cloudtrail.trail", "t").unwrap();
    far.builder.mark_unknown_relation(trail, "LOGS_TO");
    assert_eq!(judge(&far.builder.finish(), "EXISTS { (r)<-[:LOGS_TO]-(:AuditLog) }"), Unknown);
}

#[test]
fn a_count_decides_as_early_as_it_can() {
    let mut world = world(&[]);
    for (key, rotates) in [("k1", Value::Bool(true)), ("k2", Value::Bool(true)), ("k3", Value::Unknown)] {
        let node = world.add("aws.kms.key", key, "1", "us-east-1", &[("rotates", rotates)]);
        world.builder.add_relation(world.bucket, "ENCRYPTED_BY", node, vec![]);
    }
    let graph = world.builder.finish();
    for (rest, truth) in [
        ("> 0", True),
        (">= 2", True),
        (">= 3", Unknown),
        ("= 1", False),
        ("= 2", Unknown),
        ("<> 1", True),
        ("< 2", False),
        ("< 4", Unknown),
    ] {
        let text = format!("COUNT {{ (r)-[:ENCRYPTED_BY]->(k:AwsKmsKey) WHERE k.rotates }} {rest}");
        let text = text.replace("{ (r)", "{ MATCH (r)");
        assert_eq!(judge(&graph, &text), truth, "{rest}");
    }
    assert_eq!(judge(&graph, "COUNT { (r)-[:ENCRYPTED_BY]->() } = 3"), True);
}

#[test]
fn a_search_without_the_resource_minds_every_account() {
    let mut world = world(&[]);
    world.builder.mark_incomplete("aws.cloudtrail.trail", "2", "eu-west-1");
    let graph = world.builder.finish();
    assert_eq!(judge(&graph, "EXISTS { MATCH (t:AwsCloudtrailTrail) WHERE t.logging }"), Unknown);
    assert_eq!(judge(&graph, "EXISTS { MATCH (t:AwsCloudtrailTrail) WHERE t.account = r.account }"), False);
}

#[test]
fn causes_name_what_was_not_read() {
    let mut world = world(&[("encrypted", Value::Unknown)]);
    world.builder.mark_incomplete("aws.cloudtrail.trail", "1", "us-east-1");
    let graph = world.builder.finish();
    let node = graph.node_by_key("arn:b").unwrap().id();
    let causes =
        |text: &str| Condition::compile(&schema(), "aws.s3.bucket", "r", text).unwrap().unknown_causes(&graph, node);
    assert_eq!(causes("NOT r.encrypted"), [UnknownCause::Property { node, property: "encrypted".into() }]);
    assert_eq!(
        causes(&format!("NOT {TRAIL}")),
        [UnknownCause::KindIncomplete {
            kind: "aws.cloudtrail.trail".into(),
            account: "1".into(),
            region: "us-east-1".into()
        }]
    );
    assert_eq!(causes("r.encrypted AND false"), []);
    assert!(matches!(
        causes("r.region > 1 OR size(r.region) + r.account > true OR abs(r.region) = 1")[..],
        [UnknownCause::Failed { .. }]
    ));
}

#[test]
fn an_optional_match_that_may_have_missed_something_gives_unknown() {
    let mut world = world(&[]);
    world.builder.mark_unknown_relation(world.bucket, "ENCRYPTED_BY");
    let graph = world.builder.finish();
    let text = "MATCH (b:Bucket) OPTIONAL MATCH (b)-[:ENCRYPTED_BY]->(k) OPTIONAL MATCH (b)<-[:LOGS_TO]-(t) \
                RETURN k.rotates AS rotates, t.logging AS logging";
    let rows = Query::compile(&schema(), text)
        .unwrap()
        .run(&graph, &nepho_graph::Parameters::new(), &nepho_graph::Limits::default())
        .unwrap();
    assert_eq!(
        rows.to_json(&graph).to_string(),
        r#"{"columns":["rotates","logging"],"rows":[[{"unknown":true},null]]}"#
    );
}

#[test]
fn conditions_name_the_properties_they_read() {
    let text = format!(
        "NOT r.encrypted AND coalesce(r.retention_days, 0) < 1 AND {TRAIL} AND any(x IN r.grants WHERE x = r.name)"
    );
    let condition = Condition::compile(&schema(), "aws.s3.bucket", "r", &text).unwrap();
    assert_eq!(condition.properties_read(), ["encrypted", "retention_days", "grants", "name"]);
}

#[test]
fn wrong_names_are_refused_with_the_nearest_right_one() {
    for (text, message, help, at) in [
        ("NOT r.encripted", "`aws.s3.bucket` has no property `encripted`", "encrypted", "encripted"),
        ("(r)-[:ENCRYPTED]->()", "there is no relation type `ENCRYPTED`", "ENCRYPTED_BY", "ENCRYPTED"),
        ("(r)-[:ENCRYPTED_BY]->(:AwsKmsKeys)", "there is no label `AwsKmsKeys`", "AwsKmsKey", "AwsKmsKeys"),
        ("tolowr(r.class) = 'a'", "there is no function `tolowr`", "tolower", "tolowr"),
        ("x.encrypted", "variable `x` is not defined", "", "x"),
        (
            "EXISTS { MATCH (r)-[:ENCRYPTED_BY]->(k:AwsKmsKey) WHERE k.rotate }",
            "`aws.kms.key` has no property `rotate`",
            "rotates",
            "rotate",
        ),
    ] {
        let error = Condition::compile(&schema(), "aws.s3.bucket", "r", text).unwrap_err();
        assert_eq!(error.message, message);
        assert_eq!(&text[error.span.clone()], at, "{text}");
        if !help.is_empty() {
            assert_eq!(error.help.as_deref(), Some(format!("did you mean `{help}`?").as_str()));
        }
    }
    assert!(Condition::compile(&schema(), "aws.s3.buckets", "r", "true").unwrap_err().help.is_some());
    assert!(Condition::compile(&schema(), "aws.s3.bucket", "r", "true) OR (true").is_err());
    assert!(Condition::compile(&schema(), "aws.s3.bucket", "r", "1").is_err());
    assert!(Condition::compile(&schema(), "Bucket", "r", "r.rotates").is_err());
    assert!(Condition::compile(&schema(), "Bucket", "r", "r.encrypted // why").is_ok());
}

#[test]
fn queries_never_write() {
    for text in ["CREATE (n)", "MATCH (n) SET n.x = 1 RETURN n", "MATCH (n) DETACH DELETE n", "MERGE (n) RETURN n"] {
        let error = Query::compile(&Schema::open(), text).unwrap_err();
        assert!(error.message.contains("writes"), "{text}: {error}");
    }
}

#[test]
fn times_compare_with_text_and_with_the_clock() {
    let graph = world(&[("created", Value::Time(Timestamp::parse("2026-08-01T12:00:00Z").unwrap()))]).builder.finish();
    for (text, truth) in [
        ("r.created < '2026-08-02'", True),
        ("r.created = '2026-08-01T14:00:00+02:00'", True),
        ("r.created > datetime('2026-08-01T12:00:00Z')", False),
        ("age_days(r.created) = 91", True),
        ("age_days('2026-10-31') = 1", True),
        ("r.created < datetime() - duration('P91D')", True),
        ("r.created < datetime() - duration({days: 92})", False),
        ("r.created.year = 2026", True),
    ] {
        assert_eq!(judge(&graph, text), truth, "{text}");
    }
}
