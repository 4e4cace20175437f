//! JMESPath over `serde_json` values, borrowed: what a path finds is a reference into the answer wherever it can be.
//!
//! The grammar is the `jmespath` crate's (its parser is used); evaluation is our own because that crate's wants every
//! answer copied into its own value type first, which costs more than all the rest of an item's processing. Semantics
//! follow <https://jmespath.org/specification.html>; `tests` compare with the crate's interpreter.

mod evaluate;
mod functions;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value as Json;

/// A compiled JMESPath expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    text: Box<str>,
    node: Node,
    roots: Option<BTreeSet<Box<str>>>,
}

/// What is wrong with an expression, or with the value it was applied to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}`: {message}")]
pub struct ExpressionError {
    /// The expression.
    pub expression: String,
    /// What is wrong.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// The form that is evaluated. `Path` is the fast way for the most frequent expressions.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Path(Vec<Box<str>>),
    Identity,
    Index(i32),
    Literal(Json),
    Sub(Box<Node>, Box<Node>),
    Projection(Box<Node>, Box<Node>),
    Flatten(Box<Node>),
    ObjectValues(Box<Node>),
    Condition(Box<Node>, Box<Node>),
    Comparison(Comparator, Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Not(Box<Node>),
    MultiList(Vec<Node>),
    MultiHash(Vec<(String, Node)>),
    Slice(Option<i32>, Option<i32>, i32),
    Function(functions::Function, Vec<Node>),
    Reference(Box<Node>),
}

static NULL: Json = Json::Null;

impl Expression {
    /// Compiles an expression. Unknown functions and wrong numbers of arguments are errors here already.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        let wrong = |message: String| ExpressionError { expression: text.to_owned(), message };
        let ast = jmespath::parse(text).map_err(|error| {
            wrong(format!("not JMESPath: {}", error.to_string().lines().next().unwrap_or_default()))
        })?;
        let node = convert(&ast).map_err(wrong)?;
        let mut roots = BTreeSet::new();
        let roots = collect_roots(&node, &mut roots).then_some(roots);
        Ok(Self { text: text.into(), node, roots })
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Applies it. The error is that of a function that was given a value of a wrong type.
    pub fn search<'a>(&'a self, value: &'a Json) -> Result<Cow<'a, Json>, ExpressionError> {
        evaluate::evaluate(&self.node, Cow::Borrowed(value))
            .map_err(|message| ExpressionError { expression: self.text.to_string(), message })
    }

    /// Applies it to a value that is given up.
    pub fn search_owned(&self, value: Json) -> Result<Json, ExpressionError> {
        evaluate::evaluate(&self.node, Cow::<Json>::Owned(value))
            .map(Cow::into_owned)
            .map_err(|message| ExpressionError { expression: self.text.to_string(), message })
    }

    /// Whether what it finds counts as true (JMESPath's own notion); errors count as false.
    pub fn holds(&self, value: &Json) -> Result<bool, ExpressionError> {
        self.search(value).map(|found| is_truthy(&found))
    }

    /// The names of the fields of the value itself that it reads; `None` when it reads all of it (`@`).
    pub fn roots(&self) -> Option<&BTreeSet<Box<str>>> {
        self.roots.as_ref()
    }

    /// Whether it reads the named field of the value itself.
    pub fn reads(&self, root: &str) -> bool {
        self.roots.as_ref().is_some_and(|roots| roots.contains(root))
    }

    /// Whether it is nothing but field names joined by dots.
    pub fn is_plain(&self) -> bool {
        matches!(self.node, Node::Path(_) | Node::Identity)
    }
}

/// JMESPath's truth: all but null, false, and empty text, lists and objects.
pub fn is_truthy(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(fields) => !fields.is_empty(),
        Json::Number(_) => true,
    }
}

