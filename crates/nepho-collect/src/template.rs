//! `{…}` templates in parameters, keys and console addresses.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use crate::expression::{Expression, ExpressionError};

/// Words with a meaning of their own at the start of an expression.
const WORDS: [&str; 5] = ["account", "region", "partition", "parent", "parent_key"];

/// What expressions may see.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub partition: &'a str,
    pub item: &'a Json,
    pub parent: Option<(&'a Json, &'a str)>,
}

/// One expression of a template, or of an `api`/`by` field.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    expression: Expression,
    word: Option<Word>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Account,
    Region,
    Partition,
    ParentKey,
    /// Reads words, perhaps beside fields of the item.
    Mixed,
}

impl Lookup {
    /// A template's expression: all words are known.
    pub fn template(text: &str) -> Result<Self, ExpressionError> {
        Self::with_words(text, &WORDS)
    }

    /// An expression over the item: of the words, only `parent` (and `parent_key`) of a `for_each` kind.
    pub fn over_item(text: &str, has_parent: bool) -> Result<Self, ExpressionError> {
        Self::with_words(text, if has_parent { &["parent", "parent_key"] } else { &[] })
    }

    fn with_words(text: &str, words: &[&str]) -> Result<Self, ExpressionError> {
        let expression = Expression::compile(text)?;
        let word = match text.trim() {
            "account" if words.contains(&"account") => Some(Word::Account),
            "region" if words.contains(&"region") => Some(Word::Region),
            "partition" if words.contains(&"partition") => Some(Word::Partition),
            "parent_key" if words.contains(&"parent_key") => Some(Word::ParentKey),
            _ if words.iter().any(|word| expression.reads(word)) => Some(Word::Mixed),
            _ => None,
        };
        Ok(Self { expression, word })
    }

    pub fn find<'a>(&'a self, scene: &Scene<'a>) -> Result<Cow<'a, Json>, ExpressionError> {
        let text = |text: &str| Ok(Cow::Owned(Json::String(text.to_owned())));
        match self.word {
            None => self.expression.search(scene.item),
            Some(Word::Account) => text(scene.account),
            Some(Word::Region) => text(scene.region),
            Some(Word::Partition) => text(scene.partition),
            Some(Word::ParentKey) => {
                Ok(scene.parent.map_or(Cow::Owned(Json::Null), |(_, key)| Cow::Owned(Json::String(key.to_owned()))))
            }
            Some(Word::Mixed) => {
                let mut fields = Map::new();
                for root in self.expression.roots().into_iter().flatten() {
                    let value = match root.as_ref() {
                        "account" => Json::from(scene.account),
                        "region" => Json::from(scene.region),
                        "partition" => Json::from(scene.partition),
                        "parent" => scene.parent.map_or(Json::Null, |(item, _)| item.clone()),
                        "parent_key" => scene.parent.map_or(Json::Null, |(_, key)| Json::from(key)),
                        field => scene.item.get(field).cloned().unwrap_or_default(),
                    };
                    fields.insert(root.to_string(), value);
                }
                self.expression.search_owned(Json::Object(fields)).map(Cow::Owned)
            }
        }
    }

    /// Whether it reads the item itself (not only account, region and parent).
    pub fn reads_item(&self) -> bool {
        match self.word {
            Some(Word::Mixed) => {
                self.expression.roots().is_none_or(|roots| roots.iter().any(|root| !WORDS.contains(&root.as_ref())))
            }
            Some(_) => false,
            None => self.expression.roots().is_none_or(|roots| !roots.is_empty()),
        }
    }

    /// Whether all that it reads of the item is there: every field it starts from is present.
    pub fn is_covered_by(&self, item: &Json) -> bool {
        let present = |root: &str| item.get(root).is_some_and(|value| !value.is_null());
        match (self.expression.roots(), self.word) {
            (None, _) => false,
            (Some(roots), None) => roots.iter().all(|root| present(root)),
            (Some(roots), Some(_)) => roots.iter().all(|root| WORDS.contains(&root.as_ref()) || present(root)),
        }
    }

    pub fn as_str(&self) -> &str {
        self.expression.as_str()
    }
}

/// Text with expressions in it.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Box<str>),
    Lookup(Lookup),
}

impl Template {
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, inside) = rest.split_at(open);
            let Some(length) = expression_length(inside) else {
                return Err(ExpressionError { expression: text.to_owned(), message: "a `{` is not closed".to_owned() });
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            let (expression, after) = inside.split_at(length);
            let expression = expression.trim_start_matches('{');
            parts.push(Part::Lookup(Lookup::template(expression.strip_suffix('}').unwrap_or(expression))?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        Ok(Self { parts })
    }

    /// The text; `None` when an expression in it finds nothing.
    pub fn text(&self, scene: &Scene<'_>) -> Result<Option<String>, ExpressionError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Lookup(lookup) => match &*lookup.find(scene)? {
                    Json::Null => return Ok(None),
                    Json::String(found) if found.is_empty() => return Ok(None),
                    Json::String(found) => text.push_str(found),
                    other => text.push_str(&other.to_string()),
                },
            }
        }
        Ok(Some(text))
    }

    /// The value: with its type where the template is one expression, else text.
    fn value(&self, scene: &Scene<'_>) -> Result<Json, ExpressionError> {
        match self.parts.as_slice() {
            [Part::Lookup(lookup)] => lookup.find(scene).map(Cow::into_owned),
            _ => Ok(self.text(scene)?.map_or(Json::Null, Json::String)),
        }
    }

    fn lookups(&self) -> impl Iterator<Item = &Lookup> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Lookup(lookup) => Some(lookup),
        })
    }
}

