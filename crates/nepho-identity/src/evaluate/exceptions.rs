//! What services do beside policies, each as AWS documents it.

use super::Request;
use crate::arn::Arn;

/// Whether every signed request is allowed: no policy has to allow it and none can deny it
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
pub fn is_open_to_all(action: &str) -> bool {
    action == "sts:getcalleridentity"
}

/// Whether the resource's own policy must allow as well within its account: keys
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>) and the trust policies of roles
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_identity-vs-resource.html>).
pub fn needs_trust(action: &str, request: &Request<'_>) -> bool {
    match action.split_once(':') {
        Some(("sts", name)) => name.starts_with("assumerole"),
        Some(("kms", _)) => {
            let key = Arn::of(request.resource.text()).and_then(|arn| arn.named("key"));
            key.is_some()
        }
        _ => false,
    }
}

/// Whether the resource is AWS's own and belongs to every account alike: AWS-managed policies.
pub fn belongs_to_all(request: &Request<'_>) -> bool {
    Arn::of(request.resource.text()).is_some_and(|arn| arn.service == "iam" && arn.account == "aws")
}

/// Whether the service refuses whatever policies allow.
pub fn is_refused(action: &str, request: &Request<'_>) -> bool {
    let Some(arn) = Arn::of(request.resource.text()) else { return false };
    let Some((service, name)) = action.split_once(':') else { return false };
    let reads = ["get", "list", "generate", "simulate"].iter().any(|verb| name.starts_with(verb));
    match (service, arn.service) {
        // AWS-managed policies, and the roles of IAM Identity Center
        // (<https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html>).
        ("iam", "iam") if arn.account == "aws" && arn.resource.starts_with("policy/") => !reads,
        ("iam", "iam") if arn.resource.starts_with("role/aws-reserved/") => !reads,
        // Service-linked roles are changed by their service only
        // (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>).
        ("iam", "iam") if arn.resource.starts_with("role/aws-service-role/") => {
            !reads && !["createservicelinkedrole", "deleteservicelinkedrole", "updateroledescription"].contains(&name)
        }
        // Aliases of AWS-managed keys.
        ("kms", "kms") => arn.resource.starts_with("alias/aws/") && name.ends_with("alias"),
        _ => false,
    }
}
