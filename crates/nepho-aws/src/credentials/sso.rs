//! IAM Identity Center: the token that `aws sso login` left in the cache, exchanged for a role's credentials.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json};
use sha1::{Digest as _, Sha1};

use super::{Config, Credentials, CredentialsError, Environment, Profile, Source};
use crate::exchange::Exchange;
use crate::protocol::timestamp;

/// A role of Identity Center.
#[derive(Debug)]
pub struct Sso {
    exchange: Arc<Exchange>,
    profile: String,
    region: String,
    account: String,
    role: String,
    token: PathBuf,
}

impl Sso {
    /// From a profile's settings; `None` where it has none for this.
    pub fn from_profile(
        profile: &Profile,
        config: &Config,
        environment: &Environment,
        exchange: &Arc<Exchange>,
    ) -> Option<Result<Self, CredentialsError>> {
        let (account, role) = (profile.get("sso_account_id")?, profile.get("sso_role_name")?);
        let wrong = |problem: String| CredentialsError::Profile { profile: profile.name.clone(), problem };
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
        }))
    }

    fn login(&self, problem: &str) -> CredentialsError {
        CredentialsError::Source {
            origin: "IAM Identity Center",
            problem: format!("{problem}; run `aws sso login --profile {}`", self.profile),
        }
    }

    /// The cached token, where it is still good.
    pub fn token(&self) -> Result<String, CredentialsError> {
        let text = std::fs::read_to_string(&self.token).map_err(|_| self.login("not signed in"))?;
        let json: Json = serde_json::from_str(&text).map_err(|_| self.login("the cached token can't be read"))?;
        let expires = json.get("expiresAt").and_then(timestamp::read).and_then(timestamp::to_system);
        if expires.is_none_or(|expires| expires <= SystemTime::now()) {
            return Err(self.login("the sign-in has expired"));
        }
        let token = json.get("accessToken").and_then(Json::as_str);
        token.map(str::to_owned).ok_or_else(|| self.login("the cached token can't be read"))
    }

    async fn exchange(&self) -> Result<Credentials, CredentialsError> {
        let token = self.token()?;
        let mut parameters = Map::new();
        for (name, value) in [("accessToken", &token), ("accountId", &self.account), ("roleName", &self.role)] {
            parameters.insert(name.to_owned(), Json::String(value.clone()));
        }
        let answer = self.exchange.call("sso", "GetRoleCredentials", &self.region, &parameters, None).await.map_err(
            |failure| match failure.code.as_str() {
                "UnauthorizedException" => self.login("the sign-in has expired"),
                _ => CredentialsError::Api {
                    operation: format!("sso:GetRoleCredentials for `{}` in {}", self.role, self.account),
                    failure,
                },
            },
        )?;
        let names = ["accessKeyId", "secretAccessKey", "sessionToken", "expiration"];
        answer
            .get("roleCredentials")
            .and_then(|credentials| Credentials::from_json(credentials, names))
            .ok_or_else(|| self.login("the answer holds no credentials"))
    }
}

impl Source for Sso {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.exchange())
    }
}
