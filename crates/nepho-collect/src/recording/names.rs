//! Names, of which one thing may have several: services, parameters, resources.

use std::borrow::Cow;

/// A name without case and separators.
pub(super) fn plain(name: &str) -> String {
    let is_separator = |character: &char| matches!(character, '-' | '_' | ' ' | '.');
    name.chars().filter(|character| !is_separator(character)).flat_map(char::to_lowercase).collect()
}

/// Other names of services, without separators: service ids, endpoint prefixes, CLI commands. Those that several
/// services share are left out. From botocore's service models.
const SERVICES: [(&str, &str); 21] = [
    ("airflow", "mwaa"),
    ("aoss", "opensearchserverless"),
    ("apiecr", "ecr"),
    ("apiecrpublic", "ecr-public"),
    ("apisagemaker", "sagemaker"),
    ("appstream2", "appstream"),
    ("cloudwatchlogs", "logs"),
    ("cognitoidentityprovider", "cognito-idp"),
    ("configservice", "config"),
    ("databasemigrationservice", "dms"),
    ("directoryservice", "ds"),
    ("elasticfilesystem", "efs"),
    ("elasticloadbalancing", "elb"),
    ("elasticloadbalancingv2", "elbv2"),
    ("elasticmapreduce", "emr"),
    ("eventbridge", "events"),
    ("monitoring", "cloudwatch"),
    ("portalsso", "sso"),
    ("s3api", "s3"),
    ("sfn", "stepfunctions"),
    ("states", "stepfunctions"),
];

/// A service's own name, by whichever it is called.
pub(super) fn service(name: &str) -> Cow<'_, str> {
    let wanted = plain(name);
    match SERVICES.iter().find(|(other, _)| *other == wanted) {
        Some((_, own)) => Cow::Borrowed(own),
        None if name.chars().any(char::is_uppercase) => Cow::Owned(name.to_lowercase()),
        None => Cow::Borrowed(name),
    }
}

/// Without what may be left out at the end.
fn bare(text: &str) -> &str {
    [":*", ":$LATEST"].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text)
}

/// Whether a text names a resource by where it is, rather than by name.
fn is_locator(text: &str) -> bool {
    text.starts_with("arn:") || is_address(text)
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The name in an ARN that ends in something else.
fn inner_name(arn: &str) -> Option<&str> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':');
    let (service, resource) = (parts.nth(1)?, parts.nth(2)?);
    match service {
        "secretsmanager" => {
            let (name, random) = resource.strip_prefix("secret:")?.rsplit_once('-')?;
            (random.len() == 6 && random.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
        }
        // `loadbalancer/app/NAME/ID`, `targetgroup/NAME/ID`.
        "elasticloadbalancing" => {
            let named = ["app/", "net/", "gwy/"];
            let rest = match resource.strip_prefix("loadbalancer/") {
                Some(rest) => named.iter().find_map(|kind| rest.strip_prefix(kind))?,
                None => resource.strip_prefix("targetgroup/")?,
            };
            rest.split_once('/').map(|(name, _)| name)
        }
        // `cluster/NAME/UUID`.
        "kafka" => resource.split('/').nth(1).filter(|_| resource.matches('/').count() == 2),
        _ => None,
    }
}

/// The last part of a name: the same for all names of a resource.
pub(super) fn tail(text: &str) -> &str {
    let text = bare(text).trim_end_matches('/');
    let text = inner_name(text).unwrap_or(text);
    text.rsplit(['/', ':']).next().unwrap_or(text)
}

/// Whether two texts name the same resource.
pub(super) fn same_text(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    let (left, right) = (bare(left), bare(right));
    if left == right {
        return true;
    }
    match (is_locator(left), is_locator(right)) {
        (false, false) => false,
        (true, false) => is_name_of(left, right),
        (false, true) => is_name_of(right, left),
        (true, true) => match (is_address(left), is_address(right)) {
            // Two ARNs differ in some part, which for a secret may be the random end.
            (false, false) => is_without_end(left, right) || is_without_end(right, left),
            // A queue has addresses at several hosts.
            (true, true) => path(left).is_some_and(|same| path(right) == Some(same)),
            _ => tail(left) == tail(right),
        },
    }
}

