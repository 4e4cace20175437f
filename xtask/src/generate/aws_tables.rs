//! Writes `crates/nepho-aws/tables/`: AWS's API models, as far as the kinds use them.
//!
//! Source: the `data` folder of an installed botocore (Apache-2.0), the test environment's pinned one or `$BOTOCORE`'s. Only
//! facts are taken (names, places, traits), no documentation. The files are JSON with one
//! line an operation and a shape, so that a change of the API can be read in a diff.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use nepho_catalog::{Catalog, SourceFile, SourceKind};
use serde_json::{Map, Value as Json, json};

/// Operations that the client itself needs.
const ALWAYS: &[(&str, &str)] = &[
    ("account", "ListRegions"),
    ("ec2", "DescribeRegions"),
    ("organizations", "DescribeOrganization"),
    ("organizations", "ListAccounts"),
    ("sso", "GetRoleCredentials"),
    ("sso-oidc", "CreateToken"),
    ("sts", "AssumeRole"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("sts", "GetCallerIdentity"),
];

/// Traits that a shape or a reference keeps.
const TRAITS: &[&str] = &[
    "locationName",
    "queryName",
    "flattened",
    "location",
    "payload",
    "timestampFormat",
    "xmlNamespace",
    "xmlAttribute",
    "jsonvalue",
    "hostLabel",
    "idempotencyToken",
    "sensitive",
    "union",
    "document",
];

/// Partitions whose endpoints are kept.
const PARTITIONS: &[&str] = &["aws", "aws-cn", "aws-us-gov"];

/// Writes the tables from botocore's `data` folder, or with `check` only says what differs. Whether all was as it should
/// be. `$BOTOCORE`, a package folder, takes the place of `data`.
pub fn generate(root: &Path, data: &Path, check: bool) -> anyhow::Result<bool> {
    let data = std::env::var_os("BOTOCORE").map_or_else(|| data.to_owned(), |given| PathBuf::from(given).join("data"));
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (service, operation) in ALWAYS {
        wanted.entry((*service).to_owned()).or_default().insert((*operation).to_owned());
    }
    let files = SourceFile::folder(&root.join("catalog"))?;
    let catalog = Catalog::load(files.into_iter().filter(|file| matches!(file.kind, SourceKind::Kind)))?;
    for kind in catalog.kinds.values().filter(|kind| kind.id.starts_with("aws.")) {
        for (service, operation, _) in kind.calls() {
            if !service.is_empty() {
                wanted.entry(service.to_string()).or_default().insert(operation.to_string());
            }
        }
    }
    let mut files = BTreeMap::new();
    let mut prefixes = BTreeSet::new();
    let mut missing = Vec::new();
    for (service, operations) in &wanted {
        let Some(folder) = newest(&data.join(service)) else {
            missing.push(format!("no service `{service}`"));
            continue;
        };
        let model = read(&folder, "service-2.json")?.context("no service-2.json")?;
        let pages = read(&folder, "paginators-1.json")?.unwrap_or(Json::Null);
        for operation in operations.iter().filter(|name| model["operations"].get(name.as_str()).is_none()) {
            missing.push(format!("no operation `{service}:{operation}`"));
        }
        prefixes.insert(model["metadata"]["endpointPrefix"].as_str().unwrap_or_default().to_owned());
        files.insert(format!("{service}.json"), table(&model, &pages, operations));
    }
    if !missing.is_empty() {
        bail!("botocore in `{}` has {}", data.display(), missing.join(", "));
    }
    files.insert("endpoints.json".to_owned(), endpoints(&data, &prefixes)?);
    let mut index = String::from("[\n");
    for service in wanted.keys() {
        writeln!(index, "    (\"{service}\", include_str!(\"{service}.json\")),")?;
    }
    index.push_str("]\n");
    files.insert("services.in".to_owned(), index);
    write(&root.join("crates/nepho-aws/tables"), &files, check)
}

/// The newest API version below a service's folder.
fn newest(service: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(service).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    versions.filter(|path| path.is_dir()).max()
}

/// A JSON file, plain or gzipped.
fn read(folder: &Path, name: &str) -> anyhow::Result<Option<Json>> {
    let plain = folder.join(name);
    let packed = folder.join(format!("{name}.gz"));
    let text = if plain.is_file() {
        std::fs::read(&plain)?
    } else if packed.is_file() {
        let output = Command::new("gzip").arg("-dc").arg(&packed).output().context("running gzip")?;
        if !output.status.success() {
            bail!("gzip could not read `{}`", packed.display());
        }
        output.stdout
    } else {
        return Ok(None);
    };
    Ok(Some(serde_json::from_slice(&text).with_context(|| format!("reading `{}`", plain.display()))?))
}

/// One service's table.
fn table(model: &Json, pages: &Json, wanted: &BTreeSet<String>) -> String {
    let metadata = model["metadata"].as_object().cloned().unwrap_or_default();
    let kept = [
        "protocol",
        "protocols",
        "apiVersion",
        "endpointPrefix",
        "serviceId",
        "signingName",
        "targetPrefix",
        "jsonVersion",
        "awsQueryCompatible",
    ];
    let metadata: Map<String, Json> =
        kept.iter().filter_map(|key| Some(((*key).to_owned(), metadata.get(*key)?.clone()))).collect();
    let mut reached = BTreeSet::new();
    let mut operations = BTreeMap::new();
    let mut pagination = BTreeMap::new();
    for name in wanted {
        let raw = &model["operations"][name];
        let mut kept = Map::new();
        for key in ["http", "endpoint", "authtype"] {
            if let Some(value) = raw.get(key) {
                kept.insert(key.to_owned(), value.clone());
            }
        }
        if let Some(http) = kept.get_mut("http").and_then(Json::as_object_mut) {
            http.retain(|key, _| key == "method" || key == "requestUri");
        }
        for key in ["input", "output"] {
            if let Some(shape) = raw.get(key) {
                let mut slim = reference(shape);
                if let Some(wrapper) = shape.get("resultWrapper") {
                    slim["resultWrapper"] = wrapper.clone();
                }
                reach(model, shape["shape"].as_str().unwrap_or_default(), &mut reached);
                kept.insert(key.to_owned(), slim);
            }
        }
        let mut errors: Vec<Json> = Vec::new();
        for error in raw["errors"].as_array().into_iter().flatten() {
            let shape = error["shape"].as_str().unwrap_or_default();
            let code = model["shapes"][shape]["error"]["code"].as_str().unwrap_or(shape);
            errors.push(json!(code));
        }
        if !errors.is_empty() {
            kept.insert("errors".to_owned(), Json::Array(errors));
        }
        operations.insert(name.clone(), Json::Object(kept));
        if let Some(page) = pages["pagination"].get(name) {
            let mut page = page.as_object().cloned().unwrap_or_default();
            page.retain(|key, _| matches!(key.as_str(), "input_token" | "output_token" | "more_results" | "limit_key"));
            pagination.insert(name.clone(), Json::Object(page));
        }
    }
    let shapes: BTreeMap<String, Json> =
        reached.into_iter().map(|name| (name.clone(), shape(&model["shapes"][&name]))).collect();
    let mut text = format!("{{\"metadata\":{},\n", Json::Object(metadata));
    section(&mut text, "operations", &operations);
    text.push_str(",\n");
    section(&mut text, "pagination", &pagination);
    text.push_str(",\n");
    section(&mut text, "shapes", &shapes);
    text.push_str("}\n");
    text
}

/// An object with one line a field.
fn section(text: &mut String, name: &str, fields: &BTreeMap<String, Json>) {
    let lines: Vec<String> = fields.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
    text.push_str(&format!("\"{name}\":{{"));
    if !lines.is_empty() {
        text.push('\n');
        text.push_str(&lines.join(",\n"));
        text.push('\n');
    }
    text.push('}');
}

/// Adds a shape and all that it is made of.
fn reach(model: &Json, name: &str, reached: &mut BTreeSet<String>) {
    if !reached.insert(name.to_owned()) {
        return;
    }
    let raw = &model["shapes"][name];
    let members = raw["members"].as_object().into_iter().flatten().map(|(_, member)| member);
    for reference in members.chain(["member", "key", "value"].iter().filter_map(|part| raw.get(*part))) {
        reach(model, reference["shape"].as_str().unwrap_or_default(), reached);
    }
}

fn traits(raw: &Json) -> Map<String, Json> {
    let kept = TRAITS.iter().filter_map(|name| Some(((*name).to_owned(), raw.get(*name)?.clone())));
    kept.filter(|(_, value)| *value != Json::Bool(false)).collect()
}

fn reference(raw: &Json) -> Json {
    let mut slim = Map::new();
    slim.insert("shape".to_owned(), raw["shape"].clone());
    slim.extend(traits(raw));
    Json::Object(slim)
}

fn shape(raw: &Json) -> Json {
    let mut slim = Map::new();
    slim.insert("type".to_owned(), raw["type"].clone());
    slim.extend(traits(raw));
    if let Some(required) = raw["required"].as_array().filter(|required| !required.is_empty()) {
        slim.insert("required".to_owned(), json!(required));
    }
    if let Some(members) = raw["members"].as_object() {
        let members: Map<String, Json> =
            members.iter().map(|(name, member)| (name.clone(), reference(member))).collect();
        slim.insert("members".to_owned(), Json::Object(members));
    }
    for part in ["member", "key", "value"] {
        if let Some(raw) = raw.get(part) {
            slim.insert(part.to_owned(), reference(raw));
        }
    }
    Json::Object(slim)
}

/// Partitions, their regions, and where each service is offered.
fn endpoints(data: &Path, prefixes: &BTreeSet<String>) -> anyhow::Result<String> {
    let regions = read(data, "partitions.json")?.context("no partitions.json")?;
    let hosts = read(data, "endpoints.json")?.context("no endpoints.json")?;
    let find = |list: &Json, key: &str, id: &str| {
        list.as_array().into_iter().flatten().find(|item| item[key] == id).cloned().unwrap_or_default()
    };
    let mut lines = Vec::new();
    for id in PARTITIONS {
        let partition = find(&regions["partitions"], "id", id);
        let endpoints = find(&hosts["partitions"], "partition", id);
        let names: Vec<&String> = partition["regions"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
            .filter(|name| !name.ends_with("-global"))
            .collect();
        let head = json!({
            "suffix": partition["outputs"]["dnsSuffix"],
            "dual_stack_suffix": partition["outputs"]["dualStackDnsSuffix"],
            "home": partition["outputs"]["implicitGlobalRegion"],
            "pattern": partition["regionRegex"],
            "regions": names,
        });
        let mut services = BTreeMap::new();
        for prefix in prefixes {
            if let Some(service) = endpoints["services"].get(prefix) {
                let suffixes = [&partition["outputs"]["dnsSuffix"], &partition["outputs"]["dualStackDnsSuffix"]];
                let suffixes = suffixes.map(|suffix| suffix.as_str().unwrap_or_default());
                services.insert(prefix.clone(), service_endpoints(prefix, service, &names, suffixes));
            }
        }
        let mut text = format!("{}:{{\"partition\":{head},\n", json!(id));
        section(&mut text, "services", &services);
        text.push('}');
        lines.push(text);
    }
    Ok(format!("{{{}}}\n", lines.join(",\n")))
}

/// Variants of a service's endpoints: the name in the table, botocore's tags, and whether the suffix is the dual-stack one.
const VARIANTS: &[(&str, &[&str], usize)] =
    &[("fips", &["fips"], 0), ("dual_stack", &["dualstack"], 1), ("dual_stack_fips", &["dualstack", "fips"], 1)];

/// `{global: {host, region}, regions: {name: host or null}, fips: {…}, dual_stack: {…}, dual_stack_fips: {…}}`; the last three
/// by region, or `global`, where the host is not `PREFIX[-fips].REGION.SUFFIX`; under `default`, with `{region}` in it, where
/// all of the service's are so.
fn service_endpoints(prefix: &str, service: &Json, known: &[&String], suffixes: [&str; 2]) -> Json {
    let mut slim = Map::new();
    let global = service["partitionEndpoint"].as_str().filter(|_| service["isRegionalized"] == false);
    if let Some(endpoint) = global.and_then(|name| service["endpoints"].get(name)) {
        slim.insert(
            "global".to_owned(),
            json!({ "host": endpoint["hostname"], "region": endpoint["credentialScope"]["region"] }),
        );
    }
    let endpoints: BTreeMap<&String, &Json> = service["endpoints"].as_object().into_iter().flatten().collect();
    let regions: Map<String, Json> = endpoints
        .into_iter()
        .filter(|(name, endpoint)| known.contains(name) && endpoint["deprecated"] != true)
        .map(|(name, endpoint)| (name.clone(), endpoint["hostname"].clone()))
        .collect();
    slim.insert("regions".to_owned(), Json::Object(regions));
    for (name, tags, suffix) in VARIANTS {
        let find = |endpoint: &Json| {
            let variants = endpoint["variants"].as_array()?;
            variants.iter().find(|variant| variant["tags"] == json!(tags)).cloned()
        };
        let expand = |variant: &Json, region: &str| {
            let suffix = variant["dnsSuffix"].as_str().unwrap_or(suffixes[*suffix]);
            let host = variant["hostname"].as_str()?.replace("{service}", prefix).replace("{dnsSuffix}", suffix);
            Some(host.replace("{region}", region))
        };
        let usual =
            format!("{prefix}{}.{{region}}.{}", if tags.contains(&"fips") { "-fips" } else { "" }, suffixes[*suffix]);
        let default = find(&service["defaults"]).and_then(|variant| expand(&variant, "{region}"));
        let usual = default.clone().unwrap_or(usual);
        let mut hosts: Map<String, Json> =
            default.map(|host| ("default".to_owned(), json!(host))).into_iter().collect();
        for (region, endpoint) in service["endpoints"].as_object().into_iter().flatten() {
            let place = if Some(region.as_str()) == global { "global" } else { region };
            let Some(host) = find(endpoint).and_then(|variant| expand(&variant, region)) else { continue };
            let listed = place == "global" || (known.contains(&region) && endpoint["deprecated"] != true);
            if listed && host != usual.replace("{region}", region) {
                hosts.insert(place.to_owned(), json!(host));
            }
        }
        if !hosts.is_empty() {
            slim.insert((*name).to_owned(), Json::Object(hosts));
        }
    }
    Json::Object(slim)
}

/// Brings a folder to exactly these files, or says where it differs; whether it was so already.
fn write(folder: &Path, files: &BTreeMap<String, String>, check: bool) -> anyhow::Result<bool> {
    std::fs::create_dir_all(folder)?;
    let mut differing = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|present| present == *text) {
            continue;
        }
        differing.push(name.clone());
        if !check {
            std::fs::write(&path, text).with_context(|| format!("writing `{}`", path.display()))?;
        }
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !files.contains_key(&name) {
            if !check {
                std::fs::remove_file(entry.path())?;
            }
            differing.push(name);
        }
    }
    if check {
        for name in &differing {
            println!("{} is not what botocore and the kinds say", folder.join(name).display());
        }
    }
    Ok(differing.is_empty())
}
