//! Signing in, and staying signed in, against a made-up AWS.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nepho_aws::AwsClient;
use nepho_collect::{Call, Failure, FailureKind, Provider as _};
use serde_json::{Value as Json, json};

use support::{Fake, Request, assumed, connect, date, error, home, identity};

const ACCOUNT: &str = "111122223333";

const ROLE: &str = "[profile role]\nrole_arn=arn:aws:iam::111122223333:role/r\ncredential_source=Environment\n\
                    [profile second]\nrole_arn=arn:aws:iam::111122223333:role/s\nsource_profile=role\n";

async fn ask(client: &AwsClient, service: &str, operation: &str, parameters: Json) -> Result<Json, Failure> {
    ask_in(client, ACCOUNT, service, operation, parameters).await
}

async fn ask_in(
    client: &AwsClient,
    account: &str,
    service: &str,
    operation: &str,
    parameters: Json,
) -> Result<Json, Failure> {
    let call = Call {
        account: Arc::from(account),
        region: Arc::from("us-east-1"),
        service: Arc::from(service),
        operation: Arc::from(operation),
        parameters: parameters.as_object().cloned().unwrap_or_default(),
    };
    client.attempt(&call).await
}

/// Refuses what is not signed by the clock that is so many seconds ahead of ours.
fn by_clock(request: &Request, ahead: i64) -> Option<support::Answer> {
    let now = jiff::Timestamp::now().as_second() + ahead;
    let mut refused = error(403, "SignatureDoesNotMatch");
    refused.headers.push(date(ahead));
    ((request.signed_at() - now).abs() > 300).then_some(refused)
}

#[tokio::test]
async fn all_calls_under_way_survive_a_step_of_the_clock() {
    let ahead = Arc::new(AtomicBool::new(false));
    let stepped = ahead.clone();
    let fake = Fake::start(move |request, _| {
        by_clock(request, if stepped.load(Ordering::SeqCst) { 7200 } else { 0 }).unwrap_or_else(|| identity(ACCOUNT))
    });
    let client = connect(&fake, &[], None).await.unwrap();
    ask(&client, "sts", "GetCallerIdentity", json!({})).await.unwrap();
    ahead.store(true, Ordering::SeqCst);
    let calls = (0..16).map(|_| ask(&client, "sts", "GetCallerIdentity", json!({})));
    for outcome in futures::future::join_all(calls).await {
        outcome.unwrap();
    }
    // The clock is known now: no further call is refused first.
    let before = fake.seen().len();
    ask(&client, "sts", "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!(fake.seen().len(), before + 1);
}

#[tokio::test]
async fn a_wrong_clock_does_not_keep_a_role_from_being_assumed() {
    let fake = Fake::start(|request, _| {
        by_clock(request, -7200).unwrap_or_else(|| match request.action() {
            // An hour from now, by the clock that is right.
            "AssumeRole" => assumed("AKROLE", 3600 - 7200),
            _ => identity(ACCOUNT),
        })
    });
    let (_folder, variables) = home(ROLE);
    let client = connect(&fake, &variables, Some("role")).await.unwrap();
    for _ in 0..5 {
        ask(&client, "sts", "GetCallerIdentity", json!({})).await.unwrap();
    }
    // Once by the wrong clock, once by the right one; what came is fresh by the right one.
    assert_eq!(fake.count("AssumeRole"), 2);
}

#[tokio::test]
async fn short_lived_credentials_are_not_asked_for_on_every_call() {
    let fake = Fake::start(|request, _| match request.action() {
        "AssumeRole" => assumed("AKROLE", 200),
        _ => identity(ACCOUNT),
    });
    let (_folder, variables) = home(ROLE);
    let client = connect(&fake, &variables, Some("role")).await.unwrap();
    for _ in 0..20 {
        ask(&client, "sts", "GetCallerIdentity", json!({})).await.unwrap();
    }
    assert_eq!(fake.count("AssumeRole"), 1);
}

#[tokio::test]
async fn a_role_whose_base_role_has_expired_is_assumed_anew() {
    let count = AtomicUsize::new(0);
    let expired = Arc::new(AtomicBool::new(false));
    let time_is_up = expired.clone();
    let fake = Fake::start(move |request, _| {
        let old = ["AK0", "AK1"].contains(&request.key());
        match request.action() {
            _ if old && time_is_up.load(Ordering::SeqCst) => error(403, "ExpiredToken"),
            "AssumeRole" => assumed(&format!("AK{}", count.fetch_add(1, Ordering::SeqCst)), 3600),
            _ => identity(ACCOUNT),
        }
    });
    let (_folder, variables) = home(ROLE);
    let client = connect(&fake, &variables, Some("second")).await.unwrap();
    ask(&client, "sts", "GetCallerIdentity", json!({})).await.unwrap();
    expired.store(true, Ordering::SeqCst);
    ask(&client, "sts", "GetCallerIdentity", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_failing_sts_is_asked_again_and_not_held_against_the_service() {
    let fake = Fake::start(|request, number| match request.action() {
        "AssumeRole" if number < 2 => error(400, "Throttling"),
        "AssumeRole" => assumed("AKROLE", 3600),
        _ => identity(ACCOUNT),
    });
    let (_folder, variables) = home(ROLE);
    let client = connect(&fake, &variables, Some("role")).await.unwrap();
    ask(&client, "sts", "GetCallerIdentity", json!({})).await.unwrap();
    assert_eq!(fake.count("AssumeRole"), 3);

    // Whoever wants credentials while there are none is told so, without a call for each.
    let down = Arc::new(AtomicBool::new(false));
    let is_down = down.clone();
    let fake = Fake::start(move |request, _| match request.action() {
        _ if is_down.load(Ordering::SeqCst) && request.action() != "AssumeRole" => error(403, "ExpiredToken"),
        "AssumeRole" if is_down.load(Ordering::SeqCst) => error(400, "Throttling"),
        "AssumeRole" => assumed("AKROLE", 3600),
        _ => identity(ACCOUNT),
    });
    let client = connect(&fake, &variables, Some("role")).await.unwrap();
    down.store(true, Ordering::SeqCst);
    let calls = (0..8).map(|_| ask(&client, "sts", "GetCallerIdentity", json!({})));
    for outcome in futures::future::join_all(calls).await {
        let failure = outcome.unwrap_err();
        // The engine tries again, but slows nothing down and gives no address up.
        assert_eq!(failure.kind, FailureKind::ServerFault, "{failure:?}");
        assert!(failure.message.contains("sts:AssumeRole"), "{failure:?}");
    }
    assert_eq!(fake.count("AssumeRole"), 1 + 5);
}
