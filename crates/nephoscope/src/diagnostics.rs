//! Errors as people read them: one line, a snippet of the source where there is one, what to do next.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use nepho_aws::ConnectError;
use nepho_catalog::{Catalog, CatalogError, Place};
use nepho_collect::CompileError;
use nepho_report::one_line;
use nepho_rules::{MutesError, RuleError};

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

/// Several of them, each shown.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct SourceErrors(pub Vec<SourceError>);

impl SourceErrors {
    /// Errors of rules, each with its place in the rule's file.
    pub fn of_rules(catalog: &Catalog, errors: Vec<RuleError>) -> Self {
        Self(errors.into_iter().map(|error| of_rule(catalog, error)).collect())
    }

    /// Errors of kinds, each with its line in the kind's file.
    pub fn of_kinds(catalog: &Catalog, errors: &[CompileError]) -> Self {
        let of_kind = |error: &CompileError| {
            let (path, text) = catalog.source("kind", &error.kind).unwrap_or_default();
            SourceError {
                message: format!("kind `{}`, {}: {}", error.kind, error.place, error.message),
                origin: path.to_owned(),
                text: text.to_owned(),
                span: line_of_kind(text, &error.place),
                help: None,
            }
        };
        Self(errors.iter().map(of_kind).collect())
    }
}

fn of_rule(catalog: &Catalog, error: RuleError) -> SourceError {
    let message = format!("rule `{}`: {}: {}", error.rule, error.field, error.message);
    // What was compiled of a property of evidence is a condition about it.
    let written = error.text.strip_suffix(" IS NULL").filter(|_| error.field == "evidence").unwrap_or(&error.text);
    let file = catalog.source("rule", &error.rule).map(|(_, text)| text);
    match file.and_then(|file| Some((file, place_in_rule(file, error.field, written, &error.span)?))) {
        Some((file, span)) => {
            SourceError { message, origin: error.path, text: file.to_owned(), span, help: error.help }
        }
        None => SourceError { message, origin: error.path, text: error.text, span: error.span, help: error.help },
    }
}

/// Where a field of the file's first level begins, after its colon.
fn field(file: &str, name: &str) -> Option<usize> {
    let label = format!("{name}:");
    let mut starts = file.match_indices(&label).map(|(at, _)| at);
    starts
        .find(|at| *at == 0 || file.get(..*at).is_some_and(|before| before.ends_with('\n')))
        .map(|at| at + label.len())
}

/// The place in a rule's file of a place in one of its conditions. YAML may have folded lines, taken off indentation and
/// unescaped quotes, so the two texts are followed side by side.
fn place_in_rule(file: &str, name: &str, condition: &str, span: &Range<usize>) -> Option<Range<usize>> {
    let from = field(file, name)?;
    let rest = file.get(from..)?;
    let first = condition.chars().find(|c| !c.is_whitespace())?;
    let places = rest.match_indices(first).find_map(|(at, _)| {
        let quote = rest.get(..at)?.chars().next_back().unwrap_or(' ');
        side_by_side(rest.get(at..)?, condition, from + at, quote)
    })?;
    let at = |offset: usize| places.iter().rfind(|(written, _)| *written <= offset).map(|(_, place)| *place);
    let start = at(span.start)?;
    let end = match span.end > span.start {
        true => at(span.end - 1)? + file.get(at(span.end - 1)?..)?.chars().next().map_or(0, char::len_utf8),
        false => start,
    };
    Some(start..end.max(start))
}

/// For each character of the condition its offset and its place in the file; `None` where the file says something else.
fn side_by_side(file: &str, condition: &str, base: usize, quote: char) -> Option<Vec<(usize, usize)>> {
    let mut places = Vec::new();
    let mut here = file.char_indices().peekable();
    for (offset, wanted) in condition.trim_end().char_indices().filter(|(_, c)| !c.is_whitespace()) {
        while here.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let (mut at, mut found) = here.next()?;
        // `''` in single quotes, `\"` in double quotes: the first of the two says nothing.
        let escapes = match quote {
            '\'' => found == '\'' && wanted == '\'',
            '"' => found == '\\',
            _ => false,
        };
        if escapes {
            (at, found) = here.next()?;
        }
        if found != wanted {
            return None;
        }
        places.push((offset, base + at));
    }
    Some(places)
}

