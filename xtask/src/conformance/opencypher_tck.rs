//! The openCypher conformance kit against `nepho-graph`.
//!
//! A case is not applicable when it calls a procedure, is marked `@ignore`, or when the query under test writes: that
//! query must then have been refused as one that writes. Where a query that reads follows one that creates (the kit's
//! "control query"), the first belongs to the fixture.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use nepho_graph::{ErrorCode, Graph, Limits, Parameters, Query, ResultValue, Rows, Schema};

use super::SuiteResult;

enum Verdict {
    Passed,
    Failed(String),
    NotApplicable,
}

/// Runs every case of the file; with `verbose`, says why a case failed. A case's id is its file and name, and a number
/// where several have the same name (the rows of an outline).
pub fn run(file: &Path, verbose: bool) -> anyhow::Result<SuiteResult> {
    // Deep queries are part of the kit.
    let file = file.to_owned();
    let worker = std::thread::Builder::new().stack_size(8 << 20).spawn(move || run_all(&file, verbose))?;
    worker.join().map_err(|_| anyhow::anyhow!("a case of the kit made the engine panic"))?
}

fn run_all(file: &Path, verbose: bool) -> anyhow::Result<SuiteResult> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading `{}`", file.display()))?;
    let mut result = SuiteResult::default();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let case: serde_json::Value = serde_json::from_str(line)?;
        let word = |name: &str| case[name].as_str().unwrap_or_default();
        let mut id = format!("{}: {}", word("file"), word("name"));
        let number = seen.entry(id.clone()).or_default();
        *number += 1;
        if *number > 1 {
            id.push_str(&format!(" #{number}"));
        }
        match judge(&case) {
            Verdict::Passed => result.passed += 1,
            Verdict::NotApplicable => result.not_applicable += 1,
            Verdict::Failed(why) => {
                if verbose {
                    println!("{id}: {why}");
                }
                result.failed.push(id);
            }
        }
    }
    Ok(result)
}