/// Length in bytes of `{…}` at the start of `text`, quotes and inner braces minded.
fn expression_length(text: &str) -> Option<usize> {
    let mut depth = 0u32;
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, character) {
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(character),
            (None, '{') => depth = depth.saturating_add(1),
            (None, '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at.checked_add(1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Parameters with templates at any depth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, Parameter)>);

#[derive(Clone, Debug)]
enum Parameter {
    Constant(Json),
    Template(Template),
    List(Vec<Parameter>),
    Map(Parameters),
}

impl Parameters {
    pub fn compile(parameters: &Map<String, Json>) -> Result<Self, ExpressionError> {
        let all = parameters.iter().map(|(name, value)| Ok((name.clone(), Parameter::compile(value)?)));
        all.collect::<Result<_, _>>().map(Self)
    }

    /// The parameters; those that find nothing are left out.
    pub fn fill(&self, scene: &Scene<'_>) -> Result<Map<String, Json>, ExpressionError> {
        let mut filled = Map::with_capacity(self.0.len());
        for (name, parameter) in &self.0 {
            let value = parameter.fill(scene)?;
            if !value.is_null() {
                filled.insert(name.clone(), value);
            }
        }
        Ok(filled)
    }

    /// Whether every item field that the templates start from is there.
    pub fn is_covered_by(&self, item: &Json) -> bool {
        self.0.iter().all(|(_, parameter)| parameter.is_covered_by(item))
    }

    /// Names of the top-level parameters whose value comes from the item or its parent: they say which resource is meant.
    pub fn identifying(&self) -> Vec<String> {
        let names = self.0.iter().filter(|(_, parameter)| {
            parameter.any(&|lookup| lookup.reads_item() || lookup.as_str().trim_start().starts_with("parent"))
        });
        names.map(|(name, _)| name.clone()).collect()
    }

    /// Whether any template reads the item itself.
    pub fn read_item(&self) -> bool {
        self.0.iter().any(|(_, parameter)| parameter.any(&Lookup::reads_item))
    }
}

impl Parameter {
    fn compile(value: &Json) -> Result<Self, ExpressionError> {
        Ok(match value {
            Json::String(text) if text.contains('{') => Self::Template(Template::compile(text)?),
            Json::Array(items) => Self::List(items.iter().map(Self::compile).collect::<Result<_, _>>()?),
            Json::Object(fields) => Self::Map(Parameters::compile(fields)?),
            other => Self::Constant(other.clone()),
        })
    }

    fn fill(&self, scene: &Scene<'_>) -> Result<Json, ExpressionError> {
        Ok(match self {
            Self::Constant(value) => value.clone(),
            Self::Template(template) => template.value(scene)?,
            Self::List(items) => Json::Array(items.iter().map(|item| item.fill(scene)).collect::<Result<_, _>>()?),
            Self::Map(fields) => Json::Object(fields.fill(scene)?),
        })
    }

    fn any(&self, test: &dyn Fn(&Lookup) -> bool) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Template(template) => template.lookups().any(test),
            Self::List(items) => items.iter().any(|item| item.any(test)),
            Self::Map(fields) => fields.0.iter().any(|(_, field)| field.any(test)),
        }
    }

    fn is_covered_by(&self, item: &Json) -> bool {
        !self.any(&|lookup| lookup.reads_item() && !lookup.is_covered_by(item))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fills_templates() {
        let item = json!({"Name": "a", "List": ["x"], "N": 3, "O": {"k": "v"}});
        let parent = json!({"Id": "p"});
        let scene =
            Scene { account: "1", region: "r", partition: "aws", item: &item, parent: Some((&parent, "arn:p")) };
        let text = |template: &str| Template::compile(template).unwrap().text(&scene).unwrap();
        assert_eq!(text("arn:{partition}:s:{region}:{account}:{Name}/{N}"), Some("arn:aws:s:r:1:a/3".to_owned()));
        assert_eq!(text("{parent.Id}:{parent_key}"), Some("p:arn:p".to_owned()));
        assert_eq!(text("{Missing}"), None);
        assert_eq!(text("{O.{q: k}.q}"), Some("v".to_owned()));
        assert_eq!(text("{join('}', List)}{Missing || region}"), Some("xr".to_owned()));
        assert!(Template::compile("{a").is_err());
        let parameters = json!({"L": "{List}", "F": [{"Name": "id", "Values": ["{Name}"]}], "M": "{Missing}", "C": 1});
        let parameters = Parameters::compile(parameters.as_object().unwrap()).unwrap();
        let filled = Json::Object(parameters.fill(&scene).unwrap());
        assert_eq!(filled, json!({"L": ["x"], "F": [{"Name": "id", "Values": ["a"]}], "C": 1}));
        assert_eq!(parameters.identifying(), ["L", "F", "M"]);
    }
}
