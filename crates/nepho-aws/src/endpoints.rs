//! Where a call goes: partitions, regional and global endpoints, and the endpoints a user configures.
//!
//! From botocore's `endpoints.json` and `partitions.json`. Knows the order of settings that the AWS SDK and tools reference
//! guide gives under "Service-specific endpoints".

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

use serde::Deserialize;
use url::Url;

use crate::model::Service;

#[derive(Debug, Deserialize)]
struct Partition {
    partition: PartitionFacts,
    services: HashMap<String, ServiceEndpoints>,
}

#[derive(Debug, Deserialize)]
struct PartitionFacts {
    suffix: String,
    dual_stack_suffix: String,
    home: String,
    regions: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ServiceEndpoints {
    global: Option<GlobalEndpoint>,
    regions: HashMap<String, Option<String>>,
    #[serde(default)]
    fips: Variant,
    #[serde(default)]
    dual_stack: Variant,
    #[serde(default)]
    dual_stack_fips: Variant,
}

/// Hosts by region, or `global`, that are not named as usual; under `default`, how all of the service's are named.
type Variant = HashMap<String, String>;

#[derive(Debug, Deserialize)]
struct GlobalEndpoint {
    host: Option<String>,
    region: Option<String>,
}

// A test decodes the table, so the empty one is never met.
static PARTITIONS: LazyLock<HashMap<String, Partition>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../tables/endpoints.json")).unwrap_or_default());

/// The partition a region belongs to: `aws`, `aws-cn`, `aws-us-gov`. Unknown regions are taken for commercial ones.
pub fn partition_of(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The region that answers for a partition's global services.
pub fn home_region(partition: &str) -> &'static str {
    PARTITIONS.get(partition).map_or("us-east-1", |partition| match partition.partition.home.as_str() {
        "us-gov-west-1" => "us-gov-west-1",
        "cn-northwest-1" | "cn-north-1" => "cn-north-1",
        _ => "us-east-1",
    })
}

/// Regions of a partition that the tables know.
pub fn regions_of(partition: &str) -> Vec<&'static str> {
    PARTITIONS
        .get(partition)
        .map(|partition| partition.partition.regions.iter().map(String::as_str).collect())
        .unwrap_or_default()
}

fn known(service: &Service, region: &str) -> Option<(&'static Partition, &'static ServiceEndpoints)> {
    let partition = PARTITIONS.get(partition_of(region))?;
    Some((partition, partition.services.get(&service.endpoint_prefix)?))
}

/// Whether a service is offered in a region; `None` when the tables know the region or the service too little to say.
pub fn offered(service: &Service, region: &str) -> Option<bool> {
    let (partition, endpoints) = known(service, region)?;
    if endpoints.global.is_some() || endpoints.regions.is_empty() {
        return None;
    }
    let region_known = partition.partition.regions.iter().any(|name| name == region)
        && partition.services.values().filter(|service| service.regions.contains_key(region)).count() > 5;
    let listed = endpoints.regions.contains_key(region);
    (listed || region_known).then_some(listed)
}

/// An endpoint, and what to sign for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host, port and maybe a path.
    pub url: Url,
    /// Region in the signature.
    pub region: String,
    /// Configured by the user rather than AWS's own.
    pub custom: bool,
}

/// A configured endpoint that is no address.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the endpoint `{endpoint}` is not an http or https address")]
pub struct EndpointError {
    /// As configured.
    pub endpoint: String,
}

/// Endpoints that the user configured, and which of AWS's own are wanted.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// Only endpoints with validated cryptography; where a service has none, it cannot be reached.
    pub fips: bool,
    /// Endpoints that also answer over IPv6.
    pub dual_stack: bool,
    /// For this run: beats all else.
    pub explicit: Option<String>,
    /// By service id in small letters, digits and underscores (`elastic_load_balancing_v2`).
    pub services: HashMap<String, String>,
    /// For all services.
    pub all: Option<String>,
}

