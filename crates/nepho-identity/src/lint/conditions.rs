//! The conditions of a statement, each for itself: whether operator, key and values go together, and with the actions.

use super::actions::is_everything;
use super::document::{Item, Statement, Test};
use super::principals::takes_everything;
use super::{Checker, checks, facts, values};
use crate::actions::{Action, KeyType};
use crate::policy::{Operator as O, Quantifier, in_range, prefix};

/// All conditions of a statement.
pub fn statement(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    for test in &statement.tests {
        let Some((quantifier, operator, if_exists)) = test.operator else {
            unknown_operator(checker, test);
            key(checker, test);
            continue;
        };
        if operator == O::Null && quantifier.is_some() {
            let message = "`Null` asks whether the key is there, not how many values it has";
            checker.findings.add(&checks::NULL_MISUSED, &test.operator_span, message);
        }
        values::check(checker, test, operator);
        if let Some(of_type) = key(checker, test)
            && operator != O::Null
        {
            types(checker, test, operator, of_type);
            quantified(checker, statement, test, quantifier, of_type);
        }
        unsupported(checker, statement, test);
        wildcards(checker, statement, test, operator);
        addresses(checker, test, operator, quantifier, if_exists);
        mfa(checker, statement, test, operator, if_exists);
        prefixes(checker, statement, test, operator);
    }
    pairs(checker, statement);
}

fn unknown_operator(checker: &mut Checker<'_>, test: &Test<'_>) {
    let text = test.operator_text;
    let lower = text.to_ascii_lowercase();
    if lower.rsplit(':').next() == Some("nullifexists") {
        let message = "`Null` has no `IfExists`: it asks itself whether the key is there";
        checker.findings.add(&checks::NULL_MISUSED, &test.operator_span, message);
    } else {
        let message = format!("there is no operator `{text}`");
        checker.findings.add(&checks::OPERATOR_UNKNOWN, &test.operator_span, message);
    }
}

/// Whether the key is one, and what its values are; `None` where nothing is known of them.
fn key(checker: &mut Checker<'_>, test: &Test<'_>) -> Option<KeyType> {
    let findings = &mut checker.findings;
    let Some((service, name)) = test.lower.split_once(':') else {
        findings.add(&checks::KEY_UNKNOWN, &test.key_span, format!("`{}` is not `service:name`", test.key));
        return None;
    };
    let is_tag = |name: &str| matches!(name, "resourcetag" | "requesttag" | "principaltag" | "existingobjecttag");
    if is_tag(name.trim_end_matches('/')) {
        let message = format!("`{}` names no tag: write `{}/name`", test.key, test.key.trim_end_matches('/'));
        findings.add(&checks::TAG_NAME_MISSING, &test.key_span, message);
        return None;
    }
    let found = checker.catalogue.condition_key(test.key);
    // Claims of identity providers have the provider's name; SNS still sends what its own default policy asks for.
    let is_elsewhere = service.contains(['.', '/'])
        || test.lower == "aws:sourceowner"
        || facts::CROSS_SERVICE_KEYS.contains(&&*test.lower);
    if found.is_none() && !is_elsewhere {
        let message = match (service, checker.catalogue.service(service)) {
            ("aws", _) => format!("AWS lists no global condition key `{}`", test.key),
            (_, Some(_)) => format!("AWS lists no condition key `{}` of `{service}`", test.key),
            (_, None) => format!("AWS lists no service `{service}`, so no key `{}`", test.key),
        };
        findings.add(&checks::KEY_UNKNOWN, &test.key_span, message);
    }
    found
}

