//! JSON with the place of every value, read within bounds. Knows nothing of policies.

use std::ops::Range;

use hashbrown::HashSet;

/// Most bytes that are read. The longest policy that any service takes has a tenth of it.
pub const MOST_BYTES: usize = 1 << 20;
/// Most levels of lists and objects within one another. A policy has six.
pub const MOST_LEVELS: usize = 32;

/// A value and its place.
#[derive(Debug)]
pub struct Node {
    /// In bytes; of texts with the quotes.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Debug)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// As it is written.
    Number(Box<str>),
    /// Without its escapes.
    Text(Box<str>),
    /// `[…]`
    List(Vec<Node>),
    /// `{…}`, in the order in which it is written, with what is there twice.
    Object(Vec<Member>),
}

/// A name in an object and its value.
#[derive(Debug)]
pub struct Member {
    /// Without its escapes.
    pub name: Box<str>,
    /// With the quotes.
    pub name_span: Range<usize>,
    /// Its value.
    pub node: Node,
}

/// Why a text is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// Where.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
}

/// What was read.
#[derive(Debug)]
pub struct Json {
    /// The outermost value.
    pub root: Node,
    /// Names that an object has more than once: the place of each after the first.
    pub repeated: Vec<Range<usize>>,
}

impl Node {
    /// The members of an object.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }
}

