//! Which formats there are, how they are named, and the one way to write any of them.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use crate::report::Report;
use crate::{csv, html, json, junit, ocsf, sarif, table};

/// A format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Text for a terminal.
    Table,
    /// Our own JSON, `docs/report.schema.json`.
    Json,
    /// One row a finding.
    Csv,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// OCSF Compliance Findings, for a SIEM or a security data lake.
    Ocsf,
    /// JUnit XML, for a pipeline's test page.
    Junit,
    /// One self-contained page.
    Html,
}

/// The text names no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no format; use table, json, csv, sarif, ocsf, junit or html")]
pub struct UnknownFormatError(pub String);

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The output refused the bytes.
    #[error("could not write the {format} report")]
    Write {
        /// The format.
        format: Format,
        /// What the system said.
        source: io::Error,
    },
    /// A value has no form in this format.
    #[error("could not put the report into {format}")]
    Encode {
        /// The format.
        format: Format,
        /// What the encoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ReportError {
    pub(crate) fn write(format: Format) -> impl Fn(io::Error) -> Self {
        move |source| Self::Write { format, source }
    }

    pub(crate) fn json(format: Format) -> impl Fn(serde_json::Error) -> Self {
        move |source| match source.is_io() {
            true => Self::Write { format, source: source.into() },
            false => Self::Encode { format, source: source.into() },
        }
    }
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 7] = [Self::Table, Self::Json, Self::Csv, Self::Sarif, Self::Ocsf, Self::Junit, Self::Html];

    /// The name for `--format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Sarif => "sarif",
            Self::Ocsf => "ocsf",
            Self::Junit => "junit",
            Self::Html => "html",
        }
    }

    /// The format that a file's ending asks for, whatever its case; `None` where it asks for none.
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        [
            (".ocsf.json", Self::Ocsf),
            (".sarif.json", Self::Sarif),
            (".junit.xml", Self::Junit),
            (".json", Self::Json),
            (".csv", Self::Csv),
            (".sarif", Self::Sarif),
            (".html", Self::Html),
            (".htm", Self::Html),
            (".txt", Self::Table),
        ]
        .into_iter()
        .find_map(|(ending, format)| name.ends_with(ending).then_some(format))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownFormatError(crate::text::cut(&crate::text::one_line(text), 60).into_owned()))
    }
}

/// Writes `report` in `format`. The same report gives the same bytes.
///
/// [`Format::Table`] is written without colour for a width of 100; [`table::summary`] takes a style.
pub fn render(format: Format, report: &Report, output: &mut dyn Write) -> Result<(), ReportError> {
    match format {
        Format::Table => output
            .write_all(table::summary(report, &table::Style::default()).as_bytes())
            .map_err(ReportError::write(format)),
        Format::Json => json::write(report, output),
        Format::Csv => csv::write(report, output),
        Format::Sarif => sarif::write(report, output),
        Format::Ocsf => ocsf::write(report, output),
        Format::Junit => junit::write(report, output),
        Format::Html => html::write(report, output),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::{Format, ReportError, render};
    use crate::fixture;

    #[test]
    fn the_ending_names_the_format() {
        for (path, format) in [
            ("out/report.json", Some(Format::Json)),
            ("report.ocsf.json", Some(Format::Ocsf)),
            ("report.CSV", Some(Format::Csv)),
            ("a.b.sarif", Some(Format::Sarif)),
            ("report.junit.xml", Some(Format::Junit)),
            ("report.html", Some(Format::Html)),
            ("report.xml", None),
            ("json", None),
            ("", None),
        ] {
            assert_eq!(Format::from_path(Path::new(path)), format, "{path}");
        }
    }

    #[test]
    fn names_read_back_and_a_wrong_one_says_which_there_are() {
        for format in Format::ALL {
            assert_eq!(format.as_str().to_uppercase().parse(), Ok(format));
        }
        let error = "pdf".parse::<Format>().unwrap_err().to_string();
        assert!(error.contains("`pdf`") && error.contains("sarif"), "{error}");
    }

    #[test]
    fn the_order_of_the_input_does_not_matter_and_the_bytes_repeat() {
        let report = fixture::report();
        let mut reversed = report.clone();
        reversed.findings.reverse();
        reversed.coverage.reverse();
        reversed.accounts.reverse();
        reversed.mutes.reverse();
        for format in Format::ALL {
            let first = fixture::rendered(format, &report);
            assert_eq!(first, fixture::rendered(format, &report), "{format}");
            assert_eq!(first, fixture::rendered(format, &reversed), "{format}");
        }
    }

    #[test]
    fn an_empty_report_is_valid_in_every_format() {
        for format in Format::ALL {
            assert!(!fixture::rendered(format, &crate::Report::default()).is_empty(), "{format}");
        }
    }

    #[test]
    fn no_format_passes_on_what_a_terminal_acts_on() {
        let report = fixture::hostile();
        for format in Format::ALL {
            let text = fixture::rendered(format, &report);
            let active = text.chars().find(|c| crate::text::is_active(*c) && !matches!(c, '\n' | '\r' | '\t'));
            assert_eq!(active, None, "{format}");
        }
    }

    struct FullDisk;

    impl io::Write for FullDisk {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_is_an_error_of_writing() {
        for format in Format::ALL {
            let error = render(format, &fixture::report(), &mut FullDisk).unwrap_err();
            assert!(matches!(error, ReportError::Write { .. }), "{format}: {error:?}");
        }
    }
}
