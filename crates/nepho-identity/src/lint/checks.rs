//! What is checked: one entry a check. The entries are texts only; what finds them is in the other modules.

use super::Severity;

/// A check.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// For ever the same: it names the defect.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// In a few words.
    pub title: &'static str,
    /// What to do.
    pub help: &'static str,
}

const fn error(id: &'static str, title: &'static str, help: &'static str) -> Check {
    Check { id, severity: Severity::Error, title, help }
}

const fn security(id: &'static str, title: &'static str, help: &'static str) -> Check {
    Check { id, severity: Severity::Security, title, help }
}

const fn warning(id: &'static str, title: &'static str, help: &'static str) -> Check {
    Check { id, severity: Severity::Warning, title, help }
}

const fn suggestion(id: &'static str, title: &'static str, help: &'static str) -> Check {
    Check { id, severity: Severity::Suggestion, title, help }
}

// The document.

pub const JSON_BROKEN: Check = error("json-broken", "Not JSON", "mend the text at this place");
pub const NAME_REPEATED: Check = error(
    "name-repeated",
    "Name that stands twice in one object",
    "keep one of them: of two, services refuse the policy or follow one and drop the other",
);
pub const CHARACTER_FORBIDDEN: Check = error(
    "character-forbidden",
    "Character that IAM takes in no policy",
    "write it with characters up to U+00FF; letters that only look the same are other letters",
);
pub const ELEMENT_UNKNOWN: Check = error(
    "element-unknown",
    "Element that the policy language does not have",
    "take it out, or spell it as the language does",
);
pub const ELEMENT_MISSING: Check = error("element-missing", "Element that must be there", "add it");
pub const ELEMENT_CONFLICT: Check = error(
    "element-conflict",
    "Element and its opposite in one statement",
    "keep one of the two, or write two statements",
);
pub const ELEMENT_TYPE: Check =
    error("element-type", "Value of the wrong kind", "write it as the policy language wants it");
pub const ELEMENT_UNSUPPORTED: Check = error(
    "element-unsupported",
    "Element that this kind of policy does not have",
    "take it out, or check which kind of policy this is (`--kind`)",
);
pub const EFFECT_INVALID: Check = error("effect-invalid", "Effect that is none", "write `Allow` or `Deny`");
pub const LIST_EMPTY: Check =
    warning("list-empty", "List without entries", "name what the statement is about, or take the statement out");
pub const VERSION_INVALID: Check =
    error("version-invalid", "Version that the policy language never had", "write \"2012-10-17\"");
pub const VERSION_OLD: Check = warning(
    "version-old",
    "Old version of the policy language, or none",
    "write \"Version\": \"2012-10-17\"; without it `${…}` is plain text",
);
pub const SID_INVALID: Check =
    error("sid-invalid", "Sid with characters that IAM refuses", "use letters and digits only");
pub const SID_REPEATED: Check = error("sid-repeated", "Sid that two statements have", "give each statement its own");
pub const SIZE_EXCEEDED: Check = error(
    "size-exceeded",
    "Longer than such a policy may be",
    "take out what is redundant, or split it into several policies",
);
pub const SIZE_INLINE_ONLY: Check = warning(
    "size-inline-only",
    "Longer than a managed policy may be",
    "take out what is redundant, or split it into several policies: only the inline policies of a role may be so long",
);
pub const VARIABLE_BROKEN: Check = error(
    "variable-broken",
    "Policy variable that is not well formed",
    "write `${key}` or `${key, 'default'}`; use `${*}`, `${?}` and `${$}` for the characters themselves",
);
pub const VARIABLE_IGNORED: Check = error(
    "variable-ignored",
    "Policy variable that is taken as plain text",
    "write \"Version\": \"2012-10-17\" into the policy",
);
pub const VARIABLE_MISPLACED: Check = error(
    "variable-misplaced",
    "Policy variable where none is replaced",
    "use variables after the fifth colon of a resource, and with String and Arn operators, only",
);

// Actions.

pub const ACTION_MALFORMED: Check =
    error("action-malformed", "Action that is not `service:name`", "write `service:Action`, or `*`");
