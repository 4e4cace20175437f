//! Signing in, and staying signed in, against a made-up AWS.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail as tests do")]

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

/// A machine's own credentials, good for an hour.
fn machine(key: &str) -> support::Answer {
    let expires = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + 3600).unwrap();
    let body = json!({"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": expires.to_string()});
    support::json(200, body.to_string())
}

fn variables(base: &[(String, String)], more: &[(&str, String)]) -> Vec<(String, String)> {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    // The keys in the environment would come first.
    let without = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name.to_owned(), String::new()));
    base.iter().cloned().chain(without).chain(more).collect()
}

#[tokio::test]
async fn a_profile_without_keys_leaves_them_to_the_machine() {
    let (_folder, base) = home("[profile place]\nregion=eu-west-1\n");
    let failed = AtomicBool::new(false);
    let container = Fake::start(move |_, _| match failed.swap(true, Ordering::SeqCst) {
        // It is asked again.
        false => support::json(500, "{}"),
        true => machine("AKCONTAINER"),
    });
    let fake = Fake::start(|_, _| identity(ACCOUNT));
    let at = variables(&base, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/role", container.url()))]);
    let client = connect(&fake, &at, Some("place")).await.unwrap();
    client.identity().await.unwrap();
    assert_eq!(fake.seen()[0].key(), "AKCONTAINER");
    assert_eq!(fake.seen()[0].region(), "eu-west-1");

    let metadata = |request: &Request, _| match request.head.split(' ').nth(1).unwrap() {
        "/latest/api/token" => support::json(200, "token"),
        path if path.ends_with("/security-credentials/") => support::json(200, "role"),
        _ => machine("AKINSTANCE"),
    };
    // The address comes from the profile.
    let instance = Fake::start(metadata);
    let config = format!("[profile place]\nec2_metadata_service_endpoint={}\n", instance.url());
    let (_folder, base) = home(&config);
    let on = variables(&base, &[("AWS_EC2_METADATA_DISABLED", "false".to_owned())]);
    let client = connect(&fake, &on, Some("place")).await.unwrap();
    client.identity().await.unwrap();
    assert_eq!(fake.seen().last().unwrap().key(), "AKINSTANCE");

    // A service that is there and gives none is told as that.
    let roleless = Fake::start(|request, _| match request.head.starts_with("PUT") {
        true => support::json(200, "token"),
        false => support::json(404, ""),
    });
    let on = variables(&on, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", roleless.url())]);
    let error = connect(&fake, &on, Some("place")).await.unwrap_err().to_string();
    assert!(error.contains("instance has no role"), "{error}");
    let off = variables(&on, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1".to_owned())]);
    let error = connect(&fake, &off, Some("place")).await.unwrap_err().to_string();
    assert!(error.contains("no AWS credentials found") && error.contains("`place`"), "{error}");
}

#[tokio::test]
async fn an_expired_sign_in_is_renewed_and_kept() {
    let (folder, base) = home(
        "[sso-session corp]\nsso_region=us-east-1\nsso_start_url=https://corp.awsapps.com/start\n\
         [profile sso]\nsso_session=corp\nsso_account_id=111122223333\nsso_role_name=Audit\n",
    );
    // sha1("corp")
    let cache = folder.path().join(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json");
    let cached = json!({
        "startUrl": "https://corp.awsapps.com/start", "accessToken": "old", "expiresAt": "2020-01-01T00:00:00Z",
        "clientId": "c", "clientSecret": "cs", "registrationExpiresAt": "2099-01-01T00:00:00Z", "refreshToken": "r0",
    });
    std::fs::write(&cache, cached.to_string()).unwrap();
    let fake = Fake::start(|request, _| match request.head.split([' ', '?']).nth(1).unwrap() {
        "/token" => {
            let asked: Json = serde_json::from_str(&request.body).unwrap();
            assert_eq!((&asked["refreshToken"], &asked["grantType"]), (&json!("r0"), &json!("refresh_token")));
            support::json(200, json!({"accessToken": "new", "expiresIn": 3600, "refreshToken": "r1"}).to_string())
        }
        "/federation/credentials" => {
            assert_eq!(request.header("x-amz-sso_bearer_token"), Some("new"));
            let until = jiff::Timestamp::now().as_millisecond() + 3_600_000;
            let keys =
                json!({"accessKeyId": "AKSSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": until});
            support::json(200, json!({"roleCredentials": keys}).to_string())
        }
        _ => identity(ACCOUNT),
    });
    let client = connect(&fake, &base, Some("sso")).await.unwrap();
    client.identity().await.unwrap();
    assert_eq!(fake.seen().last().unwrap().key(), "AKSSO");
    let kept: Json = serde_json::from_str(&std::fs::read_to_string(&cache).unwrap()).unwrap();
    assert_eq!(
        (&kept["accessToken"], &kept["refreshToken"], &kept["clientId"]),
        (&json!("new"), &json!("r1"), &json!("c"))
    );
    assert!(kept["expiresAt"].as_str().unwrap() > "2026", "{kept}");
}

#[tokio::test]
async fn errors_at_sign_in_say_what_to_do() {
    let help = |fake: Fake| async move {
        let error = match connect(&fake, &[], None).await {
            Ok(client) => client.identity().await.unwrap_err(),
            Err(error) => error,
        };
        error.help().unwrap_or_default().to_owned()
    };
    assert!(help(Fake::start(|_, _| error(403, "InvalidClientTokenId"))).await.contains("aws configure list"));
    assert!(help(Fake::start(|_, _| error(403, "ExpiredToken"))).await.contains("sign in again"));
    assert!(help(Fake::start(|_, _| error(403, "SignatureDoesNotMatch"))).await.contains("secret access key"));
    let page = |_: &Request, _| support::xml(404, "<!doctype html><p>Not here");
    assert!(help(Fake::start(page)).await.contains("AWS_ENDPOINT_URL"));
    let (_folder, base) = home(ROLE);
    let fake = Fake::start(|_, _| error(403, "AccessDenied"));
    let refused = connect(&fake, &base, Some("role")).await.unwrap_err();
    assert!(refused.help().unwrap().contains("--trust"), "{refused}");
}

fn regions() -> support::Answer {
    support::xml(
        200,
        "<DescribeRegionsResponse><regionInfo><item><regionName>eu-west-1</regionName><optInStatus>opted-in</optInStatus>\
         </item><item><regionName>af-south-1</regionName><optInStatus>not-opted-in</optInStatus></item></regionInfo>\
         </DescribeRegionsResponse>",
    )
}

#[tokio::test]
async fn regions_are_asked_where_every_account_has_them() {
    let (_folder, base) = home("");
    let far = variables(
        &base,
        &[
            ("AWS_REGION", "af-south-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AK".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "s".to_owned()),
        ],
    );
    let fake = Fake::start(|request, _| match (request.action(), request.region()) {
        ("DescribeRegions", "us-east-1") => regions(),
        ("DescribeRegions", _) => error(401, "AuthFailure"),
        _ => identity(ACCOUNT),
    });
    let client = connect(&fake, &far, None).await.unwrap();
    let found = client.regions(ACCOUNT).await.unwrap();
    let on: Vec<&str> = found.iter().filter(|region| region.enabled).map(|region| region.name.as_str()).collect();
    assert_eq!(on, ["eu-west-1"]);

    // An organisation may bar the home region.
    let fake = Fake::start(|request, _| match (request.action(), request.region()) {
        ("DescribeRegions", "us-east-1") => error(403, "UnauthorizedOperation"),
        ("DescribeRegions", _) => regions(),
        _ => identity(ACCOUNT),
    });
    let client = connect(&fake, &far, None).await.unwrap();
    assert_eq!(client.regions(ACCOUNT).await.unwrap().len(), 2);
}

#[tokio::test]
async fn regions_that_do_not_know_the_credentials_are_off() {
    let fake = Fake::start(|request, _| match request.region() {
        "af-south-1" => error(403, "InvalidClientTokenId"),
        "eu-south-1" => error(403, "AccessDenied"),
        _ => identity(ACCOUNT),
    });
    let client = connect(&fake, &[], None).await.unwrap();
    let asked = ["af-south-1", "eu-south-1", "us-east-1"];
    assert_eq!(client.regions_off(ACCOUNT, &asked).await, ["af-south-1"]);
    // A token that was handed to us may come from an endpoint whose tokens do not work there.
    let token = [("AWS_SESSION_TOKEN".to_owned(), "t".to_owned())];
    let client = connect(&fake, &token, None).await.unwrap();
    assert!(client.regions_off(ACCOUNT, &asked).await.is_empty());
}

#[tokio::test]
async fn a_bucket_in_another_region_is_followed_there_once() {
    let fake = Fake::start(|request, _| {
        if !request.head.starts_with("GET /bucket") {
            return identity(ACCOUNT);
        }
        if request.region() == "eu-west-1" && request.head.contains("/bucket-b") {
            return support::xml(200, "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
        }
        let mut answer = support::xml(301, "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>");
        let region = match request.head.contains("/bucket-lies") {
            true => "evil.example.com/".to_owned(),
            // Never content.
            false if request.region() == "eu-west-1" => "us-west-2".to_owned(),
            false => "eu-west-1".to_owned(),
        };
        answer.headers.push(("x-amz-bucket-region", region));
        answer
    });
    let client = connect(&fake, &[], None).await.unwrap();
    let get = |bucket: &str| ask(&client, "s3", "GetBucketVersioning", json!({"Bucket": bucket}));
    assert_eq!(get("bucket-b").await.unwrap()["Status"], "Enabled");
    let before = fake.seen().len();
    assert_eq!(get("bucket-c").await.unwrap_err().code, "PermanentRedirect");
    assert_eq!(fake.seen().len(), before + 2);
    assert_eq!(get("bucket-lies").await.unwrap_err().code, "PermanentRedirect");
    assert_eq!(fake.seen().len(), before + 3);
}

#[tokio::test]
async fn signing_in_makes_no_call_that_is_not_in_the_policy() {
    let fake = Fake::start(|request, _| match request.action() {
        "AssumeRole" => assumed("AKROLE", 3600),
        "DescribeRegions" => regions(),
        "GetCallerIdentity" => identity(ACCOUNT),
        _ => support::json(
            200,
            json!({"Accounts": [{"Id": "444455556666", "Name": "b", "State": "ACTIVE"}]}).to_string(),
        ),
    });
    let client = connect(&fake, &[], None).await.unwrap();
    client.identity().await.unwrap();
    for member in client.organization_accounts().await.unwrap() {
        client.enter_account(&member.id, "Reader").await.unwrap();
        client.regions(&member.id).await.unwrap();
        client.regions_off(&member.id, &["eu-west-1"]).await;
        ask_in(&client, &member.id, "sts", "GetCallerIdentity", json!({})).await.unwrap();
    }
    let catalog = nepho_catalog::Catalog::embedded().unwrap();
    let permitted = nepho_aws::permissions::by_call(&catalog);
    let mut entered = 0;
    for request in fake.seen() {
        let service = request.header("authorization").unwrap().split('/').nth(3).unwrap();
        let target = request.header("x-amz-target").and_then(|target| target.split('.').next_back());
        let operation = target.unwrap_or_else(|| request.action());
        match (service, operation) {
            // Not a reading permission; `permissions aws --assume ROLE` prints it for who scans an organisation.
            ("sts", "AssumeRole") => entered += 1,
            (service, operation) => {
                assert!(permitted.contains_key(&(service.to_owned(), operation.to_owned())), "{service}:{operation}");
            }
        }
    }
    assert_eq!(entered, 1);
}

#[tokio::test]
async fn certificates_of_ones_own() {
    let fake = Fake::start_tls(|_, _| identity(ACCOUNT));
    let bundle = |path: &str| vec![("AWS_CA_BUNDLE".to_owned(), path.to_owned())];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
    let client = connect(&fake, &bundle(&format!("{folder}/ca.pem")), None).await.unwrap();
    client.identity().await.unwrap();
    // From a profile, too.
    let (_home, base) =
        home(&format!("[profile p]\nca_bundle={folder}/ca.pem\naws_access_key_id=AK\naws_secret_access_key=s\n"));
    connect(&fake, &base, Some("p")).await.unwrap().identity().await.unwrap();

    let client = connect(&fake, &[], None).await.unwrap();
    let error = client.identity().await.unwrap_err();
    assert!(error.help().unwrap().contains("AWS_CA_BUNDLE"), "{error}");
    let error = connect(&fake, &bundle("/nowhere.pem"), None).await.unwrap_err().to_string();
    assert!(error.contains("`/nowhere.pem`"), "{error}");
    let error = connect(&fake, &bundle(&format!("{folder}/server.key")), None).await.unwrap_err().to_string();
    assert!(error.contains("none in it"), "{error}");

    // And https to what speaks none.
    let plain = Fake::start(|_, _| identity(ACCOUNT));
    let to = |url: String| vec![("AWS_ENDPOINT_URL_STS".to_owned(), url)];
    let options = nepho_aws::ConnectOptions::default();
    let variables = to(plain.url().replace("http:", "https:"));
    let mut pairs = vec![("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "s")];
    pairs.extend(variables.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let client = AwsClient::connect_in(&nepho_aws::credentials::Environment::of(&pairs), options).await.unwrap();
    let error = client.identity().await.unwrap_err();
    assert!(error.help().unwrap().contains("http://"), "{error}");
}