/// The line of a kind's file that its compiler names: ``property `encrypted` ``, ``get `policy`.params``, `list.items`.
fn line_of_kind(file: &str, place: &str) -> Range<usize> {
    let mut from = 0;
    let mut found = 0..0;
    for name in place.split(['.', ' ', '`']).filter(|name| !name.is_empty()) {
        let section = match name {
            "property" => "properties",
            "relation" => "relations",
            other => other,
        };
        let label = format!("{section}:");
        let Some(rest) = file.get(from..) else { break };
        let whole = |at: &usize| {
            rest.get(..*at)
                .is_none_or(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-'))
        };
        let Some(at) = rest.match_indices(&label).map(|(at, _)| at).find(whole) else { continue };
        found = from + at..from + at + label.len() - 1;
        from = found.end;
    }
    found
}

/// Prints an error to stderr, with the chain of its causes.
pub fn print(error: &anyhow::Error) {
    if let Some(SourceErrors(all)) = error.downcast_ref() {
        all.iter().for_each(|one| eprintln!("{}", render(one)));
        if all.len() > 1 {
            eprintln!("{} errors", all.len());
        }
    } else if let Some(source) = error.downcast_ref::<SourceError>() {
        eprintln!("{}", render(source));
    } else if let Some(source) = in_a_file(error) {
        eprintln!("{}", render(&source));
    } else {
        eprintln!("error: {}", one_line(&chain(error)));
        if let Some(help) = next_step(error) {
            eprintln!("help: {help}");
        }
    }
}

/// Errors of other crates that point into a file.
fn in_a_file(error: &anyhow::Error) -> Option<SourceError> {
    let (message, place, help): (String, Place, Option<String>) = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(error), _) => {
            let (message, place, help) = CatalogError::at(error)?;
            (message, place.clone(), help)
        }
        (_, Some(MutesError::Format { source })) => {
            (format!("not a valid mutes file: {}", source.message), (*source.place).clone(), None)
        }
        _ => return None,
    };
    Some(SourceError { message, origin: place.path, text: place.text.to_string(), span: place.span, help })
}

/// What to do about an error that does not say so itself.
fn next_step(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| cause.downcast_ref::<ConnectError>())?.help()
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
    render_as(Level::ERROR, None, error)
}