pub const SERVICE_UNKNOWN: Check = error(
    "service-unknown",
    "Service that AWS does not list",
    "correct the prefix, or take it out if the service was closed; as it stands the action has no effect, so a denial of it denies nothing",
);
pub const ACTION_UNKNOWN: Check = error(
    "action-unknown",
    "Action that AWS does not list",
    "correct the name; as it stands the action has no effect, so a denial of it denies nothing",
);
pub const ACTION_UNSUPPORTED: Check = error(
    "action-unsupported",
    "Action that this kind of policy cannot be about",
    "take it out: the policy is refused, or the action is never decided by it",
);
pub const ACTION_EVERYTHING: Check = security(
    "action-everything",
    "Every action of every service is allowed",
    "list the actions that are needed; `nephoscope identity right-size` writes them from what was used",
);
pub const SERVICE_EVERYTHING: Check = warning(
    "service-everything",
    "Every action of a service on every resource",
    "list the actions that are needed, or name the resources; new actions of the service are allowed as they come",
);
pub const SERVICE_WILDCARD: Check = warning(
    "service-wildcard",
    "Wildcard in the name of a service",
    "write one entry a service: the pattern also takes services that come later",
);
pub const NOT_ACTION_ALLOWED: Check = security(
    "not-action-allowed",
    "Allow with NotAction",
    "list the actions that are meant in `Action`: as it stands everything else is allowed, in every service, also in those to come",
);
pub const ACTION_REDUNDANT: Check =
    suggestion("action-redundant", "Action that another entry already has", "take it out; nothing changes");

// What is allowed on everything.

pub const PASS_ROLE_ANY: Check = security(
    "pass-role-any",
    "Any role may be passed to a service",
    "name the roles, and add a condition on `iam:PassedToService`: whoever can hand a stronger role to a service acts with it",
);
pub const ESCALATION_ANY: Check = security(
    "escalation-any",
    "Actions that raise the caller's own rights, on any identity",
    "name the identities, or keep the permissions boundary in force with a condition on `iam:PermissionsBoundary`",
);
pub const ASSUME_ROLE_ANY: Check = security(
    "assume-role-any",
    "Any role may be assumed",
    "name the roles: every role that trusts this account can be taken",
);
pub const PERMISSIONS_ANY: Check = security(
    "permissions-any",
    "Permissions of any resource may be changed",
    "name the resources, or leave these actions to administrators: whoever changes a resource's policy can give it away",
);
pub const DATA_READ_ANY: Check = security(
    "data-read-any",
    "Secrets or data of any resource may be read",
    "name the resources whose content is needed",
);
pub const SERVICE_ROLE_ANY: Check = warning(
    "service-role-any",
    "Service-linked roles of any service may be made",
    "name the role's ARN, or add a condition on `iam:AWSServiceName`",
);
pub const WRITE_ANY: Check =
    suggestion("write-any", "Changes to any resource, though the actions could be held to some", "name the resources");

// Resources.

pub const ARN_MALFORMED: Check =
    error("arn-malformed", "Resource that is no ARN", "write `arn:partition:service:region:account:resource`, or `*`");
pub const ARN_PARTITION: Check =
    error("arn-partition", "Partition that AWS does not have", "write `aws`, `aws-cn`, `aws-us-gov`, or `*`");
pub const ARN_SERVICE: Check = error(
    "arn-service",
    "Service in an ARN that AWS does not have",
    "correct the third part, in lower case: as it stands the ARN matches nothing",
);
pub const ARN_SERVICE_WILDCARD: Check = warning(
    "arn-service-wildcard",
    "Wildcard in the service of an ARN",
    "write one ARN a service: the pattern also takes services that come later",
);
pub const ARN_REGION: Check = error("arn-region", "Region that is none", "correct the fourth part of the ARN");
pub const ARN_ACCOUNT: Check = error(
    "arn-account",
    "Account that is no account number",
    "write the twelve digits, `*`, or nothing where the service has none",
);
pub const ARN_SHAPE: Check = error(
    "arn-shape",
    "ARN that no resource of the service has",
    "compare it with the ARN of such a resource: as it stands it matches nothing",
);
pub const ACTION_RESOURCE_MISMATCH: Check = warning(
    "action-resource-mismatch",
    "Action that goes with none of the resources",
    "add a resource that the action is about, `*` where it takes none, or move it to a statement of its own: as it stands it is neither allowed nor denied here",
);
pub const RESOURCE_UNUSED: Check = warning(
    "resource-unused",
    "Resource that no action of the statement is about",
    "take it out, or add the action that is meant",
);
pub const RESOURCE_UNSUPPORTED: Check = error(
    "resource-unsupported",
    "Resource of another service than the policy's own",
    "name the resource that the policy is attached to",
);
pub const RESOURCE_REDUNDANT: Check =
    suggestion("resource-redundant", "Resource that another entry already has", "take it out; nothing changes");
