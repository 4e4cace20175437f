//! One record of a trail, as far as right-sizing reads it
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arn::Arn;
use crate::principal::Principal;

/// Text that is taken out of the record as it stands where it has no escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record<'a> {
    #[serde(borrow, default)]
    pub user_identity: Option<Identity<'a>>,
    #[serde(borrow, default)]
    pub event_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub event_source: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub event_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub event_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub event_category: Option<Text<'a>>,
    #[serde(default)]
    pub management_event: Option<bool>,
    #[serde(default)]
    pub read_only: Option<Flag>,
    #[serde(borrow, default)]
    pub aws_region: Option<Text<'a>>,
    #[serde(borrow, default, rename = "sourceIPAddress")]
    pub source_address: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub vpc_endpoint_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub error_code: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub request_parameters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub additional_event_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub tls_details: Option<Tls<'a>>,
    #[serde(borrow, default)]
    pub resources: Option<Vec<Resource<'a>>>,
    #[serde(borrow, default)]
    pub recipient_account_id: Option<Text<'a>>,
    /// The record itself as text: in the export of CloudTrail Lake, in the answers of `lookup-events`.
    #[serde(borrow, default, alias = "CloudTrailEvent")]
    pub event_json: Option<Text<'a>>,
    /// The record in an event of EventBridge.
    #[serde(borrow, default)]
    pub detail: Option<&'a RawValue>,
}

/// Older records have truth values as texts.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Flag {
    Truth(bool),
    Text(#[serde(deserialize_with = "truth")] bool),
}

fn truth<'de, D: serde::Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Cow::<'de, str>::deserialize(from).map(|text| text.eq_ignore_ascii_case("true"))
}

impl Flag {
    pub fn holds(self) -> bool {
        match self {
            Self::Truth(truth) | Self::Text(truth) => truth,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity<'a> {
    #[serde(borrow, default, rename = "type")]
    pub kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub arn: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub account_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub invoked_by: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub identity_provider: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub session_context: Option<Session<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session<'a> {
    #[serde(borrow, default)]
    pub session_issuer: Option<Issuer<'a>>,
    #[serde(default)]
    pub attributes: Option<Attributes>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issuer<'a> {
    #[serde(borrow, default)]
    pub arn: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attributes {
    #[serde(default)]
    pub mfa_authenticated: Option<Flag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tls<'a> {
    #[serde(borrow, default)]
    pub tls_version: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resource<'a> {
    #[serde(borrow, default, rename = "ARN", alias = "arn")]
    pub arn: Option<Text<'a>>,
}

impl Text<'_> {
    /// The text, where it is not empty.
    pub fn filled(&self) -> Option<&str> {
        Some(&*self.0).filter(|text| !text.is_empty())
    }
}

impl Identity<'_> {
    /// Whose policies were asked
    /// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>): for a
    /// session the role, for a federated user the user that vouched for it.
    pub fn principal(&self) -> Option<Principal> {
        let arn = || self.arn.as_ref().and_then(Text::filled);
        let issuer = || self.session_context.as_ref()?.session_issuer.as_ref()?.arn.as_ref().and_then(Text::filled);
        let account = || self.account_id.as_ref().and_then(Text::filled);
        match &*self.kind.as_ref()?.0 {
            "Root" => account().map(|account| Principal::Root { account: account.into() }),
            "IAMUser" => arn().map(|arn| Principal::User { arn: arn.into() }),
            "AssumedRole" | "Role" | "FederatedUser" => match issuer().and_then(Principal::of) {
                Some(principal) => Some(principal),
                None => arn().and_then(Principal::of).map(role_of),
            },
            "AWSService" => {
                let name = self.invoked_by.as_ref().and_then(Text::filled)?;
                Some(Principal::Service { name: name.into() })
            }
            "AWSAccount" => account().map(|account| Principal::Account { account: account.into() }),
            "SAMLUser" | "WebIdentityUser" => {
                let provider = self.identity_provider.as_ref().and_then(Text::filled)?;
                Some(Principal::Federated { provider: provider.into() })
            }
            _ => arn().and_then(Principal::of).map(role_of),
        }
    }

    pub fn has_mfa(&self) -> bool {
        let attributes = self.session_context.as_ref().and_then(|session| session.attributes.as_ref());
        attributes.and_then(|attributes| attributes.mfa_authenticated).is_some_and(Flag::holds)
    }
}

/// The role of a session whose record does not name its issuer; the role's path is lost.
fn role_of(principal: Principal) -> Principal {
    match principal.arn() {
        Some(arn) if Arn::of(&arn).is_some_and(|arn| arn.named("role").is_some()) => {
            Principal::Role { arn: arn.into() }
        }
        _ => principal,
    }
}
