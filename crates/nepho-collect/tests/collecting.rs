//! What comes out of a collection, in good times and bad.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use nepho_collect::*;
use nepho_model::{CoverageState, Value};
use serde_json::{Value as Json, json};

const T: &str = "arn:aws:s:us-east-1:111122223333:thing/";

#[tokio::test(start_paused = true)]
async fn collects_kinds_of_all_shapes() {
    let fake = Arc::new(world());
    let run = run(collection(&all(), fake.clone(), Source::Live, None)).await;
    // 6 things, 12 parts, 1 gem, 2 buckets, 2 settings.
    assert_eq!(run.resources.len(), 23);
    let thing = run.find(&format!("{T}t2"));
    assert_eq!(thing.name.as_str(), Some("thing 2"));
    assert_eq!(thing.tags.to_json(), json!({"at": "2"}));
    assert_eq!(run.property(&format!("{T}t2"), "policy"), json!({"for": "t2"}));
    assert_eq!(run.property(&format!("{T}t2"), "big"), json!(true));
    assert_eq!(run.property(&format!("{T}t2"), "limit"), json!(7));
    assert_eq!(run.property(&format!("{T}t0"), "policy"), json!(null));
    assert_eq!(run.property(&format!("{T}t1"), "policy"), json!({"unknown": true}));
    let fact = &run.find(&format!("{T}t1")).unknown[0];
    assert_eq!(
        (&*fact.name, &*fact.call, fact.state, &*fact.code),
        ("policy", "s:GetPolicy", CoverageState::Denied, "AccessDenied")
    );
    assert_eq!(run.property(&format!("{T}t2"), "secrets")[0]["place"], json!("DB_PASSWORD"));
    let part = run.find(&format!("{T}t2/part/t2-a"));
    assert_eq!(run.property(&part.key, "color"), json!("red"));
    assert_eq!(run.property(&part.key, "of"), json!("thing 2"));
    assert!(part.links.iter().any(|link| &*link.relation == "PART_OF" && *link.target == format!("{T}t2")));
    assert_eq!((&*run.find("arn:aws:b:::one").region, &*run.find("arn:aws:b:::two").region), ("global", "eu-west-1"));
    assert_eq!(run.property("arn:aws:b:::two", "acl"), json!("eu-west-1"), "calls go where the bucket lives");
    assert_eq!(fake.attempts_at("GetAccount"), 2, "one call a region for all that share it");
    // Coverage.
    let things = run.entries("s:ListThings");
    assert_eq!(things.iter().map(|entry| entry.items).sum::<u64>(), 6);
    assert!(things.iter().all(|entry| entry.state == CoverageState::Complete && entry.lists));
    assert_eq!(run.entries("rare:ListGems")[0].state, CoverageState::NotOffered);
    let denied = run.entries("s:GetPolicy");
    assert_eq!((denied.len(), denied[0].items, denied[0].lists), (1, 1, false));
    assert!(
        run.summary
            .coverage
            .iter()
            .any(|entry| entry.state == CoverageState::RegionDisabled && &*entry.region == "ap-east-1")
    );
    assert!(!run.text().contains(SECRET));
}

#[tokio::test(start_paused = true)]
async fn a_denied_list_tells_its_children_and_stops_nobody() {
    let fake = world().on("ListThings", |_, _| Err(failure(FailureKind::Denied, "AccessDenied")));
    let run = run(collection(&all(), Arc::new(fake), Source::Live, None)).await;
    assert_eq!(run.resources.len(), 5);
    let parts = run.entries("s:ListParts");
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|entry| entry.state == CoverageState::Denied
        && entry.lists
        && entry.message.contains("its parent t.s.thing")));
}

#[tokio::test(start_paused = true)]
async fn throttling_and_faults_pass() {
    let fake = Arc::new(
        world()
            .on("GetAcl", |_, attempt| {
                if attempt < 6 { Err(failure(FailureKind::Throttled, "Slow")) } else { Ok(json!({"Acl": "ok"})) }
            })
            .on("ListGems", |_, attempt| match attempt {
                1 => Err(failure(FailureKind::ServerFault, "500")),
                2 => Err(failure(FailureKind::Unreachable, "ConnectionReset")),
                3 => Err(failure(FailureKind::Malformed, "CutOff")),
                _ => Ok(json!({"Gems": [{"Id": "g"}]})),
            }),
    );
    let run = run(collection(&[BUCKET, RARE], fake, Source::Live, None)).await;
    assert_eq!(run.property("arn:aws:b:::one", "acl"), json!("ok"));
    assert_eq!(run.resources.len(), 3);
    assert_eq!(run.summary.progress.throttled, 10);
    assert!(run.summary.is_complete());
}

