//! ARNs put together under wildcards, where what differs between them is what will differ the next time too.

use std::collections::BTreeMap;

use crate::pattern::{Pattern, Shape};
use crate::usage::is_uuid;

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width {
    /// So many ARNs that differ in one part are listed; more become one pattern.
    pub most_listed: usize,
    /// So many regions are listed.
    pub most_regions: usize,
}

/// A pattern and the ARNs that it is for.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub pattern: Pattern,
    pub members: Vec<Pattern>,
}

impl Group {
    pub fn one(pattern: Pattern) -> Self {
        Self { members: vec![pattern.clone()], pattern }
    }
}

/// Groups of ARNs. What is a pattern already stays as it is.
pub(super) fn generalise(arns: &[Pattern], width: Width) -> Vec<Group> {
    let (exact, open): (Vec<_>, Vec<_>) = arns.iter().partition(|arn| arn.shape() == Shape::Exact);
    let mut groups: Vec<Group> = open.into_iter().cloned().map(Group::one).collect();
    // Partition, service and account, and the first part of the resource (its type or a bucket), are never put together.
    let mut heads: BTreeMap<(&str, &str, &str, &str), Vec<Item<'_>>> = BTreeMap::new();
    for arn in exact {
        match Item::of(arn) {
            Some((head, item)) => heads.entry(head).or_default().push(item),
            None => groups.push(Group::one(arn.clone())),
        }
    }
    for ((partition, service, account, first), items) in heads {
        // By the form of what follows, the regions that have it.
        let mut forms: BTreeMap<String, BTreeMap<&str, Vec<Pattern>>> = BTreeMap::new();
        let mut by_region: BTreeMap<&str, Vec<Item<'_>>> = BTreeMap::new();
        for item in items {
            by_region.entry(item.region).or_default().push(item);
        }
        for (region, items) in by_region {
            for (form, members) in fold(&items, width) {
                forms.entry(form).or_default().entry(region).or_default().extend(members);
            }
        }
        for (form, regions) in forms {
            let arn =
                |region: &str| Pattern::new(&format!("arn:{partition}:{service}:{region}:{account}:{first}{form}"));
            if regions.len() > width.most_regions {
                groups.push(Group { pattern: arn("*"), members: regions.into_values().flatten().collect() });
            } else {
                groups.extend(regions.into_iter().map(|(region, members)| Group { pattern: arn(region), members }));
            }
        }
    }
    groups
}

/// What is left of an ARN behind the parts that are compared already.
#[derive(Clone, Debug)]
struct Item<'a> {
    region: &'a str,
    rest: &'a str,
    whole: &'a Pattern,
}

impl<'a> Item<'a> {
    #[expect(clippy::type_complexity, reason = "partition, service, account and first part of the resource")]
    fn of(arn: &'a Pattern) -> Option<((&'a str, &'a str, &'a str, &'a str), Self)> {
        let mut parts = arn.text().splitn(6, ':').skip(1);
        let mut next = || parts.next();
        let (partition, service, region, account, resource) = (next()?, next()?, next()?, next()?, next()?);
        let (first, rest) = segment(resource);
        Some(((partition, service, account, first), Self { region, rest, whole: arn }))
    }
}

/// The part up to and with the next `/` or `:`, and what follows.
fn segment(text: &str) -> (&str, &str) {
    let end = text.find(['/', ':']).map_or(text.len(), |at| at + 1);
    text.split_at(end)
}

