//! `nephoscope permissions`

use std::path::Path;

use anyhow::Context as _;
use nepho_aws::permissions;
use nepho_catalog::Catalog;
use serde_json::Value as Json;

use crate::Outcome;
use crate::arguments::{PermissionsArguments, Provider};
use crate::output::line;

/// Prints the policy.
pub fn run(catalog: &Catalog, options: &PermissionsArguments) -> anyhow::Result<Outcome> {
    let Provider::Aws = options.provider;
    let pretty = |policy: &Json| anyhow::Ok(line(&serde_json::to_string_pretty(policy)?)?);
    if let Some(role) = &options.assume {
        pretty(&permissions::entering_policy(role))?;
    } else if let Some(principal) = &options.trust {
        pretty(&permissions::trust_policy(principal, options.external_id.as_deref()))?;
    } else {
        match &options.split {
            None => pretty(&permissions::policy(catalog))?,
            Some(None) => permissions::parts(catalog).iter().try_for_each(|part| line(&part.to_string()))?,
            Some(Some(folder)) => write(&permissions::parts(catalog), folder)?,
        }
    }
    Ok(Outcome::Done)
}

/// One file a part; their paths to stdout, for a loop over `aws iam create-policy`.
fn write(parts: &[Json], folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making the folder `{}`", folder.display()))?;
    for (number, part) in parts.iter().enumerate() {
        let path = folder.join(format!("nephoscope-read-{}.json", number + 1));
        std::fs::write(&path, format!("{part}\n")).with_context(|| format!("writing `{}`", path.display()))?;
        line(&path.display().to_string())?;
    }
    Ok(())
}
