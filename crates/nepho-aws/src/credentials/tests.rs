use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::endpoints::Overrides;
use crate::exchange::{Clock, Exchange, Timeouts};

fn files(config: &str, credentials: &str) -> (tempfile::TempDir, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(".aws/sso/cache")).unwrap();
    std::fs::write(folder.path().join(".aws/config"), config).unwrap();
    std::fs::write(folder.path().join(".aws/credentials"), credentials).unwrap();
    let home = folder.path().display().to_string();
    (folder, vec![("HOME".to_owned(), home), ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned())])
}

fn environment(base: &[(String, String)], more: &[(&str, &str)]) -> Environment {
    let base = base.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Environment::of(&base.chain(more.iter().copied()).collect::<Vec<_>>())
}

fn source(named: Option<&str>, environment: &Environment) -> Result<Arc<dyn Source>, CredentialsError> {
    let config = Config::read(environment)?;
    let exchange = Arc::new(Exchange::new(Overrides::default(), Timeouts::default(), None).unwrap());
    resolve(named, environment, &config, "eu-west-1", &exchange)
}

async fn key(named: Option<&str>, environment: &Environment) -> Result<String, CredentialsError> {
    Ok(source(named, environment)?.fetch().await?.access_key_id)
}

#[tokio::test]
async fn environment_before_default_profile_but_not_before_a_named_one() {
    let (_folder, home) = files(
        "[default]\nregion = eu-west-1\n[profile work]\nAWS_ACCESS_KEY_ID = AKWORK\naws_secret_access_key=s # comment\n",
        "[default]\naws_access_key_id=AKDEFAULT\naws_secret_access_key=s\n",
    );
    let keys = [("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
    assert_eq!(key(None, &environment(&home, &keys)).await.unwrap(), "AKENV");
    assert_eq!(key(Some("work"), &environment(&home, &keys)).await.unwrap(), "AKWORK");
    assert_eq!(key(None, &environment(&home, &[])).await.unwrap(), "AKDEFAULT");
    assert_eq!(key(None, &environment(&home, &[("AWS_PROFILE", "work")])).await.unwrap(), "AKWORK");
    let error = key(Some("nobody"), &environment(&home, &[])).await.unwrap_err().to_string();
    assert!(error.contains("no profile `nobody`"), "{error}");
}

#[tokio::test]
async fn circles_and_mfa_are_named() {
    let (_folder, home) = files(
        "[profile a]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=b\n\
         [profile b]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=a\n\
         [profile m]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=k\nmfa_serial=arn:aws:iam::1:mfa/me\n\
         [profile k]\naws_access_key_id=AK\naws_secret_access_key=s\n\
         [profile self]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=self\naws_access_key_id=AK\naws_secret_access_key=s\n",
        "",
    );
    let plain = environment(&home, &[]);
    assert!(source(Some("a"), &plain).unwrap_err().to_string().contains("circle: a -> b -> a"));
    assert!(source(Some("m"), &plain).unwrap_err().to_string().contains("mfa_serial"));
    assert!(source(Some("self"), &plain).is_ok());
    assert!(source(None, &plain).unwrap_err().to_string().contains("no AWS credentials found"));
}

#[tokio::test]
async fn a_process_prints_credentials() {
    let (_folder, home) = files(
        "[profile p]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"AKP\", \"SecretAccessKey\": \"s\", \
         \"Expiration\": \"2030-01-01T00:00:00Z\"}'\n[profile bad]\ncredential_process = echo please renew >&2; false\n",
        "",
    );
    let plain = environment(&home, &[]);
    let credentials = source(Some("p"), &plain).unwrap().fetch().await.unwrap();
    assert_eq!(credentials.access_key_id, "AKP");
    assert!(credentials.expires.is_some());
    let error = key(Some("bad"), &plain).await.unwrap_err().to_string();
    assert!(error.contains("the command failed") && error.contains("please renew"), "{error}");
    // What it said stays on the screen: it may be anything, and failures are recorded.
    let failure = source(Some("bad"), &plain).unwrap().fetch().await.unwrap_err().to_failure();
    assert!(!failure.message.contains("please renew"), "{failure:?}");
}

#[tokio::test]
async fn an_expired_sign_in_says_what_to_run() {
    let (folder, home) = files(
        "[sso-session corp]\nsso_region=eu-west-1\nsso_start_url=https://corp.awsapps.com/start\n\
         [profile s]\nsso_session=corp\nsso_account_id=111122223333\nsso_role_name=Audit\n",
        "",
    );
    let plain = environment(&home, &[]);
    let error = key(Some("s"), &plain).await.unwrap_err().to_string();
    assert!(error.contains("aws sso login --profile s"), "{error}");
    // sha1("corp")
    let name = {
        use sha1::Digest as _;
        sha1::Sha1::digest(b"corp").iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let cached = folder.path().join(format!(".aws/sso/cache/{name}.json"));
    std::fs::write(cached, r#"{"accessToken": "t", "expiresAt": "2020-01-01T00:00:00Z"}"#).unwrap();
    let error = key(Some("s"), &plain).await.unwrap_err().to_string();
    assert!(error.contains("expired"), "{error}");
}

#[tokio::test]
async fn a_profile_with_a_sign_in_but_no_role_says_what_is_missing() {
    let (_folder, home) = files(
        "[sso-session corp]\nsso_region=eu-west-1\nsso_start_url=https://corp.awsapps.com/start\n\
         [profile s]\nsso_session=corp\n[profile t]\nsso_session=corp\nsso_account_id=111122223333\n\
         [profile k]\nsso_session=corp\naws_access_key_id=AK\naws_secret_access_key=s\n",
        "",
    );
    let plain = environment(&home, &[]);
    let error = key(Some("s"), &plain).await.unwrap_err().to_string();
    assert!(error.contains("`sso_account_id` and `sso_role_name`"), "{error}");
    let error = key(Some("t"), &plain).await.unwrap_err().to_string();
    assert!(error.contains("`sso_role_name`") && !error.contains("sso_account_id"), "{error}");
    assert_eq!(key(Some("k"), &plain).await.unwrap(), "AK");
}

#[test]
fn nested_settings_and_sections() {
    let (_folder, home) = files(
        "[profile dev]\nservices = local\n[services local]\nec2 =\n  endpoint_url = http://ec2.test\nelastic_load_balancing_v2 = \n\tendpoint_url=http://lb.test\n",
        "",
    );
    let config = Config::read(&environment(&home, &[])).unwrap();
    let services = config.services(config.profile("dev").unwrap());
    assert_eq!(services["ec2"]["endpoint_url"], "http://ec2.test");
    assert_eq!(services["elastic_load_balancing_v2"]["endpoint_url"], "http://lb.test");
}

#[test]
fn secrets_are_not_shown() {
    let credentials = Credentials::new("AKID", "very-secret", Some("token".to_owned()), None);
    let shown = format!("{credentials:?} {:?}", Environment::of(&[("AWS_SECRET_ACCESS_KEY", "very-secret")]));
    assert!(!shown.contains("very-secret") && !shown.contains("token\""), "{shown}");
}

#[test]
fn container_addresses() {
    let at =
        |url| container::Container::from_environment(&Environment::of(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]));
    assert!(at("http://127.0.0.1:80/x").unwrap().is_ok());
    assert!(at("http://169.254.170.23/v1").unwrap().is_ok());
    assert!(at("http://example.com/x").unwrap().is_err());
    assert!(at("https://example.com/x").unwrap().is_ok());
}

#[derive(Debug)]
struct Counting {
    count: AtomicUsize,
    lasts: Duration,
}

impl Source for Counting {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let expires = SystemTime::now().checked_add(self.lasts);
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(Credentials::new(&format!("AK{count}"), "s", None, expires))
        })
    }
}

