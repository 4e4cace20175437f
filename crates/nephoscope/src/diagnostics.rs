//! Errors as people read them: one line, a snippet of the source where there is one, what to do next.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// An error that points into a text of the user's.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    /// What is wrong, in one line.
    pub message: String,
    /// The file, or a word for what was typed.
    pub origin: String,
    /// The text.
    pub text: String,
    /// Where in it, in bytes.
    pub span: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

/// Prints an error to stderr, with the chain of its causes.
pub fn print(error: &anyhow::Error) {
    match error.downcast_ref::<SourceError>() {
        Some(source) => eprintln!("{}", render(source)),
        None => eprintln!("error: {}", chain(error)),
    }
}

/// The causes, outermost first, each said once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    text
}

/// The error with its snippet.
pub fn render(error: &SourceError) -> String {
    let floor = |mut at: usize| {
        at = at.min(error.text.len());
        while !error.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(error.span.start);
    let end = floor(error.span.end.max(start));
    let snippet = Snippet::source(&error.text).path(&error.origin).annotation(AnnotationKind::Primary.span(start..end));
    let mut report: Vec<Group<'_>> = vec![Level::ERROR.primary_title(&error.message).element(snippet)];
    if let Some(help) = &error.help {
        report.push(Group::with_title(Level::HELP.secondary_title(help)));
    }
    Renderer::plain().render(&report)
}
