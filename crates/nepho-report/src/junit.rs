//! JUnit XML: a suite a rule, a test a resource, for the test page of a pipeline.
//!
//! Failed is a failure; unknown and muted are skipped, with the reason: a reader must not take them for passed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use nepho_model::Verdict;

use crate::digest;
use crate::format::{Format, ReportError};
use crate::report::{FindingView, Report};
use crate::text::{clean, one_line, plain};

#[derive(Default)]
struct Suite {
    tests: u64,
    failures: u64,
    skipped: u64,
    cases: String,
}

pub(crate) fn write(report: &Report, output: &mut dyn Write) -> Result<(), ReportError> {
    output.write_all(document(report).as_bytes()).map_err(ReportError::write(Format::Junit))
}

fn document(report: &Report) -> String {
    let mut suites: Vec<(String, Suite)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in digest::sorted(report) {
        let place = *places.entry(&finding.rule.id).or_insert_with(|| {
            suites.push((finding.rule.id.clone(), Suite::default()));
            suites.len() - 1
        });
        if let Some((_, suite)) = suites.get_mut(place) {
            suite.add(finding);
        }
    }
    let gaps = digest::gaps(report);
    if !gaps.is_empty() {
        let mut suite = Suite::default();
        for gap in gaps {
            let words = format!("{} {} {}; {}", gap.state_words(), gap.code, one_line(gap.message), gap.advice());
            suite.tests += 1;
            suite.skipped += 1;
            suite.case("coverage", &format!("{} in {}", gap.call, gap.place()), &skipped(&words));
        }
        suites.push(("coverage".to_owned(), suite));
    }
    let mutes = digest::mute_warnings(report);
    if !mutes.is_empty() {
        let mut suite = Suite::default();
        for (name, words) in mutes {
            suite.tests += 1;
            suite.skipped += 1;
            suite.case("mutes", &name, &skipped(&words));
        }
        suites.push(("mutes".to_owned(), suite));
    }

    let sum = |of: fn(&Suite) -> u64| suites.iter().map(|(_, suite)| of(suite)).sum::<u64>();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a `String` does not fail.
    let _ = writeln!(
        text,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
        escape(&report.generated_by.name),
        sum(|suite| suite.tests),
        sum(|suite| suite.failures),
        sum(|suite| suite.skipped)
    );
    for (name, suite) in &suites {
        let _ = write!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" timestamp=\"{}\">\n{}  </testsuite>\n",
            escape(name),
            suite.tests,
            suite.failures,
            suite.skipped,
            report.clock,
            suite.cases
        );
    }
    text.push_str("</testsuites>\n");
    text
}

impl Suite {
    fn add(&mut self, finding: &FindingView) {
        let rule = &finding.rule;
        self.tests += 1;
        let outcome = match (&finding.muted, finding.verdict) {
            (_, Verdict::Pass) => String::new(),
            (Some(muted), _) => {
                self.skipped += 1;
                skipped(&format!("muted until {}: {}", muted.expires, one_line(&muted.reason)))
            }
            (None, Verdict::Unknown) => {
                self.skipped += 1;
                let reasons: Vec<_> = finding
                    .reasons
                    .iter()
                    .map(|reason| match digest::reason(reason) {
                        (what, words) if words.is_empty() => what,
                        (what, words) => format!("{what} ({words})"),
                    })
                    .collect();
                skipped(&format!("unknown, not passed: {}", reasons.join("; ")))
            }
            (None, Verdict::Fail) => {
                self.failures += 1;
                format!(
                    "      <failure message=\"{}\" type=\"{}\">{}</failure>\n",
                    escape(&one_line(&rule.title)),
                    rule.severity,
                    escape(&details(finding))
                )
            }
        };
        let resource = &finding.resource;
        let name = match &resource.name {
            Some(name) if !resource.key.contains(name.as_str()) => format!("{name} ({})", resource.key),
            _ => resource.key.clone(),
        };
        self.case(&rule.id, &name, &outcome);
    }

    fn case(&mut self, class: &str, name: &str, outcome: &str) {
        let (class, name) = (escape(class), escape(&one_line(name)));
        let _ = match outcome.is_empty() {
            true => writeln!(self.cases, "    <testcase classname=\"{class}\" name=\"{name}\"/>"),
            false => {
                writeln!(self.cases, "    <testcase classname=\"{class}\" name=\"{name}\">\n{outcome}    </testcase>")
            }
        };
    }
}

fn skipped(words: &str) -> String {
    format!("      <skipped message=\"{}\"/>\n", escape(words))
}

fn details(finding: &FindingView) -> String {
    let resource = &finding.resource;
    let mut text = format!(
        "{}\n{} in account {}, {}\n",
        one_line(&resource.key),
        one_line(&resource.kind),
        one_line(&resource.account),
        one_line(&resource.region)
    );
    for (name, value) in &finding.evidence {
        let _ = writeln!(text, "{} = {}", one_line(name), plain(value));
    }
    let _ = write!(text, "\nWhy: {}\n\nFix: {}\n", finding.rule.why.trim(), finding.rule.fix.text.trim());
    if let Some(cli) = &finding.rule.fix.cli {
        let _ = write!(text, "\n{}\n", cli.trim());
    }
    text
}

/// For attributes and text alike. What XML 1.0 can't hold at all, escaped or not, is gone by [`clean`].
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in clean(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use crate::{Format, fixture};

    #[test]
    fn failures_fail_and_unknown_and_muted_are_skipped_with_their_reasons() {
        let text = fixture::rendered(Format::Junit, &fixture::report());
        assert!(text.contains(r#"tests="11" failures="4" errors="0" skipped="6""#), "{text}");
        assert!(text.contains(r#"<failure message="S3 bucket can be read by anyone" type="critical">"#));
        assert!(
            text.contains(r#"<skipped message="unknown, not passed: policy (s3:GetBucketPolicy denied AccessDenied"#)
        );
        assert!(text.contains(r#"<skipped message="muted until 2026-12-31: "#));
        assert!(text.contains(r#"<testsuite name="coverage" "#));
        assert!(text.contains(r#"<testcase classname="mutes" name="old-lab (rule aws.ec2.volume-unencrypted)">"#));
    }

    #[test]
    fn a_hostile_name_stays_inside_its_attribute() {
        let text = fixture::rendered(Format::Junit, &fixture::hostile());
        assert!(!text.contains("<script") && !text.contains("<!--") && !text.contains("]]>"));
        assert!(text.contains("&lt;/script&gt;"));
        // Every tag is one of ours.
        for tag in text.split('<').skip(1) {
            let tag = tag.trim_start_matches('/');
            assert!(
                ["?xml", "testsuite", "testcase", "failure", "skipped"].iter().any(|t| tag.starts_with(t)),
                "{tag}"
            );
        }
    }
}