pub const NOT_RESOURCE_ALLOWED: Check = security(
    "not-resource-allowed",
    "Allow with NotResource",
    "name the resources that are meant in `Resource`: as it stands all others are allowed, also those to come",
);

// Principals.

pub const PRINCIPAL_INVALID: Check = error(
    "principal-invalid",
    "Principal that is none",
    "write `{\"AWS\": \"account or ARN\"}`, `{\"Service\": \"name.amazonaws.com\"}`, `{\"Federated\": …}`, or `\"*\"`",
);
pub const PRINCIPAL_WILDCARD: Check = error(
    "principal-wildcard",
    "Wildcard within a principal",
    "name each principal, or write the account and hold it down with a condition on `aws:PrincipalArn`",
);
pub const PRINCIPAL_EVERYONE: Check = security(
    "principal-everyone",
    "Everyone is allowed",
    "name the principals, or add a condition that says whose they are, such as `aws:PrincipalOrgID`",
);
pub const NOT_PRINCIPAL_ALLOWED: Check = security(
    "not-principal-allowed",
    "Allow with NotPrincipal",
    "name who is allowed in `Principal`: as it stands everyone else is, signed in or not",
);
pub const PRINCIPAL_DELETED: Check = warning(
    "principal-deleted",
    "Principal by its unique id",
    "write the ARN, or take it out: services put the id there when the user or role was deleted, and none made later has it",
);
pub const FEDERATED_UNSUPPORTED: Check = error(
    "federated-unsupported",
    "Federated principal in a policy that takes none",
    "only trust policies of roles name providers; name the role instead",
);
pub const SERVICE_SOURCE_MISSING: Check = security(
    "service-source-missing",
    "Service is allowed for whichever customer it works",
    "add a condition on `aws:SourceArn`, `aws:SourceAccount`, `aws:SourceOrgID` or `aws:SourceOrgPaths`: else others can have the service do it for them",
);
pub const KEY_NOT_OF_SERVICES: Check = error(
    "key-not-of-services",
    "Condition that no service principal meets",
    "use `aws:SourceArn`, `aws:SourceAccount` or `aws:SourceOrgID`: requests of services have no principal's account or organisation",
);

// Trust.

pub const OIDC_CONDITION_MISSING: Check = security(
    "oidc-condition-missing",
    "Everyone whom the provider knows may assume the role",
    "add conditions on the provider's `:aud` and `:sub`",
);
pub const OIDC_SUBJECT_MISSING: Check = security(
    "oidc-subject-missing",
    "Every customer of a shared provider, or every workload of a cluster, may assume the role",
    "add a condition on the provider's `:sub` (Cognito: `:aud` with the identity pool's id)",
);
pub const OIDC_SUBJECT_WIDE: Check = security(
    "oidc-subject-wide",
    "Condition on the token's subject that lets nearly everyone in",
    "name the organisation and the repository, and the branch or environment if you can",
);
pub const TRUST_ACTION_MISMATCH: Check = error(
    "trust-action-mismatch",
    "Action that does not go with the principal",
    "use `sts:AssumeRoleWithWebIdentity` for OIDC providers, `sts:AssumeRoleWithSAML` for SAML providers, `sts:AssumeRole` for all else",
);
pub const ROLES_ANYWHERE_ACTIONS: Check = error(
    "roles-anywhere-actions",
    "Actions missing that IAM Roles Anywhere needs",
    "allow `sts:AssumeRole`, `sts:SetSourceIdentity` and `sts:TagSession`",
);

// Conditions.

pub const CONDITION_EMPTY: Check =
    warning("condition-empty", "Condition that asks for nothing", "take it out, or say what is to hold");
pub const OPERATOR_UNKNOWN: Check =
    error("operator-unknown", "Operator that the policy language does not have", "correct its name");