/// Whether the operator compares what the key has.
fn types(checker: &mut Checker<'_>, test: &Test<'_>, operator: O, of_type: KeyType) {
    use KeyType as K;
    let family = match operator.positive() {
        O::StringEquals | O::StringEqualsIgnoreCase => "String",
        O::StringLike => "StringLike",
        O::NumericEquals
        | O::NumericLessThan
        | O::NumericLessThanEquals
        | O::NumericGreaterThan
        | O::NumericGreaterThanEquals => "Numeric",
        O::DateEquals | O::DateLessThan | O::DateLessThanEquals | O::DateGreaterThan | O::DateGreaterThanEquals => {
            "Date"
        }
        O::Bool => "Bool",
        O::BinaryEquals => "Binary",
        O::IpAddress => "IpAddress",
        O::ArnEquals | O::ArnLike => "Arn",
        _ => return,
    };
    let (fits, wanted) = match of_type {
        // Texts can hold ARNs: so the encryption context of a key is compared.
        K::String | K::ArrayOfString => (matches!(family, "String" | "StringLike" | "Arn"), "String"),
        K::Bool | K::ArrayOfBool => (family == "Bool", "Bool"),
        K::Numeric => (family == "Numeric", "Numeric"),
        // Seconds since 1970 can be compared as numbers.
        K::Date => (family == "Date" || (family == "Numeric" && test.lower == "aws:epochtime"), "Date"),
        K::Arn | K::ArrayOfArn => (matches!(family, "Arn" | "String" | "StringLike"), "Arn"),
        K::IpAddress => (family == "IpAddress", "IpAddress"),
        K::Binary => (family == "Binary", "Binary"),
    };
    if !fits {
        let message = format!(
            "`{}` compares {family}, but `{}` is compared with {wanted} operators",
            test.operator_text, test.key
        );
        checker.findings.add(&checks::OPERATOR_TYPE, &test.operator_span, message);
    } else if family == "StringLike"
        && wanted == "Arn"
        && test.values.iter().any(|value| value.text.contains(['*', '?']))
    {
        let message = format!("`{}` is an ARN, compared as text with wildcards", test.key);
        checker.findings.add(&checks::ARN_AS_TEXT, &test.operator_span, message);
    }
}

/// Whether the key has several values, and the operator says how they count.
fn quantified(
    checker: &mut Checker<'_>,
    statement: &Statement<'_>,
    test: &Test<'_>,
    quantifier: Option<Quantifier>,
    of_type: KeyType,
) {
    let has_several = matches!(of_type, KeyType::ArrayOfString | KeyType::ArrayOfArn | KeyType::ArrayOfBool);
    match (quantifier, has_several) {
        (None, true) => {
            let message = format!("`{}` can have several values in a request", test.key);
            checker.findings.add(&checks::QUANTIFIER_MISSING, &test.key_span, message);
        }
        (Some(Quantifier::All), false) => {
            let message = format!("`{}` has one value: with `ForAllValues` its absence passes too", test.key);
            checker.findings.add(&checks::QUANTIFIER_NEEDLESS, &test.key_span, message);
        }
        (Some(Quantifier::All), true) if statement.allows() => {
            let must_be_there = statement.tests_of(&test.lower).any(|other| {
                let is_null = matches!(other.operator, Some((_, O::Null, _)));
                other.requires()
                    || (is_null && other.values.iter().all(|value| value.text.eq_ignore_ascii_case("false")))
            });
            // A tag that has to be there brings the list of tags with it.
            let has_tags =
                statement.tests.iter().any(|other| other.lower.starts_with("aws:requesttag/") && other.requires());
            if !(must_be_there || (test.lower == "aws:tagkeys" && has_tags)) {
                let message = format!("requests without `{}` are allowed as well", test.key);
                checker.findings.add(&checks::ALL_OF_NOTHING, &test.key_span, message);
            }
        }
        _ => {}
    }
}

