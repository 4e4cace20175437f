use super::{Style, compliance, coverage, findings, summary, wrap};
use crate::fixture;

const NARROW: Style = Style { colour: false, width: 72 };

fn without_colour(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => drop(characters.by_ref().find(|c| *c == 'm')),
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn the_summary_says_what_to_do_first() {
    let text = summary(&fixture::report(), &Style::default());
    assert!(text.contains("1 critical · 2 high · 1 medium · 0 low · 0 info"), "{text}");
    let places: Vec<_> =
        ["CRITICAL", "HIGH", "MEDIUM", "Coverage", "Expired"].map(|word| text.find(word).unwrap()).into();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains("S3 bucket can be read by anyone · 1 resource, 1 account"), "{text}");
    assert!(text.contains("acme-exports (prod)"), "{text}");
    assert!(text.contains("nephoscope findings --rule aws.s3.bucket-public-read"), "{text}");
}

#[test]
fn what_is_muted_or_unknown_does_not_hide() {
    let text = summary(&fixture::report(), &Style::default());
    assert!(text.contains("1 could not be judged"), "{text}");
    assert!(text.contains("5 of 8 reads complete (62 %)"), "{text}");
    assert!(text.contains("s3:GetBucketPolicy in 444455556666, us-east-1: missing for 3 resources"), "{text}");
    assert!(text.contains("AccessDenied: Access Denied"), "{text}");
    assert!(text.contains("nephoscope permissions aws"), "{text}");
    assert!(text.contains("mute `old-lab` expired on 2025-06-30: 1 finding is shown again"), "{text}");
    assert!(!text.contains("acme-website"), "{text}");
}

#[test]
fn nothing_but_a_command_is_wider_than_the_terminal() {
    for report in [fixture::report(), fixture::hostile()] {
        for text in [summary, findings, coverage, compliance].map(|table| table(&report, &NARROW)) {
            for line in text.lines().filter(|line| !line.contains("nephoscope findings --rule")) {
                assert!(line.chars().count() <= 73, "{line}");
            }
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let report = fixture::report();
    for table in [summary, findings, coverage, compliance] {
        let plain = table(&report, &NARROW);
        let coloured = table(&report, &Style { colour: true, ..NARROW });
        assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
        let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(trimmed(&without_colour(&coloured)), trimmed(&plain));
    }
}

#[test]
fn the_list_of_one_rule_tells_the_rule_and_the_evidence() {
    let mut report = fixture::report();
    assert!(findings(&report, &Style::default()).contains("aws.ec2.volume-unencrypted"));
    report.findings.retain(|finding| finding.rule.id == "aws.s3.bucket-public-read");
    let text = findings(&report, &Style { width: 140, ..Style::default() });
    assert!(text.contains("aws s3api put-public-access-block --bucket <bucket> \\\n"), "{text}");
    assert!(text.contains("public_read = true"), "{text}");
    assert!(text.contains("policy not known: s3:GetBucketPolicy denied AccessDenied"), "{text}");
    assert!(text.contains("muted until 2026-12-31: public web site"), "{text}");
}

#[test]
fn compliance_shows_not_automated_as_such() {
    let text = compliance(&fixture::report(), &Style::default());
    assert!(text.contains("1 fail, 1 unknown, 1 pass, 1 no resources, 1 not automated"), "{text}");
    assert!(text.contains("50 %"), "{text}");
}

#[test]
fn wide_characters_count_as_two() {
    assert!(wrap(&"日本 ".repeat(10), 20).iter().all(|line| line.chars().count() <= 13));
}

#[test]
fn nothing_found_and_nothing_run_are_told_apart() {
    let mut report = crate::Report::default();
    assert!(summary(&report, &Style::default()).contains("No rules were run."));
    report.counts.rules_run = 3;
    assert!(summary(&report, &Style::default()).contains("No open findings."));
}