fn judge(case: &serde_json::Value) -> Verdict {
    let none = Vec::new();
    let steps = case["steps"].as_array().unwrap_or(&none);
    let ignored = case["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == "@ignore"));
    let calls = case["file"].as_str().is_some_and(|file| file.starts_with("clauses/call/"));
    if ignored || calls || steps.iter().any(|step| text(step).starts_with("there exists a procedure")) {
        return Verdict::NotApplicable;
    }
    let mut fixture: Vec<String> = Vec::new();
    let mut parameters = Parameters::new();
    let mut outcome: Option<Result<(Graph, Rows), (bool, nepho_graph::QueryError)>> = None;
    let mut created = false;
    for (at, step) in steps.iter().enumerate() {
        let (what, doc) = (text(step), step["doc"].as_str().unwrap_or_default());
        match what {
            "an empty graph" | "any graph" | "no side effects" | "the side effects should be:" => {}
            "the binary-tree-1 graph" => fixture.push(include_str!("binary-tree-1.cypher").to_owned()),
            "the binary-tree-2 graph" => fixture.push(include_str!("binary-tree-2.cypher").to_owned()),
            "having executed:" => fixture.push(doc.to_owned()),
            "parameters are:" => {
                for row in table(step) {
                    if let [name, value] = row.as_slice() {
                        parameters.insert(name.clone(), to_value(&Cell::parse(value)));
                    }
                }
            }
            "executing query:" | "executing control query:" => {
                let creates =
                    writes(doc) && steps[at + 1..].iter().any(|step| text(step) == "executing control query:");
                if creates && nepho_graph::fixture::graph_from_cypher(&[doc]).is_ok() {
                    fixture.push(doc.to_owned());
                    created = true;
                    continue;
                }
                created = false;
                let statements: Vec<&str> = fixture.iter().map(String::as_str).collect();
                let graph = match nepho_graph::fixture::graph_from_cypher(&statements) {
                    Ok(graph) => graph,
                    Err(error) => return Verdict::Failed(format!("the fixture: {error}")),
                };
                let limits = Limits { time: Some(Duration::from_secs(20)), ..Limits::default() };
                let compiled = Query::compile(&Schema::open(), doc);
                match (&compiled, writes(doc)) {
                    (Err(error), true) if matches!(error.code, ErrorCode::Write | ErrorCode::TooComplex) => {
                        return Verdict::NotApplicable;
                    }
                    (Err(error), false) if error.code == ErrorCode::Write => {
                        return Verdict::Failed(format!("refused as one that writes: {error}"));
                    }
                    (Ok(_), true) => return Verdict::Failed("a query that writes was not refused".to_owned()),
                    _ => {}
                }
                outcome = Some(match compiled {
                    Err(error) => Err((true, error)),
                    Ok(query) => match query.run(&graph, &parameters, &limits) {
                        Ok(rows) => Ok((graph, rows)),
                        Err(error) => Err((error.code == ErrorCode::MissingParameter, error)),
                    },
                });
            }
            // What a query of the fixture returns is not asked.
            _ if created => {}
            _ if what.starts_with("the result should be") => {
                let Some(outcome) = &outcome else { return Verdict::Failed("no query".to_owned()) };
                match outcome {
                    Err((_, error)) => return Verdict::Failed(format!("[{}] {error}", error.code)),
                    Ok((graph, rows)) => {
                        if let Err(why) = compare(what, step, graph, rows) {
                            return Verdict::Failed(why);
                        }
                    }
                }
            }
            _ if what.contains("should be raised") => {
                let Some(outcome) = &outcome else { return Verdict::Failed("no query".to_owned()) };
                if let Err(why) = compare_error(what, outcome.as_ref().err()) {
                    return Verdict::Failed(why);
                }
            }
            other => return Verdict::Failed(format!("a step that is not understood: {other}")),
        }
    }
    Verdict::Passed
}

fn text(step: &serde_json::Value) -> &str {
    step["text"].as_str().unwrap_or_default()
}

fn table(step: &serde_json::Value) -> Vec<Vec<String>> {
    let none = Vec::new();
    let cells = |row: &serde_json::Value| {
        row.as_array().unwrap_or(&none).iter().map(|cell| cell.as_str().unwrap_or_default().to_owned()).collect()
    };
    step["table"].as_array().unwrap_or(&none).iter().map(cells).collect()
}

/// Whether a query writes: looked for outside of quotes.
fn writes(query: &str) -> bool {
    let mut bare = String::new();
    let mut quote = None;
    let mut signs = query.chars();
    while let Some(sign) = signs.next() {
        match quote {
            Some(_) if sign == '\\' => {
                signs.next();
            }
            Some(open) if sign == open => quote = None,
            Some(_) => {}
            None if matches!(sign, '\'' | '"' | '`') => quote = Some(sign),
            None => bare.push(sign),
        }
    }
    let words = bare.split(|sign: char| !sign.is_alphanumeric() && sign != '_').map(str::to_uppercase);
    let words: Vec<String> = words.collect();
    const WRITES: [&str; 6] = ["CREATE", "MERGE", "SET", "DELETE", "REMOVE", "FOREACH"];
    words.iter().any(|word| WRITES.contains(&word.as_str()))
}

fn compare_error(what: &str, got: Option<&(bool, nepho_graph::QueryError)>) -> Result<(), String> {
    let Some((compile, error)) = got else { return Err(format!("no error, but {what}")) };
    let detail = what.rsplit(": ").next().unwrap_or_default();
    let phase = if what.contains("at compile time") {
        *compile
    } else if what.contains("at runtime") {
        !*compile
    } else {
        true
    };
    if !phase {
        return Err(format!("raised in the other phase: [{}] {error}, but {what}", error.code));
    }
    if detail != "*" && detail != error.code.to_string() {
        return Err(format!("[{}] {error}, but {what}", error.code));
    }
    Ok(())
}

fn compare(what: &str, step: &serde_json::Value, graph: &Graph, rows: &Rows) -> Result<(), String> {
    let mut expected = table(step);
    if what == "the result should be empty" {
        return if rows.rows.is_empty() { Ok(()) } else { Err(format!("{} rows, not none", rows.rows.len())) };
    }
    if expected.is_empty() {
        return Err("no table".to_owned());
    }
    let header = expected.remove(0);
    if !header.iter().map(String::as_str).eq(rows.columns.iter().map(|name| &**name)) {
        return Err(format!("columns {:?}, not {header:?}", rows.columns));
    }
    let sort_lists = what.contains("ignoring element order");
    let shown = |mut cell: Cell| {
        if sort_lists {
            cell.sort_lists();
        }
        format!("{cell:?}")
    };
    let mut wanted: Vec<Vec<String>> =
        expected.iter().map(|row| row.iter().map(|cell| shown(Cell::parse(cell))).collect()).collect();
    let mut got: Vec<Vec<String>> =
        rows.rows.iter().map(|row| row.iter().map(|value| shown(Cell::of(value, graph))).collect()).collect();
    if !what.contains("in order") {
        wanted.sort();
        got.sort();
    }
    if wanted == got { Ok(()) } else { Err(format!("got {got:?}, not {wanted:?}")) }
}

/// A value as the kit writes it.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Cell>),
    Map(BTreeMap<String, Cell>),
    Node(Vec<String>, BTreeMap<String, Cell>),
    Relation(String, BTreeMap<String, Cell>),
    /// Nodes and relations in turn; a relation with whether it is walked along its direction.
    Path(Vec<Cell>, Vec<(Cell, bool)>),
    Wrong(String),
}