/// What is found in a text with its snippet: how bad, and the id of the check that found it.
pub fn render_as(level: Level<'_>, id: Option<&str>, error: &SourceError) -> String {
    let floor = |mut at: usize| {
        at = at.min(error.text.len());
        while !error.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(error.span.start);
    let end = floor(error.span.end.max(start));
    let mut title = level.primary_title(&error.message);
    if let Some(id) = id {
        title = title.id(id);
    }
    let mut report: Vec<Group<'_>> = Vec::new();
    // What went wrong while a query ran has often no place in it.
    if error.span == (0..0) && !error.text.is_empty() {
        report.push(Group::with_title(title));
    } else {
        let snippet = Snippet::source(&error.text).path(&error.origin);
        report.push(title.element(snippet.annotation(AnnotationKind::Primary.span(start..end))));
    }
    if let Some(help) = &error.help {
        report.push(Group::with_title(Level::HELP.secondary_title(help)));
    }
    Renderer::plain().render(&report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_condition_is_a_place_in_its_file() {
        for (file, condition) in [
            ("fail_when: r.a = 'x' AND r.bad\nwhy: x\n", "r.a = 'x' AND r.bad"),
            ("id: r\nfail_when: >-\n  r.a = 'x'\n  AND r.bad\n", "r.a = 'x' AND r.bad"),
            ("fail_when: |\n    r.a = 'x'\n    AND r.bad\n", "r.a = 'x'\nAND r.bad\n"),
            ("fail_when: 'r.a = ''x'' AND r.bad'\n", "r.a = 'x' AND r.bad"),
            ("fail_when: \"r.a = \\\"x\\\" AND r.bad\"\n", "r.a = \"x\" AND r.bad"),
            ("fail_when: \"r.a =~ 'x\\\\d' AND r.bad\"\n", "r.a =~ 'x\\d' AND r.bad"),
            ("fail_when: r.é = '' AND r.bad\n", "r.é = '' AND r.bad"),
        ] {
            let at = condition.find("r.bad").unwrap();
            let span = place_in_rule(file, "fail_when", condition, &(at..at + 5)).expect(file);
            assert_eq!(file.get(span), Some("r.bad"), "{file}");
        }
        assert_eq!(place_in_rule("fail_when: r.a\n", "fail_when", "r.b", &(0..3)), None);
    }

    #[test]
    fn the_line_of_a_kind_is_found_by_the_compilers_words() {
        let file = "kind: a.b\nlist: {service: x, action: L, items: 'A['}\nget:\n  one: {action: O, params: {}}\nproperties:\n  is_one: {type: int}\n  one: {type: int, api: '['}\n";
        let line = |place| file.get(..line_of_kind(file, place).start).unwrap().matches('\n').count() + 1;
        assert_eq!((line("list.items"), line("get `one`.params"), line("property `one`")), (2, 4, 7));
        assert_eq!(line("elsewhere"), 1);
    }

    /// Compiles a query and shows what is wrong, as `nephoscope query` does.
    fn shown(text: &str) -> String {
        let error = nepho_graph::Query::compile(&nepho_graph::Schema::open(), text).unwrap_err();
        let (message, help, text) = (error.message, error.help, text.to_owned());
        render(&SourceError { message, origin: "query".to_owned(), text, span: error.span, help })
    }

    #[test]
    fn the_caret_stands_below_the_word() {
        for (text, expected) in [
            ("MATCH (n)\n  WHERE m.x = 1\nRETURN n", " --> query:2:9\n  |\n2 |   WHERE m.x = 1\n  |         ^"),
            ("MATCH (n)\r\n  WHERE m.x = 1\r\nRETURN n", " --> query:2:9\n  |\n2 |   WHERE m.x = 1\n  |         ^"),
            // A tab is shown as four spaces; signs of Chinese are two wide, an accent has no width of its own.
            (
                "MATCH (n)\n\tWHERE\tm.x = 1\nRETURN n",
                " --> query:2:8\n  |\n2 |     WHERE    m.x = 1\n  |              ^",
            ),
            (
                "MATCH (n {name: '北京'}) RETURN m",
                " --> query:1:31\n  |\n1 | MATCH (n {name: '北京'}) RETURN m\n  |                                 ^",
            ),
            (
                "MATCH (n {name: 'e\u{301}'}) RETURN m",
                " --> query:1:31\n  |\n1 | MATCH (n {name: 'e\u{301}'}) RETURN m\n  |                              ^",
            ),
            // What was put into the text for the parser does not show.
            (
                "MATCH (n) WHERE EXISTS { (n)-->(:A) } RETURN m",
                " --> query:1:46\n  |\n1 | MATCH (n) WHERE EXISTS { (n)-->(:A) } RETURN m\n  |                                              ^",
            ),
            ("RETURN 1 +", " --> query:1:11\n  |\n1 | RETURN 1 +\n  |           ^"),
            ("RETURN '北", " --> query:1:8\n  |\n1 | RETURN '北\n  |        ^^^"),
            ("", " --> query:1:1\n  |\n1 |\n  | ^"),
        ] {
            let found = shown(text);
            let (_, snippet) = found.split_once('\n').unwrap();
            assert_eq!(snippet, expected, "{found}");
        }
        let lines = "MATCH (n) WHERE n.x = 1\n  AND size(1 +\n 2) = 2 RETURN n";
        let found = shown(lines);
        assert!(found.contains("\n2 |     AND size(1 +\n") && found.contains("\n3 | |  2) = 2 RETURN n\n"), "{found}");
    }

    #[test]
    fn an_error_without_a_place_shows_none() {
        let error = SourceError {
            message: "the query took longer than its time limit".to_owned(),
            origin: "query".to_owned(),
            text: "MATCH (n) RETURN n".to_owned(),
            span: 0..0,
            help: Some("narrow it".to_owned()),
        };
        assert_eq!(render(&error), "error: the query took longer than its time limit\n |\nhelp: narrow it");
    }
}