pub const OPERATOR_TYPE: Check = warning(
    "operator-type",
    "Operator for another type than the key's",
    "use the operator of the key's type: the comparison may never hold",
);
pub const ARN_AS_TEXT: Check = security(
    "arn-as-text",
    "ARN compared as text with wildcards",
    "use `ArnLike` or `ArnNotLike`: in `StringLike` a `*` reaches over colons into other parts of the ARN",
);
pub const VALUE_INVALID: Check = error(
    "value-invalid",
    "Value that cannot be compared",
    "correct the value: no request has one that compares with it",
);
pub const KEY_UNKNOWN: Check = error(
    "key-unknown",
    "Condition key that AWS does not have",
    "correct its name: no request has such a key, so the condition is decided by its absence",
);
pub const KEY_REPEATED: Check = error(
    "key-repeated",
    "Condition key that stands twice under one operator",
    "keep one of them and put all values into it",
);
pub const KEY_UNSUPPORTED: Check = warning(
    "key-unsupported",
    "Condition key that an action's requests do not have",
    "move the action to a statement without this condition: for it the condition is decided by the key's absence",
);
pub const TAG_NAME_MISSING: Check =
    error("tag-name-missing", "Tag key without the tag's name", "write the name after a slash, `aws:ResourceTag/team`");
pub const QUANTIFIER_MISSING: Check = error(
    "quantifier-missing",
    "Key with several values compared as if it had one",
    "write `ForAnyValue:` (one value must match) or `ForAllValues:` (each must) before the operator",
);
pub const QUANTIFIER_NEEDLESS: Check = security(
    "quantifier-needless",
    "ForAllValues with a key that has one value",
    "take `ForAllValues:` away: with it the condition also holds for requests that lack the key",
);
pub const ALL_OF_NOTHING: Check = warning(
    "all-of-nothing",
    "ForAllValues allows requests that lack the key",
    "add `\"Null\": {\"key\": \"false\"}` beside it if the key has to be there",
);
pub const NULL_MISUSED: Check =
    error("null-misused", "Null with a suffix or quantifier", "write `Null` alone, with `true` or `false`");
pub const CONDITION_NEVER: Check =
    error("condition-never", "Condition that never holds", "correct it: the statement has no effect as it stands");
pub const DATE_PASSED: Check = warning(
    "date-passed",
    "Condition that held until a date that is over",
    "take the statement out, or set another date",
);
pub const IP_PRIVATE: Check = error(
    "ip-private",
    "Private addresses in aws:SourceIp",
    "use `aws:VpcSourceIp` with `aws:SourceVpc` or `aws:SourceVpce`: `aws:SourceIp` only ever holds public addresses",
);
pub const IP_EVERYTHING: Check =
    security("ip-everything", "Range that holds every address", "name the networks that are meant");
pub const IP_HOST_BITS: Check = suggestion(
    "ip-host-bits",
    "Range whose address is not its first",
    "write the network's address: the bits after the prefix are ignored",
);
pub const WILDCARD_LITERAL: Check = warning(
    "wildcard-literal",
    "Wildcard with an operator that takes it as a character",
    "use the `Like` form of the operator, or take the wildcard out",
);
pub const WILDCARD_SENSITIVE: Check = security(
    "wildcard-sensitive",
    "Wildcard in a key that tells whose a request is",
    "name accounts, organisations and networks in full: a pattern takes those of strangers as well",
);
pub const PRESENCE_ONLY: Check = suggestion(
    "presence-only",
    "Condition that any value meets",
    "write `\"Null\": {\"key\": \"false\"}`, which says so",
);
pub const MFA_ABSENT: Check = security(
    "mfa-absent",
    "Condition on MFA that lets requests without it through",
    "to deny without MFA use `BoolIfExists` with `false`; to allow with MFA use `Bool` with `true`: access keys have no such key",
);
pub const SOURCE_NETWORK_UNPAIRED: Check = security(
    "source-network-unpaired",
    "Private address without its network",
    "add a condition on `aws:SourceVpc` or `aws:SourceVpce`: the same private addresses are in everyone's networks",
);
pub const PREFIX_DENIED: Check = security(
    "prefix-denied",
    "Listing of a prefix denied by naming it",
    "allow with `StringLike`, or deny with `StringNotLike`: a request for a shorter prefix lists the same objects",
);
pub const ATTRIBUTES_WITHOUT_SELECT: Check = security(
    "attributes-without-select",
    "Attributes restricted, but not what is returned",
    "add `\"StringEquals\": {\"dynamodb:Select\": \"SPECIFIC_ATTRIBUTES\"}`: a read that names no attributes returns all",
);

