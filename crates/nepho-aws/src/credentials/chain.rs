//! Which source to use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::assume_role::AssumeRole;
use super::container::Container;
use super::metadata::Metadata;
use super::process::Process;
use super::sso::Sso;
use super::web_identity::WebIdentity;
use super::{Config, CredentialProvider, Credentials, CredentialsError, Environment, Fixed, Profile, Source};
use crate::exchange::Exchange;

/// Profiles that lead to one another, at most.
const MAX_CHAIN: usize = 10;

/// What the sources need.
struct Chain<'a> {
    environment: &'a Environment,
    config: &'a Config,
    region: &'a str,
    exchange: &'a Arc<Exchange>,
}

/// Chooses the source of credentials. A profile that is named for this run beats the environment; else the environment
/// comes first, then web identity, the profile, the container, the instance.
pub fn resolve(
    named: Option<&str>,
    environment: &Environment,
    config: &Config,
    region: &str,
    exchange: &Arc<Exchange>,
) -> Result<Arc<dyn Source>, CredentialsError> {
    let chain = Chain { environment, config, region, exchange };
    if let Some(name) = named {
        return chain.profile(config.profile(name)?, &mut Vec::new());
    }
    if let Some(credentials) = environment.credentials() {
        return Ok(Arc::new(Fixed(credentials)));
    }
    if let Some(source) = WebIdentity::find(environment, None, region, exchange) {
        return Ok(Arc::new(source));
    }
    match environment.get("AWS_PROFILE").or_else(|| environment.get("AWS_DEFAULT_PROFILE")) {
        Some(name) => chain.profile(config.profile(name)?, &mut Vec::new()),
        None => match config.profile("default") {
            Ok(profile) => chain.profile(profile, &mut Vec::new()),
            Err(_) => chain.machine(&Profile::empty("default")),
        },
    }
}

/// Whether a profile has anything to do with credentials. One that has not gives the region, say, to a machine that has a
/// role of its own.
fn says_something(profile: &Profile) -> bool {
    let keys = [
        "aws_access_key_id",
        "aws_secret_access_key",
        "credential_process",
        "role_arn",
        "sso_account_id",
        "sso_role_name",
        "sso_session",
        "sso_start_url",
        "web_identity_token_file",
    ];
    keys.iter().any(|key| profile.get(key).is_some())
}

