//! `nephoscope permissions`

use nepho_catalog::Catalog;

use crate::Outcome;
use crate::arguments::Provider;

/// Prints the policy.
pub fn run(catalog: &Catalog, provider: Provider) -> anyhow::Result<Outcome> {
    match provider {
        Provider::Aws => {
            let policy = nepho_aws::permissions::policy(catalog);
            crate::output::line(&serde_json::to_string_pretty(&policy)?)?;
        }
    }
    Ok(Outcome::Done)
}