#[tokio::test(start_paused = true)]
async fn gives_up_with_the_reason() {
    for (kind, state, attempts) in [
        (FailureKind::Throttled, CoverageState::Throttled, 12),
        (FailureKind::ServerFault, CoverageState::ServerFault, 5),
        (FailureKind::Unreachable, CoverageState::Unreachable, 5),
        (FailureKind::TimedOut, CoverageState::TimedOut, 5),
        (FailureKind::Malformed, CoverageState::Malformed, 2),
        (FailureKind::Denied, CoverageState::Denied, 1),
        (FailureKind::Failed, CoverageState::Failed, 1),
    ] {
        let fake = Arc::new(world().on("ListGems", move |_, _| Err(failure(kind, "Code"))));
        let run = run(collection(&[RARE], fake.clone(), Source::Live, None)).await;
        let entry =
            run.entries("rare:ListGems").into_iter().find(|entry| &*entry.region == "us-east-1").unwrap().clone();
        assert_eq!((entry.state, &*entry.code), (state, "Code"));
        assert_eq!(fake.total(), attempts, "{kind:?}");
        assert_eq!(run.summary.nothing_reached(), matches!(kind, FailureKind::Unreachable | FailureKind::TimedOut));
    }
}

#[tokio::test(start_paused = true)]
async fn slow_answers_time_out() {
    let fake = Fake { slow: Duration::from_secs(500), ..world() };
    let run = run(collection(&[RARE], Arc::new(fake), Source::Live, None)).await;
    assert!(run.entries("rare:ListGems").iter().any(|entry| entry.state == CoverageState::TimedOut));
}

