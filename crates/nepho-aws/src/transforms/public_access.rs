//! Public access to a bucket: policy, ACL, ownership and the public access blocks of bucket and account together.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>

use nepho_collect::TransformContext;
use serde_json::Value as Json;

use super::policy;

const READ_ACTIONS: &[&str] = &["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:ListBucketVersions"];
const WRITE_ACTIONS: &[&str] = &[
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObjectAcl",
    "s3:PutBucketAcl",
    "s3:PutBucketPolicy",
    "s3:DeleteBucket",
    "s3:PutLifecycleConfiguration",
    "s3:ReplicateObject",
];
/// Groups that stand for everyone, and for everyone with any AWS account.
const EVERYONE: &[&str] =
    &["http://acs.amazonaws.com/groups/global/AllUsers", "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"];

/// `s3-public-access`: the value holds the whole answers `policy`, `acl`, `public_access_block`,
/// `account_public_access_block` and `ownership_controls`, null where there is none.
///
/// # Errors
/// When `args.access` is neither `read` nor `write`, or the policy is no policy document.
pub fn s3(value: &Json, context: &TransformContext<'_>) -> Result<Json, String> {
    let (actions, permissions) = match context.args.get("access").and_then(Json::as_str) {
        Some("read") => (READ_ACTIONS, &["READ", "FULL_CONTROL"][..]),
        Some("write") => (WRITE_ACTIONS, &["WRITE", "WRITE_ACP", "FULL_CONTROL"][..]),
        _ => return Err("`args.access` must be `read` or `write`".to_owned()),
    };
    let by_acl = !blocked(value, "IgnorePublicAcls") && !acls_disabled(value) && granted(value, permissions);
    Ok(Json::Bool(by_acl || (!blocked(value, "RestrictPublicBuckets") && allowed(value, actions)?)))
}

/// Whether the bucket's or the account's public access block has the setting.
fn blocked(value: &Json, setting: &str) -> bool {
    ["public_access_block", "account_public_access_block"].into_iter().any(|block| {
        value
            .get(block)
            .and_then(|answer| answer.get("PublicAccessBlockConfiguration"))
            .and_then(|configuration| configuration.get(setting))
            .and_then(Json::as_bool)
            .unwrap_or(false)
    })
}

fn acls_disabled(value: &Json) -> bool {
    elements(value, &["ownership_controls", "OwnershipControls", "Rules"])
        .iter()
        .any(|rule| rule.get("ObjectOwnership").and_then(Json::as_str) == Some("BucketOwnerEnforced"))
}

fn granted(value: &Json, permissions: &[&str]) -> bool {
    elements(value, &["acl", "Grants"]).iter().any(|grant| {
        let everyone = grant
            .get("Grantee")
            .and_then(|grantee| grantee.get("URI"))
            .and_then(Json::as_str)
            .is_some_and(|uri| EVERYONE.contains(&uri));
        let permission = grant.get("Permission").and_then(Json::as_str);
        everyone && permission.is_some_and(|permission| permissions.contains(&permission))
    })
}

fn allowed(value: &Json, actions: &[&str]) -> Result<bool, String> {
    let Some(text) = value.get("policy").and_then(|answer| answer.get("Policy")) else { return Ok(false) };
    let Some(documents) = policy::documents(text)? else { return Ok(false) };
    let statements = policy::statements(&documents);
    Ok(actions.iter().any(|action| policy::is_open_to_everyone(&statements, action)))
}

fn elements<'a>(value: &'a Json, path: &[&str]) -> &'a [Json] {
    path.iter()
        .try_fold(value, |inner, name| inner.get(name))
        .and_then(Json::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}
