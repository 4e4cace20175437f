//! Reads a model from the JSON that botocore's `service-2.json` and our slimmed tables share.

use std::collections::HashMap;
use std::sync::Arc;

use nepho_collect::Pagination;
use serde_json::{Map, Value as Json};

use super::{Location, Operation, Protocol, Service, Shape, ShapeKind, ShapeRef, Structure, TimestampFormat, Traits};

/// A model that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// None of the protocols is spoken here.
    #[error("service `{service}` speaks `{protocol}`, which is not supported")]
    Protocol {
        /// The service.
        service: String,
        /// Its protocols.
        protocol: String,
    },
    /// A shape is named but missing, or of an unknown type.
    #[error("service `{service}`: shape `{shape}` is missing or of an unknown type")]
    Shape {
        /// The service.
        service: String,
        /// The shape.
        shape: String,
    },
    /// Not JSON at all.
    #[error("service `{service}`: the table is not valid JSON")]
    Json {
        /// The service.
        service: String,
        /// What the JSON reader says.
        #[source]
        source: serde_json::Error,
    },
}

impl Service {
    /// Reads a model from text.
    pub fn from_text(name: &str, text: &str) -> Result<Self, ModelError> {
        let json: Json =
            serde_json::from_str(text).map_err(|source| ModelError::Json { service: name.to_owned(), source })?;
        Self::from_json(name, &json)
    }

    /// Reads a model: `metadata`, `operations`, `shapes`, and `pagination` as in `paginators-1.json`.
    pub fn from_json(name: &str, json: &Json) -> Result<Self, ModelError> {
        let metadata = json.get("metadata").unwrap_or(&Json::Null);
        let text = |key: &str| metadata.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let protocol = choose_protocol(metadata)
            .ok_or_else(|| ModelError::Protocol { service: name.to_owned(), protocol: text("protocol") })?;
        let empty = Map::new();
        let raw_shapes = json.get("shapes").and_then(Json::as_object).unwrap_or(&empty);
        let index: HashMap<&str, usize> =
            raw_shapes.keys().enumerate().map(|(number, name)| (name.as_str(), number)).collect();
        let loader = Loader { service: name, raw: raw_shapes, index };
        let mut shapes = Vec::with_capacity(raw_shapes.len());
        for (shape, raw) in raw_shapes {
            shapes.push(loader.shape(shape, raw)?);
        }
        let mut operations = HashMap::new();
        let pagination = json.get("pagination");
        for (operation, raw) in json.get("operations").and_then(Json::as_object).unwrap_or(&empty) {
            let mut loaded = loader.operation(operation, raw)?;
            loaded.pagination = pagination.and_then(|all| all.get(operation)).map(|page| Arc::new(pages(page)));
            operations.insert(operation.clone(), loaded);
        }
        let endpoint_prefix = text("endpointPrefix");
        let signing_name = match text("signingName") {
            name if name.is_empty() => endpoint_prefix.clone(),
            name => name,
        };
        Ok(Self {
            name: name.to_owned(),
            service_id: text("serviceId"),
            protocol,
            api_version: text("apiVersion"),
            endpoint_prefix,
            signing_name,
            target_prefix: text("targetPrefix"),
            json_version: match text("jsonVersion") {
                version if version.is_empty() => "1.0".to_owned(),
                version => version,
            },
            query_compatible: metadata.get("awsQueryCompatible").is_some(),
            operations,
            shapes,
        })
    }
}

/// The first of the service's protocols that is spoken here.
fn choose_protocol(metadata: &Json) -> Option<Protocol> {
    let listed = metadata.get("protocols").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    listed.iter().chain(metadata.get("protocol")).filter_map(Json::as_str).find_map(Protocol::from_name)
}

/// A paginator. A token that is written `a || b` is one JMESPath; lists go in step.
fn pages(raw: &Json) -> Pagination {
    let many = |key: &str| match raw.get(key) {
        Some(Json::String(one)) => vec![one.clone()],
        Some(Json::Array(all)) => all.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let one = |key: &str| raw.get(key).and_then(Json::as_str).map(str::to_owned);
    Pagination {
        input_tokens: many("input_token"),
        output_tokens: many("output_token"),
        more_results: one("more_results"),
        limit_key: one("limit_key"),
    }
}

struct Loader<'a> {
    service: &'a str,
    raw: &'a Map<String, Json>,
    index: HashMap<&'a str, usize>,
}