/// Collects the fields read of the root; `false` when the root as a whole is read.
fn collect_roots(node: &Node, roots: &mut BTreeSet<Box<str>>) -> bool {
    match node {
        Node::Path(names) => {
            roots.extend(names.first().cloned());
            !names.is_empty()
        }
        Node::Identity | Node::Index(_) | Node::Slice(..) => false,
        Node::Literal(_) | Node::Reference(_) => true,
        // The right side reads what the left side found.
        Node::Sub(left, _) | Node::Projection(left, _) => collect_roots(left, roots),
        Node::Flatten(inner) | Node::ObjectValues(inner) | Node::Not(inner) => collect_roots(inner, roots),
        Node::Condition(left, right)
        | Node::Comparison(_, left, right)
        | Node::Or(left, right)
        | Node::And(left, right) => {
            let left = collect_roots(left, roots);
            collect_roots(right, roots) && left
        }
        Node::MultiList(elements) => all_roots(elements, roots),
        Node::MultiHash(elements) => all_roots(elements.iter().map(|(_, element)| element), roots),
        Node::Function(_, arguments) => all_roots(arguments, roots),
    }
}

/// [`collect_roots`] of every node, even after one that reads the root as a whole.
fn all_roots<'a>(nodes: impl IntoIterator<Item = &'a Node>, roots: &mut BTreeSet<Box<str>>) -> bool {
    let mut known = true;
    for node in nodes {
        known &= collect_roots(node, roots);
    }
    known
}

/// Our form of the parser's tree.
fn convert(ast: &jmespath::ast::Ast) -> Result<Node, String> {
    use jmespath::ast::Ast;
    let boxed = |ast: &Ast| convert(ast).map(Box::new);
    Ok(match ast {
        Ast::Identity { .. } => Node::Identity,
        Ast::Field { name, .. } => Node::Path(vec![name.as_str().into()]),
        Ast::Index { idx, .. } => Node::Index(*idx),
        Ast::Literal { value, .. } => Node::Literal(literal(value)),
        Ast::Subexpr { lhs, rhs, .. } => match (convert(lhs)?, convert(rhs)?) {
            (Node::Path(mut left), Node::Path(right)) => {
                left.extend(right);
                Node::Path(left)
            }
            (left, right) => Node::Sub(Box::new(left), Box::new(right)),
        },
        Ast::Projection { lhs, rhs, .. } => Node::Projection(boxed(lhs)?, boxed(rhs)?),
        Ast::Flatten { node, .. } => Node::Flatten(boxed(node)?),
        Ast::ObjectValues { node, .. } => Node::ObjectValues(boxed(node)?),
        Ast::Condition { predicate, then, .. } => Node::Condition(boxed(predicate)?, boxed(then)?),
        Ast::Comparison { comparator, lhs, rhs, .. } => {
            Node::Comparison(comparator_of(comparator), boxed(lhs)?, boxed(rhs)?)
        }
        Ast::Or { lhs, rhs, .. } => Node::Or(boxed(lhs)?, boxed(rhs)?),
        Ast::And { lhs, rhs, .. } => Node::And(boxed(lhs)?, boxed(rhs)?),
        Ast::Not { node, .. } => Node::Not(boxed(node)?),
        Ast::MultiList { elements, .. } => Node::MultiList(elements.iter().map(convert).collect::<Result<_, _>>()?),
        Ast::MultiHash { elements, .. } => Node::MultiHash(
            elements.iter().map(|pair| Ok((pair.key.clone(), convert(&pair.value)?))).collect::<Result<_, String>>()?,
        ),
        Ast::Slice { start, stop, step, .. } => {
            if *step == 0 {
                return Err("a slice's step cannot be 0".to_owned());
            }
            Node::Slice(*start, *stop, *step)
        }
        Ast::Function { name, args, .. } => {
            let function = functions::Function::named(name).ok_or_else(|| format!("no function `{name}`"))?;
            function.check_arity(name, args.len())?;
            Node::Function(function, args.iter().map(convert).collect::<Result<_, _>>()?)
        }
        Ast::Expref { ast, .. } => Node::Reference(boxed(ast)?),
    })
}

fn comparator_of(comparator: &jmespath::ast::Comparator) -> Comparator {
    use jmespath::ast::Comparator as Theirs;
    match comparator {
        Theirs::Equal => Comparator::Equal,
        Theirs::NotEqual => Comparator::NotEqual,
        Theirs::LessThan => Comparator::Less,
        Theirs::LessThanEqual => Comparator::LessEqual,
        Theirs::GreaterThan => Comparator::Greater,
        Theirs::GreaterThanEqual => Comparator::GreaterEqual,
    }
}

fn literal(value: &jmespath::Variable) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests;
