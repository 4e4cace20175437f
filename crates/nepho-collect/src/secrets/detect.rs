//! A small detector: token shapes of well-known providers, and names that promise a secret beside values that look like
//! one. The full scanner of images and code is another, later part.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

/// A secret in a text: its kind and where it stands (byte range).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is: `github-token`, `private-key`, `generic-secret`, …
    pub kind: &'static str,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// A pattern; the secret is its first group, or all of it.
struct Pattern {
    kind: &'static str,
    text: &'static str,
    /// Precise enough to be masked wherever it stands, in names and descriptions, too.
    anywhere: bool,
}

const fn pattern(kind: &'static str, text: &'static str, anywhere: bool) -> Pattern {
    Pattern { kind, text, anywhere }
}

const PATTERNS: &[Pattern] = &[
    pattern(
        "private-key",
        r"(?s)-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,30}-----|\z)",
        true,
    ),
    pattern("github-token", r"(?-u:\b)(gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,100})(?-u:\b)", true),
    pattern("gitlab-token", r"(?-u:\b)(gl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_-]{20,80})", true),
    pattern("slack-token", r"(?-u:\b)(xox[abeoprs]-[A-Za-z0-9-]{10,200})", true),
    pattern("slack-webhook", r"https://hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{20,100})", true),
    pattern("stripe-key", r"(?-u:\b)([sr]k_(?:live|test)_[A-Za-z0-9]{16,200})", true),
    pattern("google-api-key", r"(?-u:\b)(AIza[0-9A-Za-z_-]{35})", true),
    pattern("npm-token", r"(?-u:\b)(npm_[A-Za-z0-9]{36})(?-u:\b)", true),
    pattern("sendgrid-key", r"(?-u:\b)(SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64})", true),
    pattern("openai-key", r"(?-u:\b)(sk-(?:ant-|proj-|svcacct-)[A-Za-z0-9_-]{24,200})", true),
    pattern("twilio-key", r"(?-u:\b)(SK[0-9a-f]{32})(?-u:\b)", false),
    pattern("jwt", r"(?-u:\b)(eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000})", false),
    pattern("connection-string", r"(?-u:\b)[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s:/@]{0,100}:([^\s@/]{3,200})@", false),
    pattern("azure-storage-key", r"(?i)AccountKey=([A-Za-z0-9+/]{80,90}={0,2})", false),
];

static SET: LazyLock<RegexSet> = LazyLock::new(|| set(|_| true));
static SET_ANYWHERE: LazyLock<RegexSet> = LazyLock::new(|| set(|pattern| pattern.anywhere));
static EACH: LazyLock<Vec<Option<Regex>>> =
    LazyLock::new(|| PATTERNS.iter().map(|pattern| Regex::new(pattern.text).ok()).collect());
static ACCESS_KEY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u:\b)((?:AKIA|ASIA)[A-Z0-9]{16})(?-u:\b)").ok());
static FORTY: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?:^|[^A-Za-z0-9/+=])([A-Za-z0-9/+]{40})(?:$|[^A-Za-z0-9/+=])").ok());
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)([A-Z0-9_.-]{0,60}(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|"#,
        r#"private[_-]?key|credential)[A-Z0-9_.-]{0,40})["']?[ \t]{0,4}(?:=>|:=|=|:)[ \t]{0,4}["']?([^\s"',;]{6,400})"#,
    ))
    .ok()
});

fn set(chosen: fn(&Pattern) -> bool) -> RegexSet {
    // Patterns that are not chosen are replaced by one that never matches, so that positions stay.
    let never = r"[^\s\S]";
    RegexSet::new(PATTERNS.iter().map(|pattern| if chosen(pattern) { pattern.text } else { never }))
        .unwrap_or_else(|_| RegexSet::empty())
}

/// Words that stand for a value rather than being one.
const PLACEHOLDERS: &[&str] = &[
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "password",
    "passw0rd_here",
    "secret",
    "token",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "placeholder",
    "redacted",
    "example",
    "your",
    "todo",
    "dummy",
    "replace",
    "insert",
    "xxxx",
    "****",
    "....",
    "default",
    "enabled",
    "disabled",
    "required",
    "optional",
    "empty",
    "unset",
];

/// Names that contain a promising word and yet hold no secret.
const HARMLESS_ENDS: &[&str] = &[
    "arn",
    "id",
    "name",
    "path",
    "file",
    "filename",
    "url",
    "uri",
    "endpoint",
    "enabled",
    "ttl",
    "type",
    "length",
    "policy",
    "expiry",
    "expiration",
    "expires",
    "region",
    "version",
    "count",
    "size",
    "timeout",
    "rotation",
    "parameter",
    "param",
    "prefix",
    "key_name",
    "location",
    "store",
    "manager",
    "provider",
    "issuer",
    "audience",
    "scope",
    "mode",
    "days",
    "hours",
    "minutes",
    "seconds",
    "ref",
    "algorithm",
    "bucket",
    "table",
    "lifetime",
    "validity",
    "header",
    "cache",
    "class",
    "field",
    "host",
    "port",
    "user",
    "username",
];

