//! The live AWS: accounts, their credentials, and the engine's calls.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use nepho_collect::{Call, Failure, FailureKind, Pagination, Provider, Transform};
use serde_json::{Map, Value as Json, json};

use crate::credentials::assume_role::AssumeRole;
use crate::credentials::{self, Config, CredentialProvider, Credentials, CredentialsError, Environment, Profile};
use crate::endpoints::{self, Overrides};
use crate::exchange::{Exchange, HttpError, Timeouts};
use crate::failure;
use crate::tables::AwsTables;

/// How to sign in.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// Profile of the shared configuration; beats credentials in the environment.
    pub profile: Option<String>,
    /// Region for calls that need one before regions are known.
    pub region: Option<String>,
    /// Role to assume in the account before anything else (a name or an ARN).
    pub role_name: Option<String>,
    /// External id for roles that ask for one.
    pub external_id: Option<String>,
    /// One endpoint for all services (a proxy, moto, LocalStack).
    pub endpoint_url: Option<String>,
    /// Limits of each call.
    pub timeouts: Timeouts,
}

/// Could not sign in.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No credentials, or they were refused.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No HTTPS.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// AWS answered a question about the account or its organisation with an error.
    #[error("{operation} failed: {code}: {message}", code = failure.code, message = failure.message)]
    Api {
        /// Which.
        operation: &'static str,
        /// What AWS said.
        failure: Failure,
    },
    /// An answer lacks what it must have.
    #[error("the answer to {operation} lacks `{field}`; is the endpoint AWS's own?")]
    Answer {
        /// Which.
        operation: &'static str,
        /// What is missing.
        field: &'static str,
    },
}

impl ConnectError {
    /// What AWS, or the way to it, failed with, where that is the reason.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Api { failure, .. } | Self::Credentials(CredentialsError::Api { failure, .. }) => Some(failure),
            _ => None,
        }
    }

    /// What to do about it, where the error does not say so itself.
    pub fn help(&self) -> Option<&'static str> {
        let failure = self.failure()?;
        let assuming = matches!(self, Self::Credentials(_));
        let about = |text: &str| failure.message.contains(text);
        Some(match failure.code.as_str() {
            "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" | "AuthFailure" => {
                "AWS does not know this access key: see with `aws configure list` where it comes from, and whether it is \
                 active and of this partition"
            }
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
                "the session is over: sign in again (`aws sso login`, or new session credentials)"
            }
            "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
                "the secret access key does not belong to the access key id: copy both anew, and without the session \
                 token of another"
            }
            "AWSOrganizationsNotInUseException" => "the account is in no organisation: scan it without --organization",
            _ if failure.kind == FailureKind::Denied && assuming => {
                "the role must trust you (`nephoscope permissions aws --trust ARN`), and you must be allowed to assume it \
                 (`nephoscope permissions aws --assume ROLE`)"
            }
            _ if failure.kind == FailureKind::Denied => {
                "attach the policies that `nephoscope permissions aws --split` prints"
            }
            _ if about("InvalidContentType") => {
                "the endpoint does not speak TLS: if it is yours, write http:// in AWS_ENDPOINT_URL"
            }
            _ if about("certificate") || about("UnknownIssuer") => {
                "if a proxy looks into TLS, let AWS_CA_BUNDLE name the file with its CA certificate"
            }
            "TimedOut" | "ConnectionFailed" | "ConnectionBroken" => {
                "check the network, a proxy (HTTPS_PROXY, NO_PROXY) and, where it is set, AWS_ENDPOINT_URL or the profile's \
                 endpoint_url"
            }
            "MalformedAnswer" | "AnswerTooLarge" => "that is not AWS's way to answer: check AWS_ENDPOINT_URL",
            // The status stands for a code where the answer names none.
            code if code.parse::<u16>().is_ok() => "that is not AWS's way to answer: check AWS_ENDPOINT_URL",
            _ => return None,
        })
    }
}

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Account number.
    pub account: String,
    /// ARN of the user or role.
    pub arn: String,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
}

/// A region as the account sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// `eu-central-1`.
    pub name: String,
    /// Whether the account may use it: on by default or opted in.
    pub enabled: bool,
}

/// An account of the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationAccount {
    /// Account number.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE` …
    pub status: String,
}

/// AWS, signed in to.
#[derive(Debug)]
pub struct AwsClient {
    exchange: Arc<Exchange>,
    base: Arc<CredentialProvider>,
    region: String,
    external_id: Option<String>,
    identity: OnceLock<Identity>,
    /// By account, beside the base account.
    accounts: RwLock<HashMap<String, Arc<CredentialProvider>>>,
}

impl AwsClient {
    /// Chooses credentials and gets the first of them. Reads the process's environment and the shared files.
    pub async fn connect(options: ConnectOptions) -> Result<Self, ConnectError> {
        Self::connect_in(&Environment::process(), options).await
    }