impl Cell {
    fn of(value: &ResultValue, graph: &Graph) -> Self {
        let fields = |properties: &mut dyn Iterator<Item = (&str, ResultValue)>| {
            properties
                .filter(|(_, value)| !matches!(value, ResultValue::Null))
                .map(|(name, value)| (name.to_owned(), Self::of(&value, graph)))
                .collect()
        };
        match value {
            ResultValue::Null => Self::Null,
            ResultValue::Unknown => Self::Wrong("unknown".to_owned()),
            ResultValue::Bool(flag) => Self::Bool(*flag),
            ResultValue::Int(whole) => Self::Int(*whole),
            ResultValue::Float(number) => Self::Float(*number),
            ResultValue::String(text) => Self::Text(text.to_string()),
            ResultValue::Time(time) => Self::Text(time.to_string()),
            ResultValue::Temporal(of) => Self::Text(of.to_string()),
            ResultValue::List(items) => Self::List(items.iter().map(|item| Self::of(item, graph)).collect()),
            ResultValue::Map(of) => {
                Self::Map(of.iter().map(|(name, value)| (name.to_string(), Self::of(value, graph))).collect())
            }
            ResultValue::Node(id) => match graph.node(*id) {
                Some(node) => {
                    let mut labels: Vec<String> = node.labels().map(str::to_owned).collect();
                    labels.sort();
                    Self::Node(labels, fields(&mut node.properties()))
                }
                None => Self::Wrong("a node that is not there".to_owned()),
            },
            ResultValue::Relation(id) => match graph.relation(*id) {
                Some(of) => Self::Relation(of.relation_type().to_string(), fields(&mut of.properties())),
                None => Self::Wrong("a relation that is not there".to_owned()),
            },
            ResultValue::Path(path) => {
                let nodes = path.nodes.iter().map(|id| Self::of(&ResultValue::Node(*id), graph)).collect();
                let relations = path.relations.iter().zip(&path.nodes).map(|(id, from)| {
                    let forward = graph.relation(*id).is_some_and(|relation| relation.from() == *from);
                    (Self::of(&ResultValue::Relation(*id), graph), forward)
                });
                Self::Path(nodes, relations.collect())
            }
        }
    }

    fn parse(text: &str) -> Self {
        let signs: Vec<char> = text.chars().collect();
        let mut reader = Reader { signs: &signs, at: 0 };
        match reader.value() {
            Some(cell) if reader.at == signs.len() => cell,
            _ => Self::Wrong(text.to_owned()),
        }
    }

    fn sort_lists(&mut self) {
        match self {
            Self::List(items) => {
                items.iter_mut().for_each(Self::sort_lists);
                items.sort_by_key(|item| format!("{item:?}"));
            }
            Self::Map(of) => of.values_mut().for_each(Self::sort_lists),
            _ => {}
        }
    }
}

