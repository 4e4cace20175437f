//! Facts of AWS that no catalogue holds, each with where it is documented.

use super::PolicyKind;

/// Most characters of a policy, white space not counted, and of what that is the limit.
pub fn most_characters(kind: &PolicyKind) -> Option<(usize, &'static str)> {
    match kind {
        // <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
        PolicyKind::Identity => Some((10_240, "a role's inline policies, which may be the longest")),
        PolicyKind::Trust => Some((2_048, "a trust policy (a raised quota allows up to 4,096)")),
        // Doubled on 2026-05-15. White space counts, unless the console saves the policy.
        PolicyKind::ServiceControl => Some((10_240, "a service control policy")),
        // <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
        PolicyKind::ResourceControl => Some((5_120, "a resource control policy")),
        PolicyKind::Resource(Some(service)) => match &**service {
            // <https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html>
            "s3" => Some((20_480, "a bucket policy")),
            // <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>
            "kms" => Some((32_768, "a key policy")),
            // <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
            "secretsmanager" => Some((20_480, "a secret's policy")),
            _ => None,
        },
        PolicyKind::Resource(None) => None,
    }
}

/// Most characters of a managed policy, counted likewise.
pub const MOST_OF_MANAGED: usize = 6_144;

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>, with those of the isolated regions and of the
/// European sovereign cloud.
pub const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"];

/// Services that resource control policies apply to
/// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#rcp-supported-services>).
pub const RESOURCE_CONTROLLED: [&str; 61] = [
    "appstream",
    "dsql",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "logs",
    "networkmonitor",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "firehose",
    "dynamodb",
    "dax",
    "autoscaling",
    "ecr",
    "ecr-public",
    "gamelift",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "memorydb",
    "aoss",
    "personalize",
    "polly",
    "s3",
    "swf",
    "sqs",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "translate",
    "workspaces",
    "appconfig",
    "autoscaling-plans",
    "budgets",
    "servicediscovery",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "compute-optimizer",
    "cost-optimization-hub",
    "events",
    "fms",
    "fis",
    "health",
    "rolesanywhere",
    "kms",
    "opensearch",
    "pricing",
    "pca-connector-ad",
    "resource-groups",
    "secretsmanager",
    "sts",
    "signin",
    "support",
    "transfer",
    "notifications",
    "wafv2",
];

/// Keys of a service that requests to other services have as well
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>), in lower case.
pub const CROSS_SERVICE_KEYS: [&str; 9] = [
    "ec2:roledelivery",
    "ec2:sourceinstancearn",
    "glue:roleassumedby",
    "glue:credentialissuingservice",
    "codebuild:buildarn",
    "codebuild:projectarn",
    "lambda:sourcefunctionarn",
    "ssm:sourceinstancearn",
    "identitystore:userid",
];

/// Keys in which a wildcard has no use and lets strangers in (the same page, "Sensitive condition keys"), in lower case.
pub const SENSITIVE_KEYS: [&str; 10] = [
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
];

/// Keys of the principal that requests of services do not have (the page of condition keys, "Availability"), in lower case.
pub const PRINCIPAL_KEYS: [&str; 6] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:userid",
    "aws:username",
];

/// Keys that hold down who is let in where a principal is `*`, in lower case: whose the principal is, through which network
/// it comes, or for which resource a service works.
pub const NARROWING_KEYS: [&str; 24] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:userid",
    "aws:username",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:sourceowner",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "elasticfilesystem:accesspointarn",
    "sns:endpoint",
];

/// OpenID Connect providers that many customers share, so that a token's audience does not say whose it is
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html>, and the providers'
/// own pages), each with the claim that does.
pub const SHARED_PROVIDERS: [(&str, &str); 5] = [
    // <https://docs.github.com/en/actions/reference/security/oidc>
    ("token.actions.githubusercontent.com", "sub"),
    // <https://docs.gitlab.com/ci/cloud_services/aws/>
    ("gitlab.com", "sub"),
    // <https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/aws-configuration>
    ("app.terraform.io", "sub"),
    // <https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html>
    ("cognito-identity.amazonaws.com", "aud"),
    ("accounts.google.com", "aud"),
];

/// Actions by which one's own rights can be raised when they are allowed on any identity, in lower case; the methods are
/// those of <https://pathfinding.cloud> that need nothing else.
pub const ESCALATING: [&str; 17] = [
    "iam:createpolicyversion",
    "iam:setdefaultpolicyversion",
    "iam:attachuserpolicy",
    "iam:attachgrouppolicy",
    "iam:attachrolepolicy",
    "iam:putuserpolicy",
    "iam:putgrouppolicy",
    "iam:putrolepolicy",
    "iam:addusertogroup",
    "iam:updateassumerolepolicy",
    "iam:createaccesskey",
    "iam:createloginprofile",
    "iam:updateloginprofile",
    "iam:deleterolepermissionsboundary",
    "iam:deleteuserpermissionsboundary",
    "iam:putrolepermissionsboundary",
    "iam:putuserpermissionsboundary",
];

/// Actions that read secrets or the content of resources, in lower case.
pub const DATA_READING: [&str; 15] = [
    "s3:getobject",
    "secretsmanager:getsecretvalue",
    "ssm:getparameter",
    "ssm:getparameters",
    "ssm:getparametersbypath",
    "ssm:getparameterhistory",
    "kms:decrypt",
    "ebs:getsnapshotblock",
    "codecommit:gitpull",
    "redshift:getclustercredentials",
    "redshift:getclustercredentialswithiam",
    "rds-db:connect",
    "lightsail:getinstanceaccessdetails",
    "lightsail:getrelationaldatabasemasteruserpassword",
    "cognito-idp:describeuserpoolclient",
];

/// Whether it is written as regions are: `eu-central-1`, `us-gov-west-1`.
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] => {
            words.len() >= 2
                && words.iter().all(is_word)
                && (1..=2).contains(&number.len())
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Catalogue;

    /// A name that the catalogue does not have would never be found in a policy.
    #[test]
    fn what_is_named_exists() {
        let catalogue = Catalogue::embedded();
        for action in ESCALATING.iter().chain(&DATA_READING) {
            let found = catalogue.action(action).unwrap_or_else(|| panic!("{action}"));
            assert!(!found.without_resource(), "{action} cannot be allowed on any resource");
        }
        let keys = CROSS_SERVICE_KEYS.iter().chain(&SENSITIVE_KEYS).chain(&PRINCIPAL_KEYS).chain(&NARROWING_KEYS);
        // SNS writes it into its own default policy, and documents it no more.
        for key in keys.filter(|key| **key != "aws:sourceowner") {
            assert!(catalogue.condition_key(key).is_some(), "{key}");
        }
        for service in RESOURCE_CONTROLLED {
            assert!(catalogue.service(service).is_some(), "{service}");
        }
    }
}