#[tokio::test(start_paused = true)]
async fn the_collection_has_a_time_limit() {
    let fake = Fake { slow: Duration::from_secs(5), ..world() };
    let mut collection = collection(&all(), Arc::new(fake), Source::Live, None);
    collection.options.collection_timeout = Some(Duration::from_secs(7));
    let run = run(collection).await;
    assert!(
        run.summary
            .coverage
            .iter()
            .any(|entry| entry.state == CoverageState::Cut && &*entry.code == "CollectionTimeLimit")
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_is_given_up_soon() {
    let fake = Arc::new(
        world()
            .on("GetPolicy", |_, _| Err(failure(FailureKind::Unreachable, "Refused")))
            .on("ListThings", |call, _| {
                if &*call.region != "us-east-1" {
                    return Ok(json!({}));
                }
                Ok(json!({"Things": (0..500).map(|at| json!({"Id": format!("x{at}")})).collect::<Vec<_>>()}))
            })
            .on("GetAccount", |_, _| Err(failure(FailureKind::Unreachable, "Refused"))),
    );
    let run = run(collection(&[THING, PART], fake.clone(), Source::Live, None)).await;
    assert_eq!(run.resources.iter().filter(|one| one.kind.as_ref() == "t.s.thing").count(), 500);
    assert!(fake.attempts_at("GetPolicy") < 150, "{}", fake.attempts_at("GetPolicy"));
    let items: u64 = run.entries("s:GetPolicy").iter().map(|entry| entry.items).sum();
    assert_eq!(items, 500);
}

#[tokio::test(start_paused = true)]
async fn paging_that_never_ends_is_found_out() {
    let same = world().on("ListGems", |_, _| Ok(json!({"Gems": [{"Id": "g"}], "NextToken": "again"})));
    let run_same = run(collection(&[RARE], Arc::new(same), Source::Live, None)).await;
    let ever =
        world().on("ListGems", |_, _| Ok(json!({"Gems": [{"Id": "g"}], "NextToken": fastrand::u64(..).to_string()})));
    let mut collection = collection(&[RARE], Arc::new(ever), Source::Live, None);
    collection.options.pages = 50;
    let run_ever = run(collection).await;
    for run in [run_same, run_ever] {
        assert_eq!(run.resources.len(), 1);
        assert!(
            run.entries("rare:ListGems")
                .iter()
                .any(|entry| entry.state == CoverageState::Malformed && &*entry.code == "EndlessPaging")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn pages_that_bring_nothing_new_end_soon() {
    let page = |things: Json| {
        move |_: &Call, _: usize| Ok(json!({"Gems": things, "NextToken": fastrand::u64(..).to_string()}))
    };
    for (things, most) in [(json!([{"Id": "g"}]), 60), (json!([]), 600)] {
        let fake = Arc::new(world().on("ListGems", page(things)));
        let run = run(collection(&[RARE], fake.clone(), Source::Live, None)).await;
        assert!(fake.total() < most, "{}", fake.total());
        assert!(run.entries("rare:ListGems").iter().any(|entry| &*entry.code == "EndlessPaging"));
    }
    let few = world().on("ListGems", |call, _| {
        let at: u32 = call.parameters.get("NextToken").map_or(0, |token| token.as_str().unwrap().parse().unwrap());
        Ok(if at < 100 {
            json!({"Gems": [], "NextToken": (at + 1).to_string()})
        } else {
            json!({"Gems": [{"Id": "g"}]})
        })
    });
    let run = run(collection(&[RARE], Arc::new(few), Source::Live, None)).await;
    assert!(run.summary.is_complete(), "a hundred empty pages before the first item are no fault");
}

#[tokio::test(start_paused = true)]
async fn more_without_a_token_is_no_whole_list() {
    let fake = Fake { says_more: true, ..world() }
        .on("ListGems", |_, _| Ok(json!({"Gems": [{"Id": "g"}], "IsTruncated": true})));
    let run = run(collection(&[RARE], Arc::new(fake), Source::Live, None)).await;
    assert_eq!(run.resources.len(), 1, "what was answered counts");
    let entries = run.entries("rare:ListGems");
    assert!(
        entries.iter().any(|entry| entry.state == CoverageState::Malformed && &*entry.code == "NoNextPage"),
        "{entries:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_is_always_there_is_not_waited_for() {
    let things = |call: &Call, _: usize| {
        let count = if &*call.region == "us-east-1" { 100 } else { 0 };
        Ok(json!({"Things": (0..count).map(|at| json!({"Id": format!("x{at}")})).collect::<Vec<_>>()}))
    };
    let always = |_: &Call, _: usize| Err(failure(FailureKind::ServerFault, "500"));
    let fake = Arc::new(world().on("ListThings", things).on("GetPolicy", always));
    let mut one = collection(&[THING, PART], fake.clone(), Source::Live, None);
    one.options.items_at_once = 1;
    run(one).await;
    assert_eq!(fake.attempts_at("GetPolicy"), 5 + 5 + 98);
    // One answer anywhere shows that the fault is not the operation's.
    let mostly = move |call: &Call, attempt: usize| {
        if call.parameters["Id"] == "x0" { Ok(json!({})) } else { always(call, attempt) }
    };
    let fake = Arc::new(world().on("ListThings", things).on("GetPolicy", mostly));
    let mut other = collection(&[THING, PART], fake.clone(), Source::Live, None);
    other.options.items_at_once = 1;
    run(other).await;
    assert_eq!(fake.attempts_at("GetPolicy"), 1 + 5 * 99);
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_leaves_resources_with_unknowns() {
    let fake = world().on("DescribeParts", |call, _| {
        let names = call.parameters["Names"].as_array().unwrap();
        if names.iter().any(|name| name == "b") {
            return Err(failure(FailureKind::Failed, "BadName"));
        }
        Ok(json!({"Parts": names.iter().map(|name| json!({"Name": name, "Color": "red"})).collect::<Vec<_>>()}))
    });
    let run = run(collection(&[THING, PART], Arc::new(fake), Source::Live, None)).await;
    assert_eq!(run.property(&format!("{T}t2/part/t2-a"), "color"), json!("red"));
    assert_eq!(run.property(&format!("{T}t2/part/b"), "color"), json!({"unknown": true}));
    assert_eq!(run.find(&format!("{T}t2/part/b")).name, Value::from("b"));
}

#[test]
fn compile_errors_name_kind_place_and_expression() {
    let broken = RARE.replace("items: Gems", "items: \"Gems[?\"");
    let catalog = catalog(&[&broken]);
    let errors = CompiledKinds::compile(catalog.kinds.values(), &Fake::default()).unwrap_err();
    let text = errors[0].to_string();
    assert!(text.contains("t.rare.gem") && text.contains("list.items") && text.contains("Gems[?"), "{text}");
}

const BOX: &str = r#"
kind: t.s.box
title: Box
scope: region
list: {service: s, action: ListBoxes, items: Boxes}
key: "arn:{partition}:s:{region}:{account}:box/{Id}"
get:
  versioning: {action: GetVersioning, params: {Id: "{Id}"}}
  replication: {action: GetReplication, params: {Id: "{Id}"}, needs: {call: versioning, holds: Status}}
  tagging: {action: ListTags, params: {Id: "{Id}"}}
tags:
  get: tagging
  api: Tags
  bulk: {service: tagging, action: GetResources, items: List, match: Arn, api: Tags}
properties:
  replicated: {type: bool, get: replication, api: "Rule != `null`", default: false, doc: x}
"#;

/// Three boxes: with versioning, without, and one of which it cannot be known.
fn boxes() -> Fake {
    Fake::default()
        .on("ListBoxes", |call, _| match &*call.region {
            "us-east-1" => Ok(json!({"Boxes": [{"Id": "yes"}, {"Id": "no"}, {"Id": "denied"}]})),
            _ => Ok(json!({})),
        })
        .on("GetVersioning", |call, _| match call.parameters["Id"].as_str().unwrap() {
            "yes" => Ok(json!({"Status": "Enabled"})),
            "no" => Ok(json!({})),
            _ => Err(failure(FailureKind::Denied, "AccessDenied")),
        })
        .on("GetReplication", |_, _| Ok(json!({"Rule": "x"})))
        .on("ListTags", |_, _| Ok(json!({"Tags": [{"Key": "from", "Value": "item"}]})))
}

#[tokio::test(start_paused = true)]
async fn what_another_answer_excludes_is_not_asked_for() {
    let fake = Arc::new(boxes());
    let run = run(collection(&[BOX], fake.clone(), Source::Live, None)).await;
    let replicated = |id: &str| run.property(&format!("arn:aws:s:us-east-1:111122223333:box/{id}"), "replicated");
    assert_eq!(replicated("yes"), json!(true));
    assert_eq!(replicated("no"), json!(false));
    assert_eq!(replicated("denied"), json!(true), "a call that failed excludes nothing");
    assert_eq!(fake.attempts_at("GetReplication"), 2);
}

#[tokio::test(start_paused = true)]
async fn tags_come_in_bulk_or_else_one_by_one() {
    let tags = |run: &Run| run.find("arn:aws:s:us-east-1:111122223333:box/yes").tags.to_json();
    let alone = Arc::new(boxes());
    let run_alone = run(collection(&[BOX], alone.clone(), Source::Live, None)).await;
    assert_eq!(tags(&run_alone), json!({"from": "item"}));
    assert_eq!(alone.attempts_at("ListTags"), 3);
    let bulk = Arc::new(boxes().on("GetResources", |_, _| {
        let arn = "arn:aws:s:us-east-1:111122223333:box/yes";
        Ok(json!({"List": [{"Arn": arn, "Tags": [{"Key": "from", "Value": "bulk"}]}]}))
    }));
    let run_bulk = run(collection(&[BOX], bulk.clone(), Source::Live, None)).await;
    assert_eq!(tags(&run_bulk), json!({"from": "bulk"}));
    assert_eq!(bulk.attempts_at("ListTags"), 0);
    assert_eq!(bulk.attempts_at("GetResources"), 1);
    assert!(run_bulk.entries("s:ListTags").is_empty());
    let odd = Arc::new(boxes().on("GetResources", |_, _| Ok(json!({"List": "nothing that is a list"}))));
    let run_odd = run(collection(&[BOX], odd, Source::Live, None)).await;
    assert_eq!(tags(&run_odd), json!({"from": "item"}), "an answer of another shape tells nothing");
}