// Statements against each other.

pub const STATEMENT_REDUNDANT: Check =
    suggestion("statement-redundant", "Statement that another one already says", "take it out; nothing changes");
pub const STATEMENT_UNREACHABLE: Check = warning(
    "statement-unreachable",
    "Allow that is wholly denied in the same policy",
    "take out the statement, or narrow the denial",
);

/// All of them, in the order of their concern.
pub const ALL: [&Check; 87] = [
    &JSON_BROKEN,
    &NAME_REPEATED,
    &CHARACTER_FORBIDDEN,
    &ELEMENT_UNKNOWN,
    &ELEMENT_MISSING,
    &ELEMENT_CONFLICT,
    &ELEMENT_TYPE,
    &ELEMENT_UNSUPPORTED,
    &EFFECT_INVALID,
    &LIST_EMPTY,
    &VERSION_INVALID,
    &VERSION_OLD,
    &SID_INVALID,
    &SID_REPEATED,
    &SIZE_EXCEEDED,
    &SIZE_INLINE_ONLY,
    &VARIABLE_BROKEN,
    &VARIABLE_IGNORED,
    &VARIABLE_MISPLACED,
    &ACTION_MALFORMED,
    &SERVICE_UNKNOWN,
    &ACTION_UNKNOWN,
    &ACTION_UNSUPPORTED,
    &ACTION_EVERYTHING,
    &SERVICE_EVERYTHING,
    &SERVICE_WILDCARD,
    &NOT_ACTION_ALLOWED,
    &ACTION_REDUNDANT,
    &PASS_ROLE_ANY,
    &ESCALATION_ANY,
    &ASSUME_ROLE_ANY,
    &PERMISSIONS_ANY,
    &DATA_READ_ANY,
    &SERVICE_ROLE_ANY,
    &WRITE_ANY,
    &ARN_MALFORMED,
    &ARN_PARTITION,
    &ARN_SERVICE,
    &ARN_SERVICE_WILDCARD,
    &ARN_REGION,
    &ARN_ACCOUNT,
    &ARN_SHAPE,
    &ACTION_RESOURCE_MISMATCH,
    &RESOURCE_UNUSED,
    &RESOURCE_UNSUPPORTED,
    &RESOURCE_REDUNDANT,
    &NOT_RESOURCE_ALLOWED,
    &PRINCIPAL_INVALID,
    &PRINCIPAL_WILDCARD,
    &PRINCIPAL_EVERYONE,
    &NOT_PRINCIPAL_ALLOWED,
    &PRINCIPAL_DELETED,
    &FEDERATED_UNSUPPORTED,
    &SERVICE_SOURCE_MISSING,
    &KEY_NOT_OF_SERVICES,
    &OIDC_CONDITION_MISSING,
    &OIDC_SUBJECT_MISSING,
    &OIDC_SUBJECT_WIDE,
    &TRUST_ACTION_MISMATCH,
    &ROLES_ANYWHERE_ACTIONS,
    &CONDITION_EMPTY,
    &OPERATOR_UNKNOWN,
    &OPERATOR_TYPE,
    &ARN_AS_TEXT,
    &VALUE_INVALID,
    &KEY_UNKNOWN,
    &KEY_REPEATED,
    &KEY_UNSUPPORTED,
    &TAG_NAME_MISSING,
    &QUANTIFIER_MISSING,
    &QUANTIFIER_NEEDLESS,
    &ALL_OF_NOTHING,
    &NULL_MISUSED,
    &CONDITION_NEVER,
    &DATE_PASSED,
    &IP_PRIVATE,
    &IP_EVERYTHING,
    &IP_HOST_BITS,
    &WILDCARD_LITERAL,
    &WILDCARD_SENSITIVE,
    &PRESENCE_ONLY,
    &MFA_ABSENT,
    &SOURCE_NETWORK_UNPAIRED,
    &PREFIX_DENIED,
    &ATTRIBUTES_WITHOUT_SELECT,
    &STATEMENT_REDUNDANT,
    &STATEMENT_UNREACHABLE,
];
