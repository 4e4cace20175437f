//! The parts of Amazon resource names.

/// `arn:partition:service:region:account:resource`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `s3`
    pub service: &'a str,
    /// Empty for global services.
    pub region: &'a str,
    /// Twelve digits, empty, or `aws`.
    pub account: &'a str,
    /// All after the fifth colon.
    pub resource: &'a str,
}

/// Whether a text is an account's number: twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'a> Arn<'a> {
    /// The parts; `None` for what is no ARN.
    pub fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let mut next = || parts.next();
        Some(Self { partition: next()?, service: next()?, region: next()?, account: next()?, resource: next()? })
    }

    /// What stands after the type, `a/b` of `role/a/b`; `None` without that type.
    pub fn named(&self, of_type: &str) -> Option<&'a str> {
        self.resource.strip_prefix(of_type)?.strip_prefix(['/', ':'])
    }
}