fn is_name_of(locator: &str, name: &str) -> bool {
    !name.is_empty()
        && (inner_name(locator) == Some(name)
            || locator
                .strip_suffix(name)
                .is_some_and(|before| before.ends_with(['/', ':']) || name.starts_with('/') && before.ends_with(':')))
}

/// Whether the second is the first, an ARN of a secret, without its random end.
fn is_without_end(arn: &str, short: &str) -> bool {
    arn.contains(":secretsmanager:") && inner_name(arn).is_some_and(|name| short.ends_with(name)) && {
        let end = arn.rfind('-').and_then(|end| arn.get(..end));
        end == Some(short)
    }
}

/// `/ACCOUNT/NAME` of an address.
fn path(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let path = rest.get(rest.find('/')?..)?.trim_end_matches('/');
    (path.matches('/').count() == 2 && !path.ends_with('/') && !path.starts_with("//")).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_same_resource() {
        let secret = "arn:aws:secretsmanager:us-east-1:1:secret:prod/db-AbCdEf";
        let balancer = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/web/50dc6c495c0c9188";
        let cluster = "arn:aws:kafka:us-east-1:1:cluster/logs/11111111-2222-3333-4444-555555555555-1";
        let function = "arn:aws:lambda:us-east-1:1:function:f";
        for (left, right, same) in [
            ("arn:aws:sns:us-east-1:111122223333:alerts", "alerts", true),
            ("arn:aws:iam::1:role/path/r", "r", true),
            ("arn:aws:iam::1:role/path/r", "path/r", true),
            ("arn:aws:iam::1:role/a", "arn:aws:iam::2:role/a", false),
            ("https://sqs.us-east-1.amazonaws.com/1/q", "q", true),
            ("https://sqs.us-east-1.amazonaws.com/1/q", "arn:aws:sqs:us-east-1:1:q", true),
            ("arn:aws:logs:us-east-1:1:log-group:/aws/x:*", "/aws/x", true),
            ("/aws/lambda/x", "/aws/codebuild/x", false),
            ("ab", "b", false),
            ("arn:aws:sns:us-east-1:1:my-alerts", "alerts", false),
            (secret, "prod/db", true),
            (secret, "arn:aws:secretsmanager:us-east-1:1:secret:prod/db", true),
            (secret, "arn:aws:secretsmanager:us-east-1:1:secret:prod", false),
            (secret, "arn:aws:secretsmanager:us-east-1:1:secret:prod/db-FedCba", false),
            (secret, "db", false),
            ("https://queue.amazonaws.com/1/q", "https://sqs.us-east-1.amazonaws.com/1/q", true),
            ("https://queue.amazonaws.com/1/q", "https://sqs.us-east-1.amazonaws.com/2/q", false),
            ("https://a.example/x", "https://b.example/x", false),
            (balancer, "web", true),
            (balancer, "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/web/60dc6c495c0c9188", false),
            ("arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/50dc6c495c0c9188", "web", true),
            (cluster, "logs", true),
            (function, "arn:aws:lambda:us-east-1:1:function:f:$LATEST", true),
            (function, "f:$LATEST", true),
            (function, "1:function:f", true),
            (function, "arn:aws:lambda:us-east-1:1:function:f:7", false),
        ] {
            assert_eq!(same_text(left, right), same, "{left} {right}");
            assert_eq!(same_text(right, left), same, "{right} {left}");
            assert!(!same || tail(left) == tail(right), "{left} and {right} are looked up by the same part");
        }
    }

    #[test]
    fn services_by_their_other_names() {
        for (name, own) in [
            ("EC2", "ec2"),
            ("s3api", "s3"),
            ("Elastic Load Balancing v2", "elbv2"),
            ("elasticloadbalancingv2", "elbv2"),
            ("monitoring", "cloudwatch"),
            ("cognito-idp", "cognito-idp"),
        ] {
            assert_eq!(service(name), own);
        }
    }
}