fn to_value(cell: &Cell) -> ResultValue {
    match cell {
        Cell::Bool(flag) => ResultValue::Bool(*flag),
        Cell::Int(whole) => ResultValue::Int(*whole),
        Cell::Float(number) => ResultValue::Float(*number),
        Cell::Text(text) => ResultValue::from(text.as_str()),
        Cell::List(items) => ResultValue::list(items.iter().map(to_value).collect()),
        Cell::Map(of) => {
            let fields = of.iter().map(|(name, value)| (name.as_str().into(), to_value(value)));
            ResultValue::Map(std::sync::Arc::new(fields.collect()))
        }
        _ => ResultValue::Null,
    }
}

struct Reader<'a> {
    signs: &'a [char],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.signs.get(self.at).copied()
    }

    fn skip(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn eat(&mut self, sign: char) -> bool {
        self.skip();
        let found = self.peek() == Some(sign);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> String {
        self.skip();
        let quoted = self.eat('`');
        let mut word = String::new();
        while let Some(sign) =
            self.peek().filter(|sign| sign.is_alphanumeric() || *sign == '_' || quoted && *sign != '`')
        {
            word.push(sign);
            self.at += 1;
        }
        if quoted {
            self.eat('`');
        }
        word
    }

    fn value(&mut self) -> Option<Cell> {
        self.skip();
        match self.peek()? {
            '\'' => {
                self.at += 1;
                let mut text = String::new();
                loop {
                    let sign = self.peek()?;
                    self.at += 1;
                    match sign {
                        '\'' => return Some(Cell::Text(text)),
                        '\\' => {
                            text.push(self.peek()?);
                            self.at += 1;
                        }
                        other => text.push(other),
                    }
                }
            }
            '[' => {
                self.at += 1;
                if self.eat(':') {
                    let of = self.word();
                    let properties = self.map()?;
                    return self.eat(']').then_some(Cell::Relation(of, properties));
                }
                let mut items = Vec::new();
                while !self.eat(']') {
                    items.push(self.value()?);
                    self.eat(',');
                }
                Some(Cell::List(items))
            }
            '{' => Some(Cell::Map(self.map()?)),
            '(' => self.node(),
            '<' => {
                self.at += 1;
                let mut nodes = vec![self.node()?];
                let mut relations = Vec::new();
                while !self.eat('>') {
                    let backward = self.eat('<');
                    self.eat('-').then_some(())?;
                    let relation = self.value()?;
                    self.eat('-').then_some(())?;
                    let forward = self.eat('>');
                    if forward == backward {
                        return None;
                    }
                    relations.push((relation, forward));
                    nodes.push(self.node()?);
                }
                Some(Cell::Path(nodes, relations))
            }
            _ => {
                let start = self.at;
                while self.peek().is_some_and(|sign| !",]})".contains(sign)) {
                    self.at += 1;
                }
                let text: String = self.signs[start..self.at].iter().collect();
                let text = text.trim();
                Some(match text {
                    "null" => Cell::Null,
                    "true" => Cell::Bool(true),
                    "false" => Cell::Bool(false),
                    "NaN" => Cell::Float(f64::NAN),
                    "Infinity" | "Inf" => Cell::Float(f64::INFINITY),
                    "-Infinity" | "-Inf" => Cell::Float(f64::NEG_INFINITY),
                    _ => match (text.parse(), text.parse()) {
                        (Ok(whole), _) => Cell::Int(whole),
                        (_, Ok(number)) => Cell::Float(number),
                        _ => return None,
                    },
                })
            }
        }
    }

    fn node(&mut self) -> Option<Cell> {
        self.eat('(').then_some(())?;
        let mut labels = Vec::new();
        while self.eat(':') {
            labels.push(self.word());
        }
        labels.sort();
        let properties = self.map()?;
        self.eat(')').then_some(Cell::Node(labels, properties))
    }

    fn map(&mut self) -> Option<BTreeMap<String, Cell>> {
        let mut fields = BTreeMap::new();
        if !self.eat('{') {
            return Some(fields);
        }
        while !self.eat('}') {
            let name = self.word();
            self.eat(':').then_some(())?;
            fields.insert(name, self.value()?);
            self.eat(',');
        }
        Some(fields)
    }
}
