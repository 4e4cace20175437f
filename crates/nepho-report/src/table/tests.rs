use super::{Style, compliance, coverage, findings, summary, wrap};
use crate::fixture;

const NARROW: Style = Style { colour: false, width: Some(72) };
const UNWRAPPED: Style = Style { colour: false, width: None };

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
    assert!(
        text.contains("old-lab (rule aws.ec2.volume-unencrypted) on 2025-06-30: 1 finding is shown again"),
        "{text}"
    );
    assert!(!text.contains("acme-website"), "{text}");
}

#[test]
fn nothing_but_a_command_or_an_id_is_wider_than_the_terminal() {
    let narrow = |report, table: fn(&crate::Report, &Style) -> String| table(report, &NARROW);
    let texts = [
        narrow(&fixture::report(), summary),
        narrow(&fixture::hostile(), summary),
        narrow(&fixture::report(), coverage),
    ];
    for line in texts.iter().flat_map(|text| text.lines()).filter(|line| !line.contains("nephoscope findings --rule")) {
        assert!(line.chars().count() <= 73, "{line}");
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
    let text = findings(&report, &Style { width: Some(140), ..Style::default() });
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
    let text = summary(&report, &Style::default());
    assert!(text.contains("No open findings: nothing was read."), "{text}");
    report.coverage = fixture::report().coverage;
    let text = summary(&report, &Style::default());
    assert!(text.contains("No open findings in what could be read."), "{text}");
    assert_eq!(findings(&report, &Style::default()), "No findings in what could be read.\n");
    report.coverage.retain(|entry| entry.state.is_complete());
    assert!(summary(&report, &Style::default()).contains("No open findings."));
    assert_eq!(findings(&report, &Style::default()), "No findings.\n");
}

#[test]
fn what_is_not_listed_is_still_counted() {
    let mut report = fixture::report();
    report.findings.retain(|finding| finding.verdict == nepho_model::Verdict::Unknown);
    let text = summary(&report, &Style::default());
    assert!(text.contains("1 critical · 2 high · 1 medium"), "{text}");
    assert!(text.contains("The open findings are not among those listed here."), "{text}");
    report.findings.clear();
    assert!(findings(&report, &Style::default()).contains("there are 4 open findings besides"));
}

#[test]
fn ids_are_never_broken_and_off_a_terminal_a_row_is_a_line() {
    let report = fixture::report();
    let (narrow, unwrapped) = (findings(&report, &NARROW), findings(&report, &UNWRAPPED));
    for finding in &report.findings {
        let (rule, name) = (&finding.rule.id, finding.resource.label());
        assert!(narrow.lines().any(|line| line.contains(rule.as_str()) && line.contains(name)), "{narrow}");
        let row = unwrapped.lines().find(|line| line.contains(finding.resource.key.as_str()));
        assert!(row.is_some_and(|row| row.contains(rule.as_str()) && row.contains(name)), "{unwrapped}");
    }
    assert_eq!(unwrapped.lines().count(), report.findings.len() + 3);
    let ids = [vec!["aws.ec2.a-rather-long-name-of-something".to_owned(), "words that may wrap ".repeat(8)]];
    let text = super::grid(&["id", "title"], &ids, &NARROW);
    assert!(text.contains("aws.ec2.a-rather-long-name-of-something") && text.lines().count() > 3, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 72), "{text}");
}

#[test]
fn an_unknown_says_which_call_failed_in_a_list_of_many_rules() {
    let text = findings(&fixture::report(), &UNWRAPPED);
    let row = text.lines().find(|line| line.contains("acme-dev-scratch")).unwrap();
    assert!(row.contains("policy not known: s3:GetBucketPolicy denied AccessDenied User: "), "{row}");
}

#[test]
fn resources_of_one_name_are_told_apart() {
    let mut report = fixture::report();
    let mut twin = report.findings.last().unwrap().clone();
    twin.resource.region = "eu-west-1".into();
    twin.resource.key = "arn:aws:s3:eu-west-1::acme-exports".into();
    report.findings.push(twin.clone());
    let text = summary(&report, &Style::default());
    assert!(text.contains("acme-exports (prod, eu-west-1), acme-exports (prod, us-east-1)"), "{text}");
    twin.resource.key = "arn:aws:s3:eu-west-1:2:acme-exports".into();
    report.findings.push(twin);
    let text = summary(&report, &Style { colour: false, width: Some(200) });
    assert!(text.contains("arn:aws:s3:eu-west-1:2:acme-exports"), "{text}");
    assert!(
        findings(&report, &Style { colour: false, width: Some(80) }).contains("arn:aws:s3:eu-west-1:2:acme-exports")
    );
}

#[test]
fn a_mute_is_told_with_its_whole_scope_and_what_is_odd_about_it() {
    let mut report = fixture::report();
    let scope =
        "rule aws.s3.bucket-public-read, resource arn:aws:s3:::acme-w*, account 111122223333, tag team=payments";
    assert_eq!(report.mutes[0].scope(), scope);
    report.mutes[0].problem = "it matches no finding".into();
    let text = summary(&report, &Style { colour: false, width: None });
    assert!(text.contains(&format!("website ({scope}): it matches no finding")), "{text}");
    let page = fixture::rendered(crate::Format::Html, &report);
    assert!(page.contains("resource arn:aws:s3:::acme-w*") && page.contains("it matches no finding"));
}

#[test]
fn almost_all_is_not_all() {
    let mut report = fixture::report();
    report.compliance[0].score = Some(99.6);
    assert!(compliance(&report, &Style::default()).contains("99 %"));
    assert!(summary(&report, &Style::default()).contains("99 %"));
    assert!(fixture::rendered(crate::Format::Html, &report).contains("99%"));
}

#[test]
fn an_account_that_could_not_be_entered_needs_a_role() {
    let mut report = fixture::report();
    for entry in &mut report.coverage {
        if entry.call.as_ref() == "s3:GetBucketPolicy" {
            entry.call = "sts:AssumeRole".into();
        }
    }
    let text = coverage(&report, &Style { colour: false, width: None });
    assert!(text.contains("create the role `NephoscopeReadOnly`"), "{text}");
}