impl Chain<'_> {
    fn profile(&self, profile: &Profile, seen: &mut Vec<String>) -> Result<Arc<dyn Source>, CredentialsError> {
        let wrong = |problem: String| CredentialsError::Profile { profile: profile.name.clone(), problem };
        if seen.contains(&profile.name) || seen.len() >= MAX_CHAIN {
            return Err(wrong(format!("`source_profile` goes in a circle: {} -> {}", seen.join(" -> "), profile.name)));
        }
        seen.push(profile.name.clone());
        if profile.get("web_identity_token_file").is_some() {
            return WebIdentity::find(self.environment, Some(profile), self.region, self.exchange)
                .map(|source| Arc::new(source) as Arc<dyn Source>)
                .ok_or_else(|| wrong("`web_identity_token_file` needs `role_arn`".to_owned()));
        }
        if let Some(role_arn) = profile.get("role_arn") {
            return self.role(profile, role_arn, seen);
        }
        // A `source_profile` is there for its credentials; only the profile that was asked for may leave them to the machine.
        match seen.len() == 1 && !says_something(profile) {
            true => self.machine(profile),
            false => self.plain(profile),
        }
    }

    /// The container, else the instance.
    fn machine(&self, profile: &Profile) -> Result<Arc<dyn Source>, CredentialsError> {
        if let Some(container) = Container::from_environment(self.environment) {
            return Ok(Arc::new(container?));
        }
        let profile_name = profile.name.clone();
        match Metadata::find(self.environment, profile) {
            Some(metadata) => {
                Ok(Arc::new(LastResort { metadata, profile: profile_name, seen: AtomicBool::new(false) }))
            }
            None => Err(CredentialsError::None { profile: profile_name }),
        }
    }

    fn role(
        &self,
        profile: &Profile,
        role_arn: &str,
        seen: &mut Vec<String>,
    ) -> Result<Arc<dyn Source>, CredentialsError> {
        let wrong = |problem: String| CredentialsError::Profile { profile: profile.name.clone(), problem };
        if profile.get("mfa_serial").is_some() {
            return Err(wrong(
                "`mfa_serial` needs a person at the keyboard; sign in first (`aws sts assume-role …` or `aws sso login`) \
                 and pass the credentials in the environment"
                    .to_owned(),
            ));
        }
        let base: Arc<dyn Source> = match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(_), Some(_)) => {
                return Err(wrong("has both `source_profile` and `credential_source`; keep one".to_owned()));
            }
            // A profile may be its own source, for its keys.
            (Some(name), None) if name == profile.name => self.plain(profile)?,
            (Some(name), None) => {
                let source = self
                    .config
                    .profile(name)
                    .map_err(|_| wrong(format!("its `source_profile` is `{name}`, which does not exist")))?;
                self.profile(source, seen)?
            }
            (None, Some(source)) => self.named_source(profile, source)?,
            (None, None) => return Err(wrong("`role_arn` needs `source_profile` or `credential_source`".to_owned())),
        };
        let duration = profile
            .get("duration_seconds")
            .map(|text| text.parse().map_err(|_| wrong(format!("`duration_seconds` is `{text}`, not a number"))));
        Ok(Arc::new(AssumeRole {
            exchange: self.exchange.clone(),
            base: Arc::new(CredentialProvider::new(base, self.exchange.clock().clone())),
            region: profile.get("region").unwrap_or(self.region).to_owned(),
            role_arn: role_arn.to_owned(),
            session_name: profile.get("role_session_name").unwrap_or("nephoscope").to_owned(),
            external_id: profile.get("external_id").map(str::to_owned),
            duration_seconds: duration.transpose()?,
        }))
    }

    fn named_source(&self, profile: &Profile, name: &str) -> Result<Arc<dyn Source>, CredentialsError> {
        let wrong = |problem: String| CredentialsError::Profile { profile: profile.name.clone(), problem };
        let lacking = || wrong(format!("`credential_source` is `{name}`, but there are no such credentials here"));
        Ok(match name {
            "Environment" => Arc::new(Fixed(self.environment.credentials().ok_or_else(lacking)?)),
            "EcsContainer" => Arc::new(Container::from_environment(self.environment).ok_or_else(lacking)??),
            "Ec2InstanceMetadata" => Arc::new(Metadata::find(self.environment, profile).ok_or_else(lacking)?),
            _ => {
                return Err(wrong(format!(
                    "`credential_source` is `{name}`; it may be Environment, EcsContainer or Ec2InstanceMetadata"
                )));
            }
        })
    }

    /// SSO, keys or a process.
    fn plain(&self, profile: &Profile) -> Result<Arc<dyn Source>, CredentialsError> {
        let wrong =
            |problem: &str| CredentialsError::Profile { profile: profile.name.clone(), problem: problem.to_owned() };
        if let Some(sso) = Sso::from_profile(profile, self.config, self.environment, self.exchange) {
            return Ok(Arc::new(sso?));
        }
        match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
            (Some(id), Some(secret)) => {
                let token = profile.get("aws_session_token").map(str::to_owned);
                return Ok(Arc::new(Fixed(Credentials::new(id, secret, token, None))));
            }
            (None, None) => {}
            _ => return Err(wrong("has only one of `aws_access_key_id` and `aws_secret_access_key`")),
        }
        if let Some(command) = profile.get("credential_process") {
            return Ok(Arc::new(Process { command: command.to_owned() }));
        }
        Err(wrong("holds no credentials; run `aws configure` or `aws configure sso` for it"))
    }
}

/// The instance's metadata service as the last of the chain: where it is not there, and never was, there are no credentials
/// at all.
#[derive(Debug)]
struct LastResort {
    metadata: Metadata,
    profile: String,
    seen: AtomicBool,
}

impl Source for LastResort {
    fn fetch(&self) -> futures::future::BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(async {
            match self.metadata.ask().await {
                Err(problem) if problem.absent && !self.seen.load(Ordering::Relaxed) => {
                    Err(CredentialsError::None { profile: self.profile.clone() })
                }
                Err(problem) => {
                    self.seen.store(true, Ordering::Relaxed);
                    Err(problem.error)
                }
                Ok(credentials) => {
                    self.seen.store(true, Ordering::Relaxed);
                    Ok(credentials)
                }
            }
        })
    }
}
