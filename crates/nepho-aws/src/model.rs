//! A service's API model: operations and shapes, as botocore's `service-2.json` states them.
//!
//! Holds facts only (names, places, traits); knows nothing of wire formats, which are in [`crate::protocol`]. Models are
//! read from the committed tables ([`crate::tables`]) or, in the conformance tests, from JSON given at run time.

mod load;

use std::collections::HashMap;

pub use load::ModelError;
use nepho_collect::Pagination;

/// The wire protocols spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Form-encoded requests, XML answers.
    Query,
    /// EC2's variant of [`Protocol::Query`].
    Ec2,
    /// JSON with an `X-Amz-Target` header.
    Json,
    /// JSON over resource paths.
    RestJson,
    /// XML over resource paths.
    RestXml,
}

impl Protocol {
    /// The protocol by botocore's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "query" => Self::Query,
            "ec2" => Self::Ec2,
            "json" => Self::Json,
            "rest-json" => Self::RestJson,
            "rest-xml" => Self::RestXml,
            _ => return None,
        })
    }
}

/// One service.
#[derive(Debug)]
pub struct Service {
    /// botocore's name (`elbv2`).
    pub name: String,
    /// AWS's own identifier (`Elastic Load Balancing v2`), from which names of settings are made.
    pub service_id: String,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// The API version, sent by the query protocols.
    pub api_version: String,
    /// First label of the host name.
    pub endpoint_prefix: String,
    /// The name to sign for.
    pub signing_name: String,
    /// `X-Amz-Target` prefix of the JSON protocol.
    pub target_prefix: String,
    /// `1.0` or `1.1`.
    pub json_version: String,
    /// Whether errors carry the codes of a former query API in `x-amzn-query-error`.
    pub query_compatible: bool,
    pub(crate) operations: HashMap<String, Operation>,
    pub(crate) shapes: Vec<Shape>,
}

impl Service {
    /// The operation of that name.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// All operations' names, unordered.
    pub fn operation_names(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(String::as_str)
    }

    /// The shape that a reference stands for.
    pub fn shape(&self, reference: &ShapeRef) -> &Shape {
        self.shapes.get(reference.shape).unwrap_or(&UNKNOWN_SHAPE)
    }
}

/// Stands in for a reference that leads nowhere; the loader refuses those, so it is never met.
static UNKNOWN_SHAPE: Shape =
    Shape { name: String::new(), kind: ShapeKind::String, error_code: None, exception: false };

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// As the model spells it.
    pub name: String,
    /// HTTP method.
    pub method: String,
    /// Path template with `{Label}` and `{Label+}`, maybe with a fixed query string.
    pub uri: String,
    /// What it takes.
    pub input: Option<ShapeRef>,
    /// What it gives.
    pub output: Option<ShapeRef>,
    /// Element around the answer in the query protocol.
    pub result_wrapper: Option<String>,
    /// Prefix of the host name, with `{Label}`.
    pub host_prefix: Option<String>,
    /// Whether it is called without a signature.
    pub unsigned: bool,
    /// Names of the shapes of its errors.
    pub errors: Vec<String>,
    /// How it pages, where it does.
    pub pagination: Option<std::sync::Arc<Pagination>>,
}

/// A shape by place in [`Service::shapes`], with the traits of the place where it is used laid over its own.
#[derive(Clone, Debug, Default)]
pub struct ShapeRef {
    pub(crate) shape: usize,
    pub(crate) traits: Traits,
}

/// A type.
#[derive(Debug)]
pub struct Shape {
    /// The model's name for it.
    pub name: String,
    /// What it is made of.
    pub kind: ShapeKind,
    /// The wire code of an error shape, where that differs from its name.
    pub error_code: Option<String>,
    /// Whether it is an error.
    pub exception: bool,
}

/// What a shape is made of.
#[derive(Debug)]
pub enum ShapeKind {
    /// Named members.
    Structure(Structure),
    /// Many of one.
    List(Box<ShapeRef>),
    /// Key, value.
    Map(Box<(ShapeRef, ShapeRef)>),
    /// Text (and single characters).
    String,
    /// true, false.
    Boolean,
    /// Whole number, 32 or 64 bits.
    Integer,
    /// Floating point.
    Float,
    /// A moment.
    Timestamp,
    /// Bytes.
    Blob,
}

/// Members of a structure, in the model's order.
#[derive(Debug, Default)]
pub struct Structure {
    /// Name and shape.
    pub members: Vec<(String, ShapeRef)>,
    /// Members that must be given.
    pub required: Vec<String>,
    /// Exactly one member is set.
    pub union: bool,
    /// Free-form JSON.
    pub document: bool,
}

impl Structure {
    /// The member of that name.
    pub fn member(&self, name: &str) -> Option<&ShapeRef> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, shape)| shape)
    }
}

/// Where a member stands in the HTTP message, when not in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// A label of the path.
    Uri,
    /// A query parameter, or several for a map.
    QueryString,
    /// One header.
    Header,
    /// All headers with a prefix.
    Headers,
    /// The status.
    StatusCode,
}

/// How a timestamp is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampFormat {
    /// `2015-01-25T08:00:00Z`.
    Iso8601,
    /// Seconds since 1970.
    Unix,
    /// `Sun, 25 Jan 2015 08:00:00 GMT`.
    Rfc822,
}

/// Traits of a shape where it is used.
#[derive(Clone, Debug, Default)]
pub struct Traits {
    /// Name on the wire.
    pub location_name: Option<String>,
    /// Name on the wire in EC2 requests, before [`Traits::location_name`].
    pub query_name: Option<String>,
    /// Place outside the body.
    pub location: Option<Location>,
    /// The member that is the whole body.
    pub payload: Option<String>,
    /// Form of timestamps.
    pub timestamp_format: Option<TimestampFormat>,
    /// XML namespace: prefix, address.
    pub xml_namespace: Option<(Option<String>, String)>,
    /// List or map without an element around it.
    pub flattened: bool,
    /// An XML attribute rather than an element.
    pub xml_attribute: bool,
    /// JSON inside a header, in base64.
    pub json_value: bool,
    /// Part of the host name.
    pub host_label: bool,
    /// Filled with a random UUID where not given.
    pub idempotency_token: bool,
    /// The value may be secret.
    pub sensitive: bool,
}
