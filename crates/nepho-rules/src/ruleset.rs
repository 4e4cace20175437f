//! Rules compiled once against a schema.

use std::ops::Range;
use std::sync::Arc;

use nepho_catalog::{Catalog, Rule, nearest};
use nepho_graph::{Condition, QueryError, Schema};

/// A rule's condition is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: rule `{rule}`: {field}: {message}")]
pub struct RuleError {
    /// The rule.
    pub rule: String,
    /// `fail_when`, `applies_when` or `evidence`.
    pub field: &'static str,
    /// Its file.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The condition.
    pub text: String,
    /// Where in the condition.
    pub span: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

/// A rule ready to run.
pub(crate) struct CompiledRule {
    pub(crate) rule: Arc<Rule>,
    pub(crate) applies: Option<Condition>,
    pub(crate) fails: Condition,
    /// Properties of `r` shown as evidence.
    pub(crate) evidence: Vec<String>,
}

/// Rules ready to run.
pub struct RuleSet {
    pub(crate) rules: Vec<CompiledRule>,
}

fn compile(
    catalog: &Catalog,
    schema: &Schema,
    rule: &Rule,
    label: &str,
    field: &'static str,
    text: &str,
) -> Result<Condition, Box<RuleError>> {
    Condition::compile(schema, label, "r", text).map_err(|error: QueryError| {
        Box::new(RuleError {
            rule: rule.id.to_string(),
            field,
            path: catalog.source("rule", &rule.id).map_or_else(String::new, |(path, _)| path.to_owned()),
            message: error.message,
            text: text.to_owned(),
            span: error.span,
            help: error.help,
        })
    })
}

impl RuleSet {
    /// Compiles the catalogue's rules. The good ones are returned beside the errors of the others.
    pub fn compile(catalog: &Catalog, schema: &Schema) -> (Self, Vec<RuleError>) {
        let mut rules = Vec::new();
        let mut errors = Vec::new();
        for rule in catalog.rules.values() {
            match Self::compile_one(catalog, schema, rule) {
                Ok(compiled) => rules.push(compiled),
                Err(error) => errors.push(*error),
            }
        }
        (Self { rules }, errors)
    }

    fn compile_one(catalog: &Catalog, schema: &Schema, rule: &Arc<Rule>) -> Result<CompiledRule, Box<RuleError>> {
        let label = catalog.kinds.get(&rule.on).map_or_else(|| rule.on.to_string(), |kind| kind.label());
        let applies = rule
            .applies_when
            .as_deref()
            .map(|text| compile(catalog, schema, rule, &label, "applies_when", text))
            .transpose()?;
        let fails = compile(catalog, schema, rule, &label, "fail_when", &rule.fail_when)?;
        let mut evidence = fails.properties_read();
        for text in &rule.evidence {
            // Compiling it proves that the property exists.
            compile(catalog, schema, rule, &label, "evidence", &format!("{text} IS NULL"))?;
            let Some(property) =
                text.strip_prefix("r.").filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
            else {
                return Err(Box::new(RuleError {
                    rule: rule.id.to_string(),
                    field: "evidence",
                    path: catalog.source("rule", &rule.id).map_or_else(String::new, |(path, _)| path.to_owned()),
                    message: "evidence is a list of properties of r, such as `r.encrypted`".to_owned(),
                    text: text.clone(),
                    span: 0..text.len(),
                    help: None,
                }));
            };
            evidence.push(property.to_owned());
        }
        let mut seen = std::collections::BTreeSet::new();
        evidence.retain(|name| seen.insert(name.clone()));
        Ok(CompiledRule { rule: rule.clone(), applies, fails, evidence })
    }

    /// Keeps only the rules with these ids (or earlier ids); an id that no rule has is an error that names the nearest.
    pub fn only(mut self, ids: &[String]) -> Result<Self, String> {
        for id in ids {
            let known = self.rules.iter().any(|rule| answers_to(&rule.rule, id));
            if !known {
                let near = nearest(id, self.rules.iter().map(|rule| rule.rule.id.as_ref()));
                return Err(match near {
                    Some(near) => format!("there is no rule `{id}`; did you mean `{near}`?"),
                    None => format!("there is no rule `{id}`; `nephoscope rules list` shows them"),
                });
            }
        }
        self.rules.retain(|rule| ids.iter().any(|id| answers_to(&rule.rule, id)));
        Ok(self)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Whether the id is the rule's own or an earlier one.
pub(crate) fn answers_to(rule: &Rule, id: &str) -> bool {
    rule.id.as_ref() == id || rule.aliases.iter().any(|alias| alias.as_ref() == id)
}