/// Whether a value stands for something else: a reference, a variable, a placeholder.
fn is_reference(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    [
        "arn:",
        "${",
        "{{",
        "$(",
        "<",
        "%{",
        "vault:",
        "ssm:",
        "secretsmanager:",
        "aws:",
        "resolve:",
        "file:",
        "ref:",
        "[redacted",
    ]
    .iter()
    .any(|start| lower.starts_with(start))
        || value.starts_with('$')
        || (lower.starts_with("http") && lower.contains("://"))
        || (value.starts_with('/') && value.matches('/').count() > 1)
        || PLACEHOLDERS.iter().any(|word| {
            lower.strip_prefix(word).is_some_and(|rest| rest.len() <= 2 && rest.chars().all(|c| !c.is_alphanumeric()))
        })
        || lower.contains("changeme")
        || lower.contains("example.com")
        || (lower.starts_with("your") && lower.contains(['_', '-']))
}

/// Shannon entropy in bits a character.
fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count = count.saturating_add(1);
        }
    }
    let length = value.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

/// Splits `dbPassword`, `DB_PASSWORD` and `db.password` alike into lower-case words.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower_before = false;
    for character in name.chars() {
        let separator = !character.is_alphanumeric();
        if separator || (character.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if !separator && let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
        lower_before = character.is_lowercase() || character.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// How much a field's name promises a secret: a password, another secret, nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    Password,
    Secret,
    Nothing,
}

fn promise(name: &str) -> Promise {
    let words = words(name);
    let Some(last) = words.last() else { return Promise::Nothing };
    if HARMLESS_ENDS.contains(&last.as_str())
        || words.iter().any(|word| ["public", "max", "min", "secretsmanager"].contains(&word.as_str()))
    {
        return Promise::Nothing;
    }
    let joined = words.concat();
    let has = |parts: &[&str]| parts.iter().any(|part| joined.contains(part));
    // `auth_token`, `authtoken`; not `tokenizer`.
    let token = words.iter().any(|word| word.ends_with("token") || word.ends_with("tokens"));
    if has(&["password", "passwd", "passphrase"])
        || words.iter().any(|word| word == "pwd" || word == "pass" || word == "pw")
    {
        Promise::Password
    } else if token
        || has(&["secret", "apikey", "accesskey", "privatekey", "credential", "authkey", "encryptionkey", "signingkey"])
    {
        Promise::Secret
    } else {
        Promise::Nothing
    }
}

/// Whether a value is words joined by separators, as names and paths of secrets are: `prod/db/credentials`.
fn is_words(value: &str) -> bool {
    let parts: Vec<&str> = value.split(['-', '_', '/', '.', ':']).collect();
    parts.len() > 1
        && parts.iter().all(|part| {
            part.len() <= 16 && part.chars().all(char::is_alphabetic) && part.chars().skip(1).all(char::is_lowercase)
        })
}

fn looks_secret(name: &str, promise: Promise, value: &str) -> bool {
    let (length, bits) = match promise {
        Promise::Nothing => return false,
        Promise::Password => (6, 1.9),
        Promise::Secret => (8, 2.4),
    };
    // A passphrase may be words; what is called a secret or a key is then the name of one.
    let names_one = words(name).last().is_some_and(|last| last == "key" || last == "secret");
    if is_words(value) && (promise == Promise::Secret || names_one) {
        return false;
    }
    value.len() >= length
        && value.len() <= 4096
        && !value.contains(char::is_whitespace)
        && !is_reference(value)
        && entropy(value) >= bits
}

fn is_aws_secret(value: &str) -> bool {
    value.len() == 40
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/' || byte == b'+')
        && value.bytes().any(|byte| byte.is_ascii_lowercase())
        && value.bytes().any(|byte| byte.is_ascii_uppercase())
        && entropy(value) > 3.5
}

fn forty(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let all = FORTY.as_ref().filter(|_| text.len() >= 40).into_iter().flat_map(move |regex| regex.captures_iter(text));
    all.filter_map(|captures| captures.get(1))
        .filter(|found| is_aws_secret(found.as_str()))
        .map(|found| (found.start(), found.end()))
}

fn by_pattern(set: &RegexSet, text: &str, found: &mut Vec<Finding>) {
    for at in set.matches(text) {
        let (Some(pattern), Some(Some(regex))) = (PATTERNS.get(at), EACH.get(at)) else { continue };
        for captures in regex.captures_iter(text) {
            let Some(span) = captures.get(1).or_else(|| captures.get(0)) else { continue };
            if pattern.kind == "connection-string" && is_reference(span.as_str()) {
                continue;
            }
            found.push(Finding { kind: pattern.kind, start: span.start(), end: span.end() });
        }
    }
}

/// AWS keys. Alone, the id names a key and is no secret: it counts where a secret key stands near in the text, or where
/// keys have no business (`alone`). The id of the documentation's examples never does.
fn aws_keys(text: &str, alone: bool, found: &mut Vec<Finding>) {
    if !(text.contains("AKIA") || text.contains("ASIA")) {
        return;
    }
    let secrets: Vec<(usize, usize)> = forty(text).collect();
    for captures in ACCESS_KEY.iter().flat_map(|regex| regex.captures_iter(text)) {
        let Some(id) = captures.get(1) else { continue };
        let near = |secret: &&(usize, usize)| secret.0.abs_diff(id.end()) < 400 || id.start().abs_diff(secret.1) < 400;
        let beside: Vec<_> = secrets.iter().filter(near).collect();
        if beside.is_empty() && (!alone || id.as_str().ends_with("EXAMPLE")) {
            continue;
        }
        found.push(Finding { kind: "aws-access-key-id", start: id.start(), end: id.end() });
        found.extend(beside.iter().map(|(start, end)| Finding {
            kind: "aws-secret-access-key",
            start: *start,
            end: *end,
        }));
    }
}

/// Secrets of precise shape, for text that is not expected to hold any.
pub(super) fn detect_anywhere(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    by_pattern(&SET_ANYWHERE, text, &mut found);
    aws_keys(text, false, &mut found);
    tidy(found)
}

/// The kind of secret that a field of this name holds, in answers where none is expected: stricter than [`detect`],
/// since fields such as `apiKeySource` and `TokenType` hold words.
pub(super) fn detect_field(name: &str, text: &str) -> Option<&'static str> {
    // Most names promise nothing, and cutting a name into words costs more than this look.
    let hint = name.len() <= 200
        && name.as_bytes().windows(3).any(|part| {
            [b"pas", b"pwd", b"sec", b"tok", b"key", b"cre"].iter().any(|start| part.eq_ignore_ascii_case(*start))
        });
    if !hint {
        return None;
    }
    let value = text.trim();
    let promise = promise(name);
    let mixed = value.bytes().any(|byte| byte.is_ascii_digit()) && value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let hidden = value.bytes().all(|byte| byte == b'*');
    // A date is no secret.
    let dated = value.len() >= 10 && value.as_bytes().get(4) == Some(&b'-') && value.starts_with("20");
    if hidden || dated || !looks_secret(name, promise, value) || (promise == Promise::Secret && !mixed) {
        return None;
    }
    Some(if promise == Promise::Password { "password" } else { "generic-secret" })
}

