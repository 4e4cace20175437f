//! IAM Identity Center: the token that `aws sso login` left in the cache, renewed where it can be, exchanged for a role's
//! credentials.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use nepho_collect::Failure;
use serde_json::{Map, Value as Json, json};
use sha1::{Digest as _, Sha1};

use super::{Config, Credentials, CredentialsError, Environment, Profile, Source};
use crate::exchange::Exchange;
use crate::failure;
use crate::protocol::timestamp;

/// A token is renewed so long before it expires.
const AHEAD: Duration = Duration::from_secs(300);

/// A role of Identity Center.
#[derive(Debug)]
pub struct Sso {
    exchange: Arc<Exchange>,
    profile: String,
    region: String,
    account: String,
    role: String,
    token: PathBuf,
    /// Tokens of an `sso-session` can be renewed; those of the older form cannot.
    renewable: bool,
}

impl Sso {
    /// From a profile's settings; `None` where it has none for this.
    pub fn from_profile(
        profile: &Profile,
        config: &Config,
        environment: &Environment,
        exchange: &Arc<Exchange>,
    ) -> Option<Result<Self, CredentialsError>> {
        let names = ["sso_account_id", "sso_role_name", "sso_session", "sso_start_url"];
        if names.iter().all(|name| profile.get(name).is_none()) {
            return None;
        }
        let wrong = |problem: String| CredentialsError::Profile { profile: profile.name.clone(), problem };
        let (account, role) = match (profile.get("sso_account_id"), profile.get("sso_role_name")) {
            (Some(account), Some(role)) => (account, role),
            // Such a profile may have other credentials, and the sign-in for something else.
            (None, None)
                if ["aws_access_key_id", "credential_process"].iter().any(|key| profile.get(key).is_some()) =>
            {
                return None;
            }
            (account, _) => {
                let lacking = match account {
                    None => "`sso_account_id` and `sso_role_name`",
                    Some(_) => "`sso_role_name`",
                };
                return Some(Err(wrong(format!(
                    "has a sign-in, but {lacking} must say which role to take; run `aws configure sso --profile {}`",
                    profile.name
                ))));
            }
        };
        let (settings, cache_key) = match profile.get("sso_session") {
            Some(name) => match config.sso_session(name) {
                Some(session) => (session, Some(name)),
                None => return Some(Err(wrong(format!("there is no section `[sso-session {name}]`")))),
            },
            None => (profile, profile.get("sso_start_url")),
        };
        let (Some(region), Some(cache_key)) = (settings.get("sso_region"), cache_key) else {
            return Some(Err(wrong("`sso_region` and `sso_start_url` are needed; run `aws configure sso`".to_owned())));
        };
        let digest = Sha1::digest(cache_key.as_bytes());
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(Ok(Self {
            exchange: exchange.clone(),
            profile: profile.name.clone(),
            region: region.to_owned(),
            account: account.to_owned(),
            role: role.to_owned(),
            token: environment.path(&format!("~/.aws/sso/cache/{name}.json")),
            renewable: profile.get("sso_session").is_some(),
        }))
    }

    fn login(&self, problem: &str) -> CredentialsError {
        CredentialsError::Source {
            origin: "IAM Identity Center",
            problem: format!("{problem}; run `aws sso login --profile {}`", self.profile),
        }
    }