/// Reads a text.
pub fn read(text: &str) -> Result<Json, Broken> {
    if text.len() > MOST_BYTES {
        let message = format!("it has {} bytes, more than the {MOST_BYTES} that are read", text.len());
        return Err(Broken { span: 0..0, message });
    }
    let mut reader = Reader { text, at: 0, repeated: Vec::new() };
    // A byte order mark, as some editors write it.
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    reader.space();
    let root = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(Json { root, repeated: reader.repeated }),
        Some(_) => Err(reader.broken("there is more after the end of the value")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    repeated: Vec<Range<usize>>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    /// Goes past a character that may be next.
    fn take(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.at += wanted.len_utf8();
        }
        is_next
    }

    fn broken(&self, message: &str) -> Broken {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        let message = match self.peek() {
            None => format!("{message}, at the end of the text"),
            Some(_) => message.to_owned(),
        };
        Broken { span: self.at..end, message }
    }

    fn value(&mut self, level: usize) -> Result<Node, Broken> {
        if level > MOST_LEVELS {
            return Err(self.broken(&format!("values are nested deeper than {MOST_LEVELS} levels")));
        }
        let start = self.at;
        let value = match self.peek() {
            Some('{') => self.object(level)?,
            Some('[') => self.list(level)?,
            Some('"') => Value::Text(self.string()?.into()),
            Some('-' | '0'..='9') => self.number()?,
            Some(_) => self.word()?,
            None => return Err(self.broken("a value is missing")),
        };
        Ok(Node { span: start..self.at, value })
    }

    fn word(&mut self) -> Result<Value, Broken> {
        let word = self.rest().split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let (length, value) = match word {
            "true" => (4, Value::Bool(true)),
            "false" => (5, Value::Bool(false)),
            "null" => (4, Value::Null),
            _ => return Err(self.broken("a value is missing, or a text has no quotes")),
        };
        self.at += length;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Broken> {
        let start = self.at;
        let digits = |reader: &mut Self| -> Result<(), Broken> {
            let rest = reader.rest();
            let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if length == 0 {
                return Err(reader.broken("a number lacks a digit"));
            }
            reader.at += length;
            Ok(())
        };
        self.take('-');
        if !self.take('0') {
            digits(self)?;
        }
        if self.take('.') {
            digits(self)?;
        }
        if self.take('e') || self.take('E') {
            if !self.take('+') {
                self.take('-');
            }
            digits(self)?;
        }
        Ok(Value::Number(self.text.get(start..self.at).unwrap_or_default().into()))
    }

    fn string(&mut self) -> Result<String, Broken> {
        let open = self.at;
        self.take('"');
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(Broken { span: open..self.at, message: "the text has no closing quote".to_owned() });
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(text);
                }
                '\\' => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                c if c < ' ' => {
                    return Err(self.broken("a text goes over the end of its line, or holds a control character"));
                }
                c => {
                    self.at += c.len_utf8();
                    text.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Broken> {
        let c = match self.peek() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.broken("`\\` stands before what cannot be escaped")),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode(&mut self) -> Result<char, Broken> {
        let high = self.hexadecimal()?;
        let point = match high {
            0xD800..0xDC00 if self.rest().starts_with("\\u") => {
                self.at += 2;
                let low = self.hexadecimal()?;
                match low {
                    0xDC00..0xE000 => 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00),
                    _ => return Err(self.broken("`\\u` names half a character")),
                }
            }
            point => point,
        };
        char::from_u32(point).ok_or_else(|| self.broken("`\\u` names half a character"))
    }

    fn hexadecimal(&mut self) -> Result<u32, Broken> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let number = number.ok_or_else(|| self.broken("`\\u` needs four hexadecimal digits"))?;
        self.at += 4;
        Ok(number)
    }

    fn list(&mut self, level: usize) -> Result<Value, Broken> {
        self.take('[');
        let mut items = Vec::new();
        self.space();
        if self.take(']') {
            return Ok(Value::List(items));
        }
        loop {
            self.space();
            if !items.is_empty() && self.peek() == Some(']') {
                return Err(self.broken("a comma stands after the last value of a list"));
            }
            items.push(self.value(level + 1)?);
            self.space();
            if self.take(']') {
                return Ok(Value::List(items));
            }
            if !self.take(',') {
                return Err(self.broken("a comma or `]` is missing"));
            }
        }
    }

    fn object(&mut self, level: usize) -> Result<Value, Broken> {
        self.take('{');
        let mut members: Vec<Member> = Vec::new();
        self.space();
        if self.take('}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            match self.peek() {
                Some('"') => {}
                Some('}') => return Err(self.broken("a comma stands after the last member of an object")),
                _ => return Err(self.broken("a name in quotes is missing")),
            }
            let name = self.string()?.into();
            let name_span = start..self.at;
            self.space();
            if !self.take(':') {
                return Err(self.broken("a colon is missing after a name"));
            }
            self.space();
            let node = self.value(level + 1)?;
            members.push(Member { name, name_span, node });
            self.space();
            if self.take('}') {
                break;
            }
            if !self.take(',') {
                return Err(self.broken("a comma or `}` is missing"));
            }
        }
        let mut seen = HashSet::with_capacity(members.len());
        self.repeated
            .extend(members.iter().filter(|member| !seen.insert(&*member.name)).map(|member| member.name_span.clone()));
        drop(seen);
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Node, Value, read};

    /// The same value as another reader's, to compare with.
    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(truth) => (*truth).into(),
            Value::Number(number) => serde_json::from_str(number).unwrap(),
            Value::Text(text) => (&**text).into(),
            Value::List(items) => items.iter().map(plain).collect(),
            Value::Object(members) => {
                let fields = members.iter().map(|member| (member.name.to_string(), plain(&member.node)));
                serde_json::Value::Object(fields.collect())
            }
        }
    }

    /// Every place holds, read alone, the value that it is the place of.
    fn assert_places(text: &str, node: &Node) {
        let alone = read(&text[node.span.clone()]).unwrap();
        assert_eq!(plain(&alone.root), plain(node));
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| assert_places(text, item)),
            Value::Object(members) => members.iter().for_each(|member| {
                assert_eq!(plain(&read(&text[member.name_span.clone()]).unwrap().root), &*member.name);
                assert_places(text, &member.node);
            }),
            _ => {}
        }
    }

    #[test]
    fn what_is_broken_is_named_with_its_place() {
        for (text, at, message) in [
            ("", 0, "a value is missing, at the end of the text"),
            ("{\"a\": 1", 7, "a comma or `}` is missing, at the end of the text"),
            ("{\"a\" 1}", 5, "a colon is missing after a name"),
            ("{\"a\": 1,}", 8, "a comma stands after the last member of an object"),
            ("[1,]", 3, "a comma stands after the last value of a list"),
            ("[1 2]", 3, "a comma or `]` is missing"),
            ("{a: 1}", 1, "a name in quotes is missing"),
            ("[abc]", 1, "a value is missing, or a text has no quotes"),
            ("\"abc", 0, "the text has no closing quote"),
            ("\"a\nb\"", 2, "a text goes over the end of its line, or holds a control character"),
            ("\"\\x\"", 2, "`\\` stands before what cannot be escaped"),
            ("\"\\u12\"", 3, "`\\u` needs four hexadecimal digits"),
            ("\"\\ud800\"", 7, "`\\u` names half a character"),
            ("-", 1, "a number lacks a digit, at the end of the text"),
            ("{} {}", 3, "there is more after the end of the value"),
        ] {
            let broken = read(text).unwrap_err();
            assert_eq!((broken.span.start, broken.message.as_str()), (at, message), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(&deep).unwrap_err().message.contains("nested deeper"));
        assert!(read(&" ".repeat(super::MOST_BYTES + 1)).unwrap_err().message.contains("bytes"));
    }

    #[test]
    fn names_that_are_there_twice_are_found() {
        let text = r#"{"a": 1, "b": {"c": 1, "\u0063": 2}, "a": 3}"#;
        let json = read(text).unwrap();
        let found: Vec<&str> = json.repeated.iter().map(|span| &text[span.clone()]).collect();
        assert_eq!(found, [r#""\u0063""#, "\"a\""]);
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in any::<String>()) {
            if let Ok(json) = read(&text) {
                prop_assert!(json.root.span.end <= text.len());
            }
        }

        /// What looks like JSON is taken exactly when another reader takes it.
        #[test]
        fn it_takes_what_json_is(text in r#"[\[\]{}:,"0-9a-fu\\ .eE+-]{0,24}"#) {
            let other = serde_json::from_str::<serde_json::Value>(&text);
            match (read(&text), other) {
                (Ok(json), Ok(other)) => prop_assert_eq!(plain(&json.root), other),
                (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}: {}", text, error),
                (Err(broken), Ok(_)) => prop_assert!(false, "{}: {}", text, broken.message),
                (Err(broken), Err(_)) => prop_assert!(text.get(broken.span).is_some()),
            }
        }

        #[test]
        fn it_reads_what_another_writes(value in value(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let json = read(&text).unwrap();
            prop_assert_eq!(plain(&json.root), value);
            assert_places(&text, &json.root);
        }

        /// A good policy with one byte changed, added or taken away.
        #[test]
        fn damaged_policies_are_read_or_named(at in 0usize..120, with in prop::option::of(any::<char>()), cut in 0usize..3) {
            let good = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*"], "Resource": "*"}]}"#;
            let at = at.min(good.len());
            let mut text = good.to_owned();
            text.replace_range(at..(at + cut).min(good.len()), &with.map(String::from).unwrap_or_default());
            let other = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(read(&text).is_ok(), other || text.starts_with('\u{feff}'), "{}", text);
        }
    }
}