fn counting(lasts: u64) -> (Arc<Counting>, CredentialProvider) {
    let source = Arc::new(Counting { count: AtomicUsize::new(0), lasts: Duration::from_secs(lasts) });
    (source.clone(), CredentialProvider::new(source, Arc::default()))
}

#[tokio::test]
async fn asked_once_and_renewed_ahead() {
    let (source, provider) = counting(3600);
    let (left, right) = futures::join!(provider.get(), provider.get());
    assert_eq!(left.unwrap().access_key_id, right.unwrap().access_key_id);
    assert_eq!(source.count.load(Ordering::SeqCst), 1);
    let used = provider.get().await.unwrap();
    provider.forget(&used).await;
    assert_eq!(provider.get().await.unwrap().access_key_id, "AK1");
}

#[tokio::test(start_paused = true)]
async fn renewed_at_half_time_where_they_live_short() {
    // The provider goes by AWS's clock, which the test sets, and for the shortest pause by one of its own.
    let clock = Arc::new(Clock::default());
    let source = Arc::new(Counting { count: AtomicUsize::new(0), lasts: Duration::from_secs(200) });
    let provider = CredentialProvider::new(source.clone(), clock.clone());
    let mut seen = Vec::new();
    for seconds in [0, 50, 90, 110] {
        clock.set_skew(seconds);
        tokio::time::advance(Duration::from_secs(20)).await;
        seen.push(provider.get().await.unwrap().access_key_id);
    }
    assert_eq!(seen, ["AK0", "AK0", "AK0", "AK1"]);
    // Such as are past their time when they come are used, and not asked for again at once.
    let (source, provider) = counting(0);
    for _ in 0..10 {
        provider.get().await.unwrap();
    }
    assert_eq!(source.count.load(Ordering::SeqCst), 1);
}

#[derive(Debug)]
struct Failing(Counting);

impl Source for Failing {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        match self.0.count.load(Ordering::SeqCst) {
            0 => self.0.fetch(),
            _ => {
                self.0.count.fetch_add(1, Ordering::SeqCst);
                let error = CredentialsError::Source { origin: "test", problem: "gone".to_owned() };
                Box::pin(async move { Err(error) })
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_renewal_is_not_repeated_on_each_call() {
    let clock = Arc::new(Clock::default());
    let source = Arc::new(Failing(Counting { count: AtomicUsize::new(0), lasts: Duration::from_secs(3600) }));
    let provider = CredentialProvider::new(source.clone(), clock.clone());
    provider.get().await.unwrap();
    clock.set_skew(3500);
    for _ in 0..100 {
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(provider.get().await.unwrap().access_key_id, "AK0");
    }
    let tries = source.0.count.load(Ordering::SeqCst) - 1;
    assert_eq!(tries, 2, "every 30 s of the 40 after the first 10");
    clock.set_skew(3700);
    tokio::time::advance(Duration::from_secs(60)).await;
    for _ in 0..100 {
        provider.get().await.unwrap_err();
    }
    assert_eq!(source.0.count.load(Ordering::SeqCst) - 1, 3);
}
