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

fn wrong(problem: impl Into<String>) -> CredentialsError {
    CredentialsError::Source { origin: "credential_process", problem: problem.into() }
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
            return Err(wrong(format!("the command failed ({}); run it by hand to see why", output.status)));
        }
        let json: Json = serde_json::from_slice(&output.stdout).map_err(|_| wrong("the command printed no JSON"))?;
        if json.get("Version").and_then(Json::as_u64) != Some(1) {
            return Err(wrong("the command printed another version than 1"));
        }
        Credentials::from_json(&json, ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]).ok_or_else(
            || wrong("the command's JSON lacks `AccessKeyId` or `SecretAccessKey`, or its `Expiration` is no time"),
        )
    }
}

impl Source for Process {
    fn fetch(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        Box::pin(self.run())
    }
}