impl Loader<'_> {
    fn missing(&self, shape: &str) -> ModelError {
        ModelError::Shape { service: self.service.to_owned(), shape: shape.to_owned() }
    }

    fn operation(&self, name: &str, raw: &Json) -> Result<Operation, ModelError> {
        let http = raw.get("http").unwrap_or(&Json::Null);
        let text = |value: Option<&Json>| value.and_then(Json::as_str).map(str::to_owned);
        let output = raw.get("output");
        Ok(Operation {
            name: name.to_owned(),
            method: text(http.get("method")).unwrap_or_else(|| "POST".to_owned()),
            uri: text(http.get("requestUri")).unwrap_or_else(|| "/".to_owned()),
            input: raw.get("input").map(|reference| self.reference(reference)).transpose()?,
            output: output.map(|reference| self.reference(reference)).transpose()?,
            result_wrapper: text(output.and_then(|output| output.get("resultWrapper"))),
            host_prefix: text(raw.get("endpoint").and_then(|endpoint| endpoint.get("hostPrefix"))),
            unsigned: raw.get("authtype").and_then(Json::as_str) == Some("none"),
            errors: raw
                .get("errors")
                .and_then(Json::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default()
                .iter()
                .filter_map(|error| error.get("shape").unwrap_or(error).as_str())
                .map(str::to_owned)
                .collect(),
            pagination: None,
        })
    }

    fn shape(&self, name: &str, raw: &Json) -> Result<Shape, ModelError> {
        let flag = |key: &str| raw.get(key).and_then(Json::as_bool).unwrap_or(false);
        let part = |key: &str| raw.get(key).ok_or_else(|| self.missing(name)).and_then(|part| self.reference(part));
        let kind = match raw.get("type").and_then(Json::as_str).unwrap_or_default() {
            "structure" => {
                let mut structure =
                    Structure { union: flag("union"), document: flag("document"), ..Structure::default() };
                for (member, reference) in raw.get("members").and_then(Json::as_object).into_iter().flatten() {
                    structure.members.push((member.clone(), self.reference(reference)?));
                }
                let required = raw.get("required").and_then(Json::as_array).into_iter().flatten();
                structure.required = required.filter_map(Json::as_str).map(str::to_owned).collect();
                ShapeKind::Structure(structure)
            }
            "list" => ShapeKind::List(Box::new(part("member")?)),
            "map" => ShapeKind::Map(Box::new((part("key")?, part("value")?))),
            "string" | "character" => ShapeKind::String,
            "boolean" => ShapeKind::Boolean,
            "integer" | "long" | "short" | "byte" | "bigInteger" => ShapeKind::Integer,
            "float" | "double" | "bigDecimal" => ShapeKind::Float,
            "timestamp" => ShapeKind::Timestamp,
            "blob" => ShapeKind::Blob,
            _ => return Err(self.missing(name)),
        };
        let error_code = raw.get("error").and_then(|error| error.get("code")).and_then(Json::as_str).map(str::to_owned);
        Ok(Shape { name: name.to_owned(), kind, error_code, exception: flag("exception") })
    }

    /// A reference, with its traits laid over those of the shape itself (botocore: `ShapeResolver`).
    fn reference(&self, raw: &Json) -> Result<ShapeRef, ModelError> {
        let name = raw.get("shape").and_then(Json::as_str).unwrap_or_default();
        let shape = *self.index.get(name).ok_or_else(|| self.missing(name))?;
        let own = self.raw.get(name).unwrap_or(&Json::Null);
        Ok(ShapeRef { shape, traits: traits(raw, own) })
    }
}

fn traits(place: &Json, own: &Json) -> Traits {
    let get = |key: &str| place.get(key).or_else(|| own.get(key));
    let text = |key: &str| get(key).and_then(Json::as_str).map(str::to_owned);
    let flag = |key: &str| get(key).and_then(Json::as_bool).unwrap_or(false);
    Traits {
        location_name: text("locationName"),
        query_name: text("queryName"),
        location: get("location").and_then(Json::as_str).and_then(|location| {
            Some(match location {
                "uri" => Location::Uri,
                "querystring" => Location::QueryString,
                "header" => Location::Header,
                "headers" => Location::Headers,
                "statusCode" => Location::StatusCode,
                _ => return None,
            })
        }),
        payload: text("payload"),
        timestamp_format: get("timestampFormat").and_then(Json::as_str).and_then(|format| {
            Some(match format.to_ascii_lowercase().as_str() {
                "iso8601" => TimestampFormat::Iso8601,
                "unixtimestamp" => TimestampFormat::Unix,
                "rfc822" => TimestampFormat::Rfc822,
                _ => return None,
            })
        }),
        xml_namespace: get("xmlNamespace").and_then(|namespace| match namespace {
            Json::String(uri) => Some((None, uri.clone())),
            Json::Object(fields) => {
                let field = |key: &str| fields.get(key).and_then(Json::as_str).map(str::to_owned);
                Some((field("prefix"), field("uri")?))
            }
            _ => None,
        }),
        flattened: flag("flattened"),
        xml_attribute: flag("xmlAttribute"),
        json_value: flag("jsonvalue"),
        host_label: flag("hostLabel"),
        idempotency_token: flag("idempotencyToken"),
        sensitive: flag("sensitive"),
    }
}
