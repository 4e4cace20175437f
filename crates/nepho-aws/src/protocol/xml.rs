//! A small XML tree over quick-xml: names without prefix, attributes with it, text joined. Bounded depth; DTDs and their
//! entities are not read.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{MAX_DEPTH, Malformed};

/// An element.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Name without namespace prefix.
    pub name: String,
    /// Attributes as written, prefix included.
    pub attributes: Vec<(String, String)>,
    /// Child elements.
    pub children: Vec<Element>,
    /// Text directly inside, joined.
    pub text: String,
}

impl Element {
    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Reads a document.
pub fn read(bytes: &[u8]) -> Result<Element, Malformed> {
    let malformed = |problem: &str| {
        Malformed(format!("the body is not XML ({problem}); it begins `{}`", super::error::beginning(bytes)))
    };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    loop {
        match reader.read_event().map_err(|error| malformed(&error.to_string()))? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(malformed("nested too deeply"));
                }
                if open.is_empty() && root.is_some() {
                    return Err(malformed("two roots"));
                }
                open.push(element(&start).map_err(|error| malformed(&error))?);
            }
            Event::Empty(start) => {
                let element = element(&start).map_err(|error| malformed(&error))?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None if root.is_some() => return Err(malformed("two roots")),
                    None => root = Some(element),
                }
            }
            Event::End(_) => {
                let done = open.pop().ok_or_else(|| malformed("an end without a start"))?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => root = Some(done),
                }
            }
            Event::Text(piece) => match open.last_mut() {
                Some(parent) => parent.text.push_str(&piece.xml10_content()),
                None if piece.xml10_content().trim().is_empty() => {}
                None => return Err(malformed("text outside of the root")),
            },
            Event::CData(piece) => {
                if let Some(parent) = open.last_mut() {
                    parent.text.push_str(&piece.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().map_err(|error| malformed(&error.to_string()))? {
                    Some(letter) => letter.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())
                        .ok_or_else(|| malformed("an unknown entity"))?
                        .to_owned(),
                };
                match open.last_mut() {
                    Some(parent) => parent.text.push_str(&resolved),
                    None => return Err(malformed("text outside of the root")),
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match root {
        Some(root) if open.is_empty() => Ok(root),
        _ => Err(malformed("it ends too early")),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut element = Element { name: start.local_name().into_inner().to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value =
            attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|error| error.to_string())?;
        element.attributes.push((attribute.key.into_inner().to_owned(), value.into_owned()));
    }
    Ok(element)
}
