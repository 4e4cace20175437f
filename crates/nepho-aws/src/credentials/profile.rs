//! The shared configuration and credentials files.
//!
//! Rules: "Shared config and credentials files" of the AWS SDK and tools reference guide. Sections `[profile NAME]` (in
//! the configuration file) or `[NAME]` (in the credentials file), `[default]`, `[sso-session NAME]`, `[services NAME]`;
//! keys in any case; an indented line below an empty value is a nested setting.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{CredentialsError, Environment};

/// One profile's settings, configuration and credentials file merged (the latter wins).
#[derive(Clone, Default)]
pub struct Profile {
    /// Its name.
    pub name: String,
    settings: HashMap<String, String>,
}

impl std::fmt::Debug for Profile {
    /// Keys only: values may be secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Profile").field("name", &self.name).field("keys", &self.settings.keys()).finish()
    }
}

impl Profile {
    /// One that says nothing.
    pub fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), settings: HashMap::new() }
    }

    /// A setting, where it is there and not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }
}

type Sections = HashMap<String, HashMap<String, String>>;

/// Both files, read.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where the configuration file is, or would be.
    pub config_path: PathBuf,
    /// Where the credentials file is, or would be.
    pub credentials_path: PathBuf,
    profiles: HashMap<String, Profile>,
    sso_sessions: HashMap<String, Profile>,
    services: HashMap<String, HashMap<String, HashMap<String, String>>>,
}

impl Config {
    /// Reads the files that the environment points to. A missing file is an empty one.
    pub fn read(environment: &Environment) -> Result<Self, CredentialsError> {
        let place = |variable, default| environment.path(environment.get(variable).unwrap_or(default));
        let config_path = place("AWS_CONFIG_FILE", "~/.aws/config");
        let credentials_path = place("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
        let mut config = Self { config_path, credentials_path, ..Self::default() };
        let (sections, nested) = parse(&text(&config.config_path)?);
        for (section, settings) in sections {
            match section.split_once(char::is_whitespace) {
                Some(("profile", name)) => config.add(name, settings),
                Some(("sso-session", name)) => {
                    let name = unquoted(name);
                    config.sso_sessions.insert(name.clone(), Profile { name, settings });
                }
                None if section == "default" => config.add("default", settings),
                _ => {}
            }
        }
        for (section, settings) in nested {
            if let Some(("services", name)) = section.split_once(char::is_whitespace) {
                config.services.insert(unquoted(name), settings);
            }
        }
        let (sections, _) = parse(&text(&config.credentials_path)?);
        for (section, settings) in sections {
            config.add(&section, settings);
        }
        Ok(config)
    }

    fn add(&mut self, name: &str, settings: HashMap<String, String>) {
        let name = unquoted(name);
        let profile = self.profiles.entry(name.clone()).or_insert_with(|| Profile { name, ..Profile::default() });
        profile.settings.extend(settings);
    }

    /// A profile; an error that names the files where it is not there.
    pub fn profile(&self, name: &str) -> Result<&Profile, CredentialsError> {
        self.profiles.get(name).ok_or_else(|| CredentialsError::NoProfile {
            profile: name.to_owned(),
            config: self.config_path.display().to_string(),
            credentials: self.credentials_path.display().to_string(),
        })
    }

    /// An `[sso-session NAME]`.
    pub fn sso_session(&self, name: &str) -> Option<&Profile> {
        self.sso_sessions.get(name)
    }

    /// Settings by service in the `[services NAME]` that a profile names.
    pub fn services(&self, profile: &Profile) -> HashMap<String, HashMap<String, String>> {
        profile.get("services").and_then(|name| self.services.get(name)).cloned().unwrap_or_default()
    }
}

fn text(path: &Path) -> Result<String, CredentialsError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(CredentialsError::Source {
            origin: "shared configuration",
            problem: format!("cannot read `{}`: {error}", path.display()),
        }),
    }
}

fn unquoted(name: &str) -> String {
    name.trim().trim_matches(['"', '\'']).to_owned()
}

/// Sections with their settings, and the nested settings by section and key.
fn parse(text: &str) -> (Sections, HashMap<String, Sections>) {
    let mut sections: Sections = HashMap::new();
    let mut nested: HashMap<String, Sections> = HashMap::new();
    let (mut section, mut key): (Option<String>, Option<String>) = (None, None);
    for line in text.trim_start_matches('\u{feff}').lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let name = rest.split(']').next().unwrap_or_default();
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            sections.entry(name.clone()).or_default();
            (section, key) = (Some(name), None);
            continue;
        }
        let (Some(section), Some((name, value))) = (&section, trimmed.split_once('=')) else { continue };
        let name = name.trim().to_ascii_lowercase();
        let value = if name == "credential_process" { value.trim() } else { without_comment(value) };
        match &key {
            Some(parent) if line.starts_with(char::is_whitespace) => {
                let settings = nested.entry(section.clone()).or_default().entry(parent.clone()).or_default();
                settings.insert(name, value.to_owned());
            }
            _ => {
                sections.entry(section.clone()).or_default().insert(name.clone(), value.to_owned());
                key = Some(name);
            }
        }
    }
    (sections, nested)
}

/// A value without a comment behind white space.
fn without_comment(value: &str) -> &str {
    let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    value.get(..end.unwrap_or(value.len())).unwrap_or(value).trim()
}