    /// The same in an environment of one's own.
    pub async fn connect_in(environment: &Environment, options: ConnectOptions) -> Result<Self, ConnectError> {
        let config = Config::read(environment)?;
        let named = options.profile.as_deref();
        let profile_name =
            named.or_else(|| environment.get("AWS_PROFILE")).or_else(|| environment.get("AWS_DEFAULT_PROFILE"));
        let profile = config.profile(profile_name.unwrap_or("default")).cloned().unwrap_or_else(|_| Profile::default());
        let region = options
            .region
            .as_deref()
            .or_else(|| environment.get("AWS_REGION"))
            .or_else(|| environment.get("AWS_DEFAULT_REGION"))
            .or_else(|| profile.get("region"))
            .unwrap_or("us-east-1")
            .to_owned();
        let services = config.services(&profile);
        let overrides = Overrides::read(options.endpoint_url.as_deref(), environment, &profile, &services);
        let ca_bundle = environment.get("AWS_CA_BUNDLE").or_else(|| profile.get("ca_bundle"));
        let ca_bundle = ca_bundle.map(|path| environment.path(path));
        let exchange = Arc::new(Exchange::new(overrides, options.timeouts, ca_bundle.as_deref())?);
        let source = credentials::resolve(named, environment, &config, &region, &exchange)?;
        let mut client = Self {
            base: Arc::new(CredentialProvider::new(source, exchange.clock().clone())),
            exchange,
            region,
            external_id: options.external_id,
            identity: OnceLock::new(),
            accounts: RwLock::new(HashMap::new()),
        };
        if let Some(role) = &options.role_name {
            let arn = if role.starts_with("arn:") {
                role.clone()
            } else {
                let identity = client.identity().await?;
                role_arn(&identity.partition, &identity.account, role)
            };
            client.base = client.role_provider(arn);
            client.identity = OnceLock::new();
        }
        client.base.get().await?;
        Ok(client)
    }

    /// A role that our own credentials assume.
    fn role_provider(&self, role_arn: String) -> Arc<CredentialProvider> {
        let role = AssumeRole {
            exchange: self.exchange.clone(),
            base: self.base.clone(),
            region: self.region.clone(),
            role_arn,
            session_name: "nephoscope".to_owned(),
            external_id: self.external_id.clone(),
            duration_seconds: None,
        };
        Arc::new(CredentialProvider::new(Arc::new(role), self.exchange.clock().clone()))
    }

    /// The region that calls go to where none is given.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// One signed call; credentials that AWS calls expired are renewed once.
    async fn call(
        &self,
        provider: &CredentialProvider,
        service: &str,
        operation: &str,
        region: &str,
        parameters: &Map<String, Json>,
    ) -> Result<Json, Failure> {
        let ask = |credentials: Credentials| async move {
            self.exchange.call(service, operation, region, parameters, Some(&credentials)).await
        };
        provider.with(ask).await.map_err(|error| error.to_failure())?
    }