/// Secrets in a text from a place that may hold some. `name` is what the place is called (a variable's name).
pub fn detect(name: Option<&str>, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    by_pattern(&SET, text, &mut found);
    aws_keys(text, true, &mut found);
    let trimmed = text.trim();
    let offset = text.len().saturating_sub(text.trim_start().len());
    let whole = |kind| Finding { kind, start: offset, end: offset.saturating_add(trimmed.len()) };
    match name.map_or(Promise::Nothing, promise) {
        Promise::Secret if is_aws_secret(trimmed) => found.push(whole("aws-secret-access-key")),
        promise if found.is_empty() && looks_secret(name.unwrap_or_default(), promise, trimmed) => {
            found.push(whole(if promise == Promise::Password { "password" } else { "generic-secret" }));
        }
        _ => {}
    }
    for captures in ASSIGNMENT.iter().flat_map(|regex| regex.captures_iter(text)) {
        let (Some(name), Some(value)) = (captures.get(1), captures.get(2)) else { continue };
        let promise = promise(name.as_str());
        let kind = match promise {
            Promise::Password => "password",
            _ if is_aws_secret(value.as_str()) => "aws-secret-access-key",
            _ => "generic-secret",
        };
        if looks_secret(name.as_str(), promise, value.as_str()) {
            found.push(Finding { kind, start: value.start(), end: value.end() });
        }
    }
    tidy(found)
}

/// In order, without those that lie in another.
fn tidy(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(|finding| (finding.start, std::cmp::Reverse(finding.end)));
    let mut kept: Vec<Finding> = Vec::with_capacity(found.len());
    for finding in found {
        if kept.last().is_none_or(|last| finding.start >= last.end) {
            kept.push(finding);
        }
    }
    kept
}