/// Actions whose requests do not have the key.
fn unsupported(checker: &mut Checker<'_>, statement: &Statement<'_>, test: &Test<'_>) {
    let Some((service, _)) = test.lower.split_once(':') else { return };
    // Who writes `IfExists` or asks for the key's absence has thought of such actions; `ForAllValues` is told of for itself.
    let thinks_of_absence =
        |(quantifier, operator, if_exists)| if_exists || operator == O::Null || quantifier == Some(Quantifier::All);
    if test.operator.is_none_or(thinks_of_absence) {
        return;
    }
    let is_of_tags = ["aws:resourcetag/", "aws:requesttag/"].iter().any(|beginning| test.lower.starts_with(beginning))
        || test.lower == "aws:tagkeys";
    let is_of_one_service = service != "aws"
        && checker.catalogue.service(service).is_some()
        && checker.catalogue.condition_key(test.key).is_some()
        && !facts::CROSS_SERVICE_KEYS.contains(&&*test.lower)
        // Claims of the session's token, which every request of the session has.
        && service != "saml"
        // Of some keys the reference does not say which actions have them.
        && checker.catalogue.service(service).into_iter().flat_map(|of| of.actions()).any(|of| of.has_condition_key(test.key));
    if !is_of_tags && !is_of_one_service {
        return;
    }
    // As with Access Analyzer, only actions that are named in full, unless there is none at all that has the key: what a
    // wildcard stands for besides is no mistake.
    let named = statement.listed_actions().iter().filter_map(|item| checker.catalogue.action(&item.text));
    let without: Vec<Action<'_>> = named.filter(|action| !action.has_condition_key(test.key)).collect();
    let has_key = |item: &Item<'_>| {
        is_everything(item)
            || checker.catalogue.matching(&item.pattern).any(|action| action.has_condition_key(test.key))
    };
    let actions = statement.listed_actions();
    let names = match without.as_slice() {
        _ if actions.len() > 1 && !actions.iter().any(has_key) => "any of the actions".to_owned(),
        [] if actions.len() == 1 && !actions.iter().any(has_key) => "any of the actions".to_owned(),
        [] => return,
        [first] => format!("`{}`", first.name()),
        [first, more @ ..] => format!("`{}` and {} more", first.name(), more.len()),
    };
    let without_key = match (test.requires(), statement.denies()) {
        (true, true) => "without it they are never denied here",
        (true, false) => "without it they are never allowed here",
        (false, _) => "without it this is always met",
    };
    let message = format!("AWS documents no `{}` for {names}: {without_key}", test.key);
    checker.findings.add(&checks::KEY_UNSUPPORTED, &test.key_span, message);
}

/// Wildcards that are none, that let in too much, or that mean nothing.
fn wildcards(checker: &mut Checker<'_>, statement: &Statement<'_>, test: &Test<'_>, operator: O) {
    let has_wildcard = |value: &&Item<'_>| {
        let plain = value.text.replace("${*}", "").replace("${?}", "");
        plain.contains(['*', '?'])
    };
    let Some(value) = test.values.iter().find(has_wildcard) else { return };
    match operator.positive() {
        O::StringEquals | O::StringEqualsIgnoreCase => {
            let message = format!("`{}` takes `{}` to the letter", test.operator_text, value.text);
            checker.findings.add(&checks::WILDCARD_LITERAL, &value.span, message);
        }
        O::StringLike if facts::SENSITIVE_KEYS.contains(&&*test.lower) => {
            let message =
                format!("`{}` in `{}` takes other accounts, organisations or networks too", value.text, test.key);
            checker.findings.add(&checks::WILDCARD_SENSITIVE, &value.span, message);
        }
        O::StringLike | O::ArnLike | O::ArnEquals => {
            let everything = test.values.iter().find(|value| takes_everything(test, value));
            if let Some(value) = everything
                && test.requires()
                && statement.effect.is_some()
            {
                let message = format!("any `{}` meets this, it only has to be there", test.key);
                checker.findings.add(&checks::PRESENCE_ONLY, &value.span, message);
            }
        }
        _ => {}
    }
}

/// Ranges that `aws:SourceIp` never has.
const PRIVATE: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

fn addresses(checker: &mut Checker<'_>, test: &Test<'_>, operator: O, quantifier: Option<Quantifier>, if_exists: bool) {
    if operator.positive() != O::IpAddress {
        return;
    }
    for value in &test.values {
        let Some((address, bits)) = prefix(&value.text) else { continue };
        let network = network_of(address, bits);
        if network != address {
            let message = format!("the range of `{}` begins at {network}/{bits}", value.text);
            checker.findings.add(&checks::IP_HOST_BITS, &value.span, message);
        }
        let is_private = PRIVATE.iter().any(|range| in_range(&value.text, range) == Some(true));
        if test.lower == "aws:sourceip" && is_private {
            let effect = if operator.is_negated() { "is never met, so it takes nothing out" } else { "is never met" };
            let message = format!("`{}` is private: in `aws:SourceIp` it {effect}", value.text);
            checker.findings.add(&checks::IP_PRIVATE, &value.span, message);
        }
        if bits == 0 && quantifier.is_none() && !if_exists {
            let message = format!("`{}` holds every address", value.text);
            checker.findings.add(&checks::IP_EVERYTHING, &value.span, message);
        }
    }
}