    /// Account, ARN and partition of the credentials. Asked once.
    pub async fn identity(&self) -> Result<Identity, ConnectError> {
        if let Some(identity) = self.identity.get() {
            return Ok(identity.clone());
        }
        let operation = "sts:GetCallerIdentity";
        let answer = self
            .call(&self.base, "sts", "GetCallerIdentity", &self.region, &Map::new())
            .await
            .map_err(|failure| ConnectError::Api { operation, failure })?;
        let field = |field: &'static str| {
            let value = answer.get(field).and_then(Json::as_str);
            value.map(str::to_owned).ok_or(ConnectError::Answer { operation, field })
        };
        let (account, arn) = (field("Account")?, field("Arn")?);
        let partition = arn.split(':').nth(1).filter(|part| !part.is_empty());
        let partition = partition.unwrap_or_else(|| endpoints::partition_of(&self.region)).to_owned();
        let identity = Identity { account, arn, partition };
        Ok(self.identity.get_or_init(|| identity).clone())
    }

    /// All regions of the account's partition, with whether the account has them enabled. Asked in the partition's home
    /// region, which every account has; where that is refused (an organisation may bar it), in our own.
    pub async fn regions(&self, account: &str) -> Result<Vec<Region>, ConnectError> {
        let operation = "ec2:DescribeRegions";
        let api = |failure| ConnectError::Api { operation, failure };
        let provider = self.provider_of(account).map_err(api)?;
        let parameters = Map::from_iter([("AllRegions".to_owned(), json!(true))]);
        let home = endpoints::home_region(endpoints::partition_of(&self.region));
        let ask = |region| self.call(&provider, "ec2", "DescribeRegions", region, &parameters);
        let answer = match ask(home).await {
            Err(failure) if !failure::passes(&failure) && home != self.region => ask(&self.region).await,
            answer => answer,
        };
        let answer = answer.map_err(api)?;
        let listed = answer.get("Regions").and_then(Json::as_array);
        let listed = listed.ok_or(ConnectError::Answer { operation, field: "Regions" })?;
        let mut regions: Vec<Region> = listed
            .iter()
            .filter_map(|region| {
                let status = region.get("OptInStatus").and_then(Json::as_str).unwrap_or("opt-in-not-required");
                Some(Region { name: region.get("RegionName")?.as_str()?.to_owned(), enabled: status != "not-opted-in" })
            })
            .collect();
        regions.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(regions)
    }

    /// Which of the regions the account has switched off, for where it will not say: there, even STS does not know the
    /// account's credentials, and asking it who one is takes no permission. Only for credentials that surely work in every
    /// region that is on; for others, nothing is known.
    pub async fn regions_off(&self, account: &str, regions: &[&str]) -> Vec<String> {
        let Ok(provider) = self.provider_of(account) else { return Vec::new() };
        if !provider.get().await.is_ok_and(|credentials| credentials.in_all_regions()) {
            return Vec::new();
        }
        let asked = regions.iter().map(|region| {
            let provider = provider.clone();
            async move {
                let answer = self.call(&provider, "sts", "GetCallerIdentity", region, &Map::new()).await;
                let off = answer.is_err_and(|failure| failure::is_region_off(&failure));
                off.then(|| (*region).to_owned())
            }
        });
        futures::future::join_all(asked).await.into_iter().flatten().collect()
    }

    /// All accounts of the organisation; needs the management account or a delegated administrator.
    pub async fn organization_accounts(&self) -> Result<Vec<OrganizationAccount>, ConnectError> {
        let operation = "organizations:ListAccounts";
        let home = endpoints::home_region(&self.identity().await?.partition);
        let mut accounts = Vec::new();
        let mut parameters = Map::new();
        loop {
            let answer = self
                .call(&self.base, "organizations", "ListAccounts", home, &parameters)
                .await
                .map_err(|failure| ConnectError::Api { operation, failure })?;
            let listed = answer.get("Accounts").and_then(Json::as_array);
            for account in listed.ok_or(ConnectError::Answer { operation, field: "Accounts" })? {
                let text = |name| account.get(name).and_then(Json::as_str).map(str::to_owned);
                accounts.push(OrganizationAccount {
                    id: text("Id").ok_or(ConnectError::Answer { operation, field: "Id" })?,
                    name: text("Name").unwrap_or_default(),
                    status: text("State").or_else(|| text("Status")).unwrap_or_default(),
                });
            }
            let next = answer.get("NextToken").filter(|token| token.as_str().is_some_and(|token| !token.is_empty()));
            match next {
                Some(token) if parameters.get("NextToken") != Some(token) => {
                    parameters.insert("NextToken".to_owned(), token.clone());
                }
                _ => return Ok(accounts),
            }
        }
    }

    /// Makes an account's calls use a role of that name in it. The role is assumed now, so that a refusal shows here.
    pub async fn enter_account(&self, account: &str, role_name: &str) -> Result<(), ConnectError> {
        let partition = self.identity().await?.partition;
        let arn = role_arn(&partition, account, role_name);
        let provider = self.role_provider(arn);
        provider.get().await?;
        self.accounts.write().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), provider);
        Ok(())
    }

    /// Whose credentials an account's calls take.
    fn provider_of(&self, account: &str) -> Result<Arc<CredentialProvider>, Failure> {
        let entered = self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(account).cloned();
        match (entered, self.identity.get()) {
            (Some(provider), _) => Ok(provider),
            (None, Some(identity)) if identity.account != account => Err(failure::ours(
                "AccountNotEntered",
                format!("no role was assumed in account {account}; the credentials are for {}", identity.account),
            )),
            (None, _) => Ok(self.base.clone()),
        }
    }
}

fn role_arn(partition: &str, account: &str, role: &str) -> String {
    match role.starts_with("arn:") {
        true => role.to_owned(),
        false => format!("arn:{partition}:iam::{account}:role/{}", role.trim_start_matches('/')),
    }
}

impl Provider for AwsClient {
    fn attempt<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Json, Failure>> {
        async move {
            let provider = self.provider_of(&call.account)?;
            self.call(&provider, &call.service, &call.operation, &call.region, &call.parameters).await
        }
        .boxed()
    }

    fn pagination(&self, service: &str, operation: &str) -> Option<Arc<Pagination>> {
        AwsTables.pagination(service, operation)
    }

    fn offered(&self, service: &str, region: &str) -> Option<bool> {
        AwsTables.offered(service, region)
    }

    fn transform(&self, name: &str) -> Option<Transform> {
        AwsTables.transform(name)
    }
}