    /// The cached token, renewed where its time is up.
    async fn token(&self) -> Result<String, CredentialsError> {
        let text = std::fs::read_to_string(&self.token).map_err(|_| self.login("not signed in"))?;
        let unreadable = || self.login("the cached token can't be read");
        let cached: Map<String, Json> = serde_json::from_str(&text).map_err(|_| unreadable())?;
        let now = self.exchange.clock().now();
        let expires = cached.get("expiresAt").and_then(timestamp::read).and_then(timestamp::to_system);
        let left = expires.and_then(|expires| expires.duration_since(now).ok()).unwrap_or_default();
        if left <= AHEAD
            && let Some(request) = self.renewal(&cached, now)
        {
            match self.exchange.patient_call("sso-oidc", "CreateToken", &self.region, &request, None).await {
                Ok(answer) => return self.keep(cached, &answer, now).ok_or_else(unreadable),
                // The token may do for some minutes yet.
                Err(_) if !left.is_zero() => {}
                Err(failure) if failure::passes(&failure) => {
                    return Err(CredentialsError::Api { operation: "sso-oidc:CreateToken".to_owned(), failure });
                }
                Err(Failure { code, .. }) => {
                    return Err(self.login(&format!("the sign-in has expired and can't be renewed ({code})")));
                }
            }
        }
        if left.is_zero() {
            return Err(self.login("the sign-in has expired"));
        }
        cached.get("accessToken").and_then(Json::as_str).map(str::to_owned).ok_or_else(unreadable)
    }

    /// The parameters that renew the token, where it can be renewed.
    fn renewal(&self, cached: &Map<String, Json>, now: SystemTime) -> Option<Map<String, Json>> {
        let text = |name: &str| cached.get(name).and_then(Json::as_str);
        let registered = cached.get("registrationExpiresAt").and_then(timestamp::read).and_then(timestamp::to_system);
        if !self.renewable || registered.is_none_or(|until| until <= now) {
            return None;
        }
        let (client, secret, refresh) = (text("clientId")?, text("clientSecret")?, text("refreshToken")?);
        let request =
            json!({"clientId": client, "clientSecret": secret, "refreshToken": refresh, "grantType": "refresh_token"});
        request.as_object().cloned()
    }

    /// Puts a renewed token into the cache, for AWS's own tools too, and returns it.
    fn keep(&self, mut cached: Map<String, Json>, answer: &Json, now: SystemTime) -> Option<String> {
        let token = answer.get("accessToken")?.as_str()?.to_owned();
        let seconds = answer.get("expiresIn").and_then(Json::as_u64)?;
        let expires = jiff::Timestamp::try_from(now.checked_add(Duration::from_secs(seconds))?).ok()?;
        cached.insert("accessToken".to_owned(), Json::from(token.as_str()));
        cached.insert("expiresAt".to_owned(), Json::from(expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
        if let Some(refresh) = answer.get("refreshToken").filter(|refresh| refresh.is_string()) {
            cached.insert("refreshToken".to_owned(), refresh.clone());
        }
        // A cache that cannot be written costs a sign-in later, and nothing now.
        write_private(&self.token, &Json::Object(cached).to_string()).ok();
        Some(token)
    }

    async fn exchange(&self) -> Result<Credentials, CredentialsError> {
        let token = self.token().await?;
        let mut parameters = Map::new();
        for (name, value) in [("accessToken", &token), ("accountId", &self.account), ("roleName", &self.role)] {
            parameters.insert(name.to_owned(), Json::String(value.clone()));
        }
        let answer = self.exchange.patient_call("sso", "GetRoleCredentials", &self.region, &parameters, None).await;
        let answer = answer.map_err(|failure| match failure.code.as_str() {
            "UnauthorizedException" => self.login("the sign-in has expired"),
            _ => CredentialsError::Api {
                operation: format!("sso:GetRoleCredentials for `{}` in {}", self.role, self.account),
                failure,
            },
        })?;
        let names = ["accessKeyId", "secretAccessKey", "sessionToken", "expiration"];
        answer
            .get("roleCredentials")
            .and_then(|credentials| Credentials::from_json(credentials, names))
            .map(Credentials::for_all_regions)
            .ok_or_else(|| self.login("the answer holds no credentials"))
    }
}

/// Replaces a file by one that only its owner can read.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| file.write_all(text.as_bytes()));
    let moved = written.and_then(|()| std::fs::rename(&beside, path));
    if moved.is_err() {
        std::fs::remove_file(&beside).ok();
    }
    moved
}

impl Source for Sso {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.exchange())
    }
}
