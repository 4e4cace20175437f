//! `credential_process`: a command that prints credentials as JSON.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::{Credentials, CredentialsError, Source};

/// A command from a profile.
#[derive(Debug)]
pub struct Process {
    /// The command line, run by the shell as the AWS CLI's own splitting amounts to.
    pub command: String,
}

/// Characters of a command's stderr that are shown.
const SHOWN: usize = 300;

fn wrong(problem: impl Into<String>) -> CredentialsError {
    CredentialsError::Process { problem: problem.into(), said: String::new() }
}

/// The last lines of what a command said on stderr, in one.
fn end_of(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let text = lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" / ");
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let skipped = text.chars().count().saturating_sub(SHOWN);
    text.chars().skip(skipped).collect()
}

impl Process {
    async fn run(&self) -> Result<Credentials, CredentialsError> {
        let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let running = tokio::process::Command::new(shell)
            .arg(flag)
            .arg(&self.command)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(Duration::from_secs(60), running)
            .await
            .map_err(|_| wrong("the command did not end within 60 s"))?
            .map_err(|error| wrong(format!("the command can't be run: {error}")))?;
        if !output.status.success() {
            return Err(CredentialsError::Process {
                problem: format!("the command failed ({}); run it by hand to see why", output.status),
                said: end_of(&output.stderr),
            });
        }
        let json: Json = serde_json::from_slice(&output.stdout).map_err(|_| CredentialsError::Process {
            problem: "the command printed no JSON".to_owned(),
            said: end_of(&output.stderr),
        })?;
        if json.get("Version").and_then(Json::as_u64) != Some(1) {
            return Err(wrong("the command printed another version than 1"));
        }
        let names = ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"];
        Credentials::from_json(&json, names).ok_or_else(|| {
            wrong("the command's JSON lacks `AccessKeyId` or `SecretAccessKey`, or its `Expiration` is no time")
        })
    }
}

impl Source for Process {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.run())
    }
}