fn network_of(address: std::net::IpAddr, bits: u32) -> std::net::IpAddr {
    match address {
        std::net::IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            std::net::Ipv4Addr::from(u32::from(address) & mask).into()
        }
        std::net::IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            std::net::Ipv6Addr::from(u128::from(address) & mask).into()
        }
    }
}

/// Requests with long-term keys have no key that tells of MFA
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent>).
fn mfa(checker: &mut Checker<'_>, statement: &Statement<'_>, test: &Test<'_>, operator: O, if_exists: bool) {
    let value = test.values.first().map(|value| value.text.to_ascii_lowercase());
    let slips_past = match (&*test.lower, operator, value.as_deref()) {
        ("aws:multifactorauthpresent", O::Bool, Some("false")) if statement.allows() => {
            let message = "this allows requests without MFA and none with it";
            return checker.findings.add(&checks::MFA_ABSENT, &test.key_span, message);
        }
        ("aws:multifactorauthpresent", O::Bool, Some("false")) => statement.denies() && !if_exists,
        ("aws:multifactorauthpresent", O::Bool, Some("true")) => statement.allows() && if_exists,
        ("aws:multifactorauthage", O::NumericLessThan | O::NumericLessThanEquals, _) => statement.allows() && if_exists,
        // The key's presence does not say that it is true.
        ("aws:multifactorauthpresent", O::Null, Some("false")) => {
            statement.allows() && statement.tests_of(&test.lower).count() == 1
        }
        _ => return,
    };
    if slips_past {
        let message = match statement.denies() {
            true => "requests signed with an access key have no such key, so they are not denied",
            false => "requests without MFA are allowed as well",
        };
        checker.findings.add(&checks::MFA_ABSENT, &test.key_span, message);
    }
}

/// Listing in S3 with a shorter prefix shows the same objects
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html>, S3 prefix in negative
/// context).
fn prefixes(checker: &mut Checker<'_>, statement: &Statement<'_>, test: &Test<'_>, operator: O) {
    let is_text = matches!(operator.positive(), O::StringEquals | O::StringLike | O::StringEqualsIgnoreCase);
    let names_nothing = test.values.iter().all(|value| value.text.is_empty());
    if test.lower == "s3:prefix"
        && is_text
        && !names_nothing
        && operator.is_negated() == statement.allows()
        && statement.effect.is_some()
    {
        let message = "a request for a shorter prefix still lists what is below this one";
        checker.findings.add(&checks::PREFIX_DENIED, &test.key_span, message);
    }
}

/// Keys that say little without another one.
fn pairs(checker: &mut Checker<'_>, statement: &Statement<'_>) {
    let has = |names: &[&str]| statement.tests.iter().any(|test| names.contains(&&*test.lower));
    let networks =
        ["aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"];
    if statement.allows()
        && let Some(test) = statement.tests_of("aws:vpcsourceip").next()
        && !has(&networks)
    {
        let message = "a private address does not say in whose network";
        checker.findings.add(&checks::SOURCE_NETWORK_UNPAIRED, &test.key_span, message);
    }
    let reads = ["dynamodb:getitem", "dynamodb:batchgetitem", "dynamodb:query", "dynamodb:scan"];
    if statement.allows()
        && let Some(test) = statement.tests_of("dynamodb:attributes").next()
        && !has(&["dynamodb:select"])
        && reads.iter().any(|action| statement.names_action(action).is_some())
    {
        let message = "a read that names no attributes returns all of them";
        checker.findings.add(&checks::ATTRIBUTES_WITHOUT_SELECT, &test.key_span, message);
    }
}
