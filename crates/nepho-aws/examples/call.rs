//! Makes calls as the engine would, one attempt each, to compare with other clients: reads
//! `{"service", "operation", "region", "parameters"}` lines and writes `{"response"}` or `{"error"}` lines. Uses the
//! process's credentials and endpoints.

#![allow(clippy::print_stdout, reason = "a developer's tool talks to the terminal")]

use std::io::BufRead as _;
use std::sync::Arc;

use anyhow::Context as _;
use nepho_aws::{AwsClient, ConnectOptions};
use nepho_collect::{Call, Provider as _};
use serde_json::{Value as Json, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let client = AwsClient::connect(ConnectOptions::default()).await?;
    let account = client.identity().await?.account;
    for line in std::io::stdin().lock().lines() {
        let asked: Json = serde_json::from_str(&line?)?;
        let text = |name: &str| asked.get(name).and_then(Json::as_str).map(Arc::<str>::from);
        let call = Call {
            account: Arc::from(account.as_str()),
            region: text("region").unwrap_or_else(|| Arc::from(client.region())),
            service: text("service").context("no service")?,
            operation: text("operation").context("no operation")?,
            parameters: asked.get("parameters").and_then(Json::as_object).cloned().unwrap_or_default(),
        };
        match client.attempt(&call).await {
            Ok(response) => println!("{}", json!({ "response": response })),
            Err(failure) => println!(
                "{}",
                json!({ "error": { "kind": format!("{:?}", failure.kind), "code": failure.code, "message": failure.message } })
            ),
        }
    }
    Ok(())
}