/// The forms of what is left of some ARNs, and whose they are.
fn fold(items: &[Item<'_>], width: Width) -> Vec<(String, Vec<Pattern>)> {
    let members = |items: &[Item<'_>]| items.iter().map(|item| item.whole.clone()).collect::<Vec<_>>();
    if items.iter().all(|item| item.rest.is_empty()) {
        return vec![(String::new(), members(items))];
    }
    let mut shapes: BTreeMap<String, (Strength, BTreeMap<&str, Vec<Item<'_>>>)> = BTreeMap::new();
    for item in items {
        let (first, rest) = segment(item.rest);
        let (form, strength) = form(first);
        let (_, values) = shapes.entry(form).or_insert((strength, BTreeMap::new()));
        values.entry(first).or_default().push(Item { rest, ..item.clone() });
    }
    // What comes next in each of the ways on, as a pattern.
    let mut ways: Vec<(String, Vec<Item<'_>>)> = Vec::new();
    for (form, (strength, values)) in shapes {
        let varies = match strength {
            Strength::None => false,
            Strength::Weak => values.len() > WEAK_VALUES.min(width.most_listed),
            Strength::Strong => values.len() > 1,
        };
        if varies {
            ways.push((form, values.into_values().flatten().collect()));
        } else {
            ways.extend(values.into_iter().map(|(value, items)| (value.to_owned(), items)));
        }
    }
    if ways.len() > width.most_listed {
        let firsts: Vec<&str> = items.iter().map(|item| segment(item.rest).0).collect();
        return vec![(format!("{}*", common_prefix(&firsts)), members(items))];
    }
    let mut forms = Vec::new();
    for (text, items) in ways {
        let ends = items.iter().filter(|item| item.rest.is_empty()).count();
        if ends > 0 && ends < items.len() {
            // Both a thing and what is below it.
            forms.push((format!("{text}*"), members(&items)));
        } else {
            forms.extend(fold(&items, width).into_iter().map(|(rest, members)| (format!("{text}{rest}"), members)));
        }
    }
    forms
}

fn common_prefix(texts: &[&str]) -> String {
    let Some((first, others)) = texts.split_first() else { return String::new() };
    let mut length = first.len();
    for other in others {
        let same = first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        length = length.min(same);
    }
    while !first.is_char_boundary(length) {
        length -= 1;
    }
    first.get(..length).unwrap_or_default().to_owned()
}

/// How sure it is that a part varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    /// It is a name.
    None,
    /// A name with a short number: one of few, or of many.
    Weak,
    /// A date, a number, an id, a hash.
    Strong,
}

/// So many names that differ in a short number are taken for names.
const WEAK_VALUES: usize = 4;

/// A part with `*` for what varies in it.
fn form(part: &str) -> (String, Strength) {
    let mut form = String::new();
    let mut strength = Strength::None;
    let mut rest = part;
    let has_letters = part.chars().any(char::is_alphabetic);
    while let Some(c) = rest.chars().next() {
        if rest.get(..36).is_some_and(is_uuid) {
            form.push('*');
            strength = Strength::Strong;
            rest = rest.get(36..).unwrap_or_default();
            continue;
        }
        if !c.is_ascii_alphanumeric() {
            form.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let is_hex = run.len() >= 8 && digits >= 2 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex || run.len() >= 20 && digits >= 3 {
            form.push('*');
            strength = Strength::Strong;
        } else if digits > 0 {
            let mut longest = 0;
            let mut length = 0;
            for c in run.chars() {
                if c.is_ascii_digit() {
                    length += 1;
                    if length == 1 {
                        form.push('*');
                    }
                } else {
                    length = 0;
                    form.push(c);
                }
                longest = longest.max(length);
            }
            if longest >= 4 || !has_letters {
                strength = Strength::Strong;
            } else if strength == Strength::None {
                strength = Strength::Weak;
            }
        } else {
            form.push_str(run);
        }
    }
    (form, strength)
}

#[cfg(test)]
mod tests {
    use super::{Width, generalise};
    use crate::pattern::Pattern;

    fn patterns(arns: &[&str]) -> Vec<String> {
        let arns: Vec<Pattern> = arns.iter().map(|arn| Pattern::literal(arn)).collect();
        let groups = generalise(&arns, Width { most_listed: 10, most_regions: 3 });
        for group in &groups {
            assert!(group.members.iter().all(|member| group.pattern.covers(member)), "{group:?}");
        }
        let members: usize = groups.iter().map(|group| group.members.len()).sum();
        assert_eq!(members, arns.len());
        groups.iter().map(|group| group.pattern.to_string()).collect()
    }

    #[test]
    fn one_thing_stays_one_thing() {
        for arn in [
            "arn:aws:s3:::reports/2026/03/02/a.csv",
            "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0",
        ] {
            assert_eq!(patterns(&[arn]), [arn]);
        }
    }

    #[test]
    fn what_varies_becomes_a_wildcard() {
        for (arns, expected) in [
            (
                ["arn:aws:s3:::r/in/2026/03/a.csv", "arn:aws:s3:::r/in/2026/04/a.csv"],
                &["arn:aws:s3:::r/in/2026/*/a.csv"][..],
            ),
            (
                ["arn:aws:s3:::r/dt=2026-03-01/part-00001.gz", "arn:aws:s3:::r/dt=2026-03-02/part-00002.gz"],
                &["arn:aws:s3:::r/dt=*-*-*/part-*.gz"],
            ),
            (
                [
                    "arn:aws:s3:::r/1234abcd-12ab-34cd-56ef-1234567890ab/x",
                    "arn:aws:s3:::r/aaaaabcd-12ab-34cd-56ef-1234567890ab/x",
                ],
                &["arn:aws:s3:::r/*/x"],
            ),
            (
                [
                    "arn:aws:ec2:eu-west-1:1:instance/i-0123456789abcdef0",
                    "arn:aws:ec2:eu-west-1:1:instance/i-0aaa456789abcdef0",
                ],
                &["arn:aws:ec2:eu-west-1:1:instance/i-*"],
            ),
            // Names are names.
            (["arn:aws:s3:::r/in/a", "arn:aws:s3:::r/out/a"], &["arn:aws:s3:::r/in/a", "arn:aws:s3:::r/out/a"]),
            (
                ["arn:aws:lambda:eu-west-1:1:function:resize1", "arn:aws:lambda:eu-west-1:1:function:resize2"],
                &["arn:aws:lambda:eu-west-1:1:function:resize1", "arn:aws:lambda:eu-west-1:1:function:resize2"],
            ),
            // Buckets and accounts are not put together.
            (
                ["arn:aws:s3:::logs-2025/a", "arn:aws:s3:::logs-2026/a"],
                &["arn:aws:s3:::logs-2025/a", "arn:aws:s3:::logs-2026/a"],
            ),
            (
                ["arn:aws:iam::111122223333:role/A", "arn:aws:iam::444455556666:role/A"],
                &["arn:aws:iam::111122223333:role/A", "arn:aws:iam::444455556666:role/A"],
            ),
            // A wildcard in a key means itself.
            (["arn:aws:s3:::r/a*/2025", "arn:aws:s3:::r/a*/2026"], &["arn:aws:s3:::r/a${*}/*"]),
        ] {
            assert_eq!(patterns(&arns), expected);
        }
    }

    #[test]
    fn many_names_become_a_prefix_and_many_regions_any() {
        let keys: Vec<String> = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibex", "jay", "koi"]
            .iter()
            .map(|name| format!("arn:aws:s3:::r/in/x-{name}"))
            .collect();
        assert_eq!(patterns(&keys.iter().map(String::as_str).collect::<Vec<_>>()), ["arn:aws:s3:::r/in/x-*"]);
        let regions = ["eu-west-1", "eu-west-2", "us-east-1", "us-east-2"];
        let topics: Vec<String> = regions.iter().map(|region| format!("arn:aws:sns:{region}:1:alerts")).collect();
        assert_eq!(patterns(&topics.iter().map(String::as_str).collect::<Vec<_>>()), ["arn:aws:sns:*:1:alerts"]);
    }
}