impl Overrides {
    /// Reads the settings: environment before profile, service before all.
    pub fn read(
        explicit: Option<&str>,
        environment: &crate::credentials::Environment,
        profile: &crate::credentials::Profile,
        services: &HashMap<String, HashMap<String, String>>,
    ) -> Self {
        let explicit = explicit.map(str::to_owned);
        let yes = |value: Option<&str>| value.is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let wanted = |variable, key| yes(environment.get(variable).or_else(|| profile.get(key)));
        let fips = wanted("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
        let dual_stack = wanted("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
        if yes(environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
            || yes(profile.get("ignore_configured_endpoint_urls"))
        {
            return Self { fips, dual_stack, explicit, ..Self::default() };
        }
        let mut found = HashMap::new();
        for (service, settings) in services {
            if let Some(url) = settings.get("endpoint_url") {
                found.insert(service.clone(), url.clone());
            }
        }
        let everywhere = environment.get("AWS_ENDPOINT_URL");
        if everywhere.is_some() {
            // The environment's general endpoint comes before the profile's special ones.
            found.clear();
        }
        for (name, value) in environment.all() {
            if let Some(service) = name.strip_prefix("AWS_ENDPOINT_URL_").filter(|_| !value.is_empty()) {
                found.insert(service.to_ascii_lowercase(), value.to_owned());
            }
        }
        let all = everywhere.or_else(|| profile.get("endpoint_url")).map(str::to_owned);
        Self { fips, dual_stack, explicit, services: found, all }
    }

    fn find(&self, service: &Service) -> Option<&str> {
        let id = service.service_id.to_ascii_lowercase().replace([' ', '-'], "_");
        let special = self.services.get(&id);
        self.explicit.as_deref().or(special.map(String::as_str)).or(self.all.as_deref())
    }
}

/// The endpoint of a service in a region.
pub fn resolve(service: &Service, region: &str, overrides: &Overrides) -> Result<Endpoint, EndpointError> {
    let table = known(service, region);
    let global = table.and_then(|(_, endpoints)| endpoints.global.as_ref());
    let signing_region = global.and_then(|global| global.region.as_deref()).unwrap_or(region).to_owned();
    if let Some(configured) = overrides.find(service) {
        return Ok(Endpoint { url: address(configured)?, region: signing_region, custom: true });
    }
    if overrides.fips || overrides.dual_stack {
        let host = variant_host(service, region, overrides);
        return Ok(Endpoint { url: address(&format!("https://{host}"))?, region: signing_region, custom: false });
    }
    let suffix =
        PARTITIONS.get(partition_of(region)).map_or("amazonaws.com", |partition| partition.partition.suffix.as_str());
    let listed = match global {
        Some(global) => global.host.as_deref(),
        None => table.and_then(|(_, endpoints)| endpoints.regions.get(region)?.as_deref()),
    };
    let host = listed.map_or_else(|| format!("{}.{region}.{suffix}", service.endpoint_prefix), str::to_owned);
    Ok(Endpoint { url: address(&format!("https://{host}"))?, region: signing_region, custom: false })
}

/// The host of a FIPS or dual-stack endpoint. Where the tables name none, it follows AWS's pattern and may not exist: what was
/// asked for is never quietly left out.
fn variant_host(service: &Service, region: &str, overrides: &Overrides) -> String {
    let facts = PARTITIONS.get(partition_of(region)).map(|partition| &partition.partition);
    let suffix = match overrides.dual_stack {
        true => facts.map_or("api.aws", |facts| facts.dual_stack_suffix.as_str()),
        false => facts.map_or("amazonaws.com", |facts| facts.suffix.as_str()),
    };
    let prefix = &service.endpoint_prefix;
    let mark = if overrides.fips { "-fips" } else { "" };
    let endpoints = known(service, region).map(|(_, endpoints)| endpoints);
    let variant = endpoints.map(|endpoints| match (overrides.fips, overrides.dual_stack) {
        (true, true) => &endpoints.dual_stack_fips,
        (true, false) => &endpoints.fips,
        (false, _) => &endpoints.dual_stack,
    });
    let global = endpoints.and_then(|endpoints| endpoints.global.as_ref());
    let place = if global.is_some() { "global" } else { region };
    if let Some(host) = variant.and_then(|hosts| hosts.get(place).or_else(|| hosts.get("default"))) {
        return host.replace("{region}", region);
    }
    match global.and_then(|global| global.host.as_deref()?.split_once('.')) {
        Some((first, rest)) if !overrides.dual_stack => format!("{first}{mark}.{rest}"),
        Some(_) => format!("{prefix}{mark}.global.{suffix}"),
        None => format!("{prefix}{mark}.{region}.{suffix}"),
    }
}

fn address(text: &str) -> Result<Url, EndpointError> {
    let wrong = || EndpointError { endpoint: text.to_owned() };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let fits = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    fits.then_some(url).ok_or_else(wrong)
}

impl Endpoint {
    /// The address of a request: host prefix and S3 bucket in the host where that works, else in the path.
    pub fn address(&self, target: &str, host_prefix: Option<&str>, bucket: Option<&str>) -> Result<Url, EndpointError> {
        let host = self.url.host_str().unwrap_or_default();
        let fixed = host == "localhost"
            || host.ends_with(".localhost")
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let mut target = target;
        let mut new_host = host.to_owned();
        if let Some(bucket) = bucket.filter(|bucket| !self.custom && is_host_label(bucket))
            && let Some(rest) = target.strip_prefix('/').and_then(|rest| rest.strip_prefix(bucket))
        {
            target = rest;
            new_host = format!("{bucket}.{new_host}");
        }
        if let Some(prefix) = host_prefix.filter(|_| !(self.custom && fixed)) {
            new_host = format!("{prefix}{new_host}");
        }
        let base = self.url.path().trim_end_matches('/');
        let slash = if target.starts_with('/') { "" } else { "/" };
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        address(&format!("{}://{new_host}{port}{base}{slash}{target}", self.url.scheme()))
    }
}

/// Whether a bucket's name can be a label of a host name that TLS certificates cover: no dots.
fn is_host_label(bucket: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    (3..=63).contains(&bucket.len())
        && bucket.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && edge(bucket.as_bytes().first())
        && edge(bucket.as_bytes().last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::service;

    fn host(name: &str, region: &str) -> (String, String) {
        let endpoint = resolve(service(name).unwrap(), region, &Overrides::default()).unwrap();
        (endpoint.url.host_str().unwrap().to_owned(), endpoint.region)
    }

    #[test]
    fn regional_and_global() {
        let pair = |host: &str, region: &str| (host.to_owned(), region.to_owned());
        assert_eq!(host("ec2", "eu-central-1"), pair("ec2.eu-central-1.amazonaws.com", "eu-central-1"));
        assert_eq!(host("iam", "us-east-1"), pair("iam.amazonaws.com", "us-east-1"));
        assert_eq!(host("iam", "eu-west-1"), pair("iam.amazonaws.com", "us-east-1"));
        assert_eq!(host("iam", "us-gov-west-1"), pair("iam.us-gov.amazonaws.com", "us-gov-west-1"));
        assert_eq!(host("iam", "cn-north-1"), pair("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"));
        assert_eq!(host("sts", "eu-west-1"), pair("sts.eu-west-1.amazonaws.com", "eu-west-1"));
        assert_eq!(host("s3", "us-east-1"), pair("s3.us-east-1.amazonaws.com", "us-east-1"));
        assert_eq!(home_region("aws-cn"), "cn-north-1");
    }

    #[test]
    fn buckets_in_the_host_unless_it_would_break() {
        let endpoint = resolve(service("s3").unwrap(), "eu-west-1", &Overrides::default()).unwrap();
        let address = |bucket: &str| endpoint.address(&format!("/{bucket}?policy"), None, Some(bucket)).unwrap();
        assert_eq!(address("my-bucket").as_str(), "https://my-bucket.s3.eu-west-1.amazonaws.com/?policy");
        assert_eq!(address("my.bucket").as_str(), "https://s3.eu-west-1.amazonaws.com/my.bucket?policy");
        let overrides = Overrides { explicit: Some("http://127.0.0.1:5000".to_owned()), ..Overrides::default() };
        let local = resolve(service("s3").unwrap(), "eu-west-1", &overrides).unwrap();
        let address = local.address("/my-bucket?policy", Some("111122223333."), Some("my-bucket")).unwrap();
        assert_eq!(address.as_str(), "http://127.0.0.1:5000/my-bucket?policy");
    }

    /// Hosts from "FIPS endpoints by service" and "AWS services that support IPv6" in AWS's documentation.
    #[test]
    fn validated_cryptography_and_ipv6() {
        let host = |name: &str, region: &str, fips: bool, dual_stack: bool| {
            let overrides = Overrides { fips, dual_stack, ..Overrides::default() };
            let endpoint = resolve(service(name).unwrap(), region, &overrides).unwrap();
            endpoint.url.host_str().unwrap().to_owned()
        };
        assert_eq!(host("ec2", "us-east-1", true, false), "ec2-fips.us-east-1.amazonaws.com");
        assert_eq!(host("sts", "us-west-2", true, false), "sts-fips.us-west-2.amazonaws.com");
        assert_eq!(host("sts", "us-gov-west-1", true, false), "sts.us-gov-west-1.amazonaws.com");
        assert_eq!(host("iam", "us-east-1", true, false), "iam-fips.amazonaws.com");
        assert_eq!(host("iam", "us-gov-west-1", true, false), "iam.us-gov.amazonaws.com");
        assert_eq!(host("route53", "us-east-1", true, false), "route53-fips.amazonaws.com");
        assert_eq!(host("organizations", "us-east-1", true, false), "organizations-fips.us-east-1.amazonaws.com");
        assert_eq!(host("cloudfront", "us-east-1", true, false), "cloudfront-fips.amazonaws.com");
        assert_eq!(host("eks", "us-east-1", true, false), "fips.eks.us-east-1.amazonaws.com");
        assert_eq!(host("s3", "us-east-1", true, false), "s3-fips.us-east-1.amazonaws.com");
        assert_eq!(host("s3", "us-east-1", true, true), "s3-fips.dualstack.us-east-1.amazonaws.com");
        assert_eq!(host("s3", "eu-west-1", false, true), "s3.dualstack.eu-west-1.amazonaws.com");
        assert_eq!(host("ec2", "eu-west-1", false, true), "ec2.eu-west-1.api.aws");
        assert_eq!(host("iam", "us-east-1", false, true), "iam.global.api.aws");
        assert_eq!(host("lambda", "cn-north-1", false, true), "lambda.cn-north-1.api.amazonwebservices.com.cn");

        let environment = crate::credentials::Environment::of(&[("AWS_USE_FIPS_ENDPOINT", "true")]);
        let profile = crate::credentials::Profile::default();
        let overrides = Overrides::read(None, &environment, &profile, &HashMap::new());
        assert!(overrides.fips && !overrides.dual_stack);
    }

    #[test]
    fn order_of_settings() {
        let environment = crate::credentials::Environment::of(&[
            ("AWS_ENDPOINT_URL", "http://all.test"),
            ("AWS_ENDPOINT_URL_EC2", "http://ec2.test"),
        ]);
        let none = HashMap::new();
        let overrides = Overrides::read(None, &environment, &crate::credentials::Profile::default(), &none);
        assert_eq!(overrides.find(service("ec2").unwrap()), Some("http://ec2.test"));
        assert_eq!(overrides.find(service("iam").unwrap()), Some("http://all.test"));
        let overrides =
            Overrides::read(Some("http://now.test"), &environment, &crate::credentials::Profile::default(), &none);
        assert_eq!(overrides.find(service("ec2").unwrap()), Some("http://now.test"));
        let environment = crate::credentials::Environment::of(&[
            ("AWS_ENDPOINT_URL", "http://all.test"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ]);
        let overrides = Overrides::read(None, &environment, &crate::credentials::Profile::default(), &none);
        assert_eq!(overrides.find(service("ec2").unwrap()), None);
    }

    #[test]
    fn where_services_are_offered() {
        assert_eq!(offered(service("ec2").unwrap(), "eu-west-1"), Some(true));
        assert_eq!(offered(service("ec2").unwrap(), "xx-nowhere-9"), None);
    }
}
