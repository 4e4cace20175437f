//! `nephoscope identity`

mod can;
mod lint;
mod paths;
mod right_size;

use std::sync::Arc;

use anyhow::bail;
use nepho_catalog::Catalog;
use nepho_identity::{Directory, IdentityId, IdentityKind};

use crate::arguments::IdentityAction;
use crate::{Outcome, output};

pub fn run(catalog: Arc<Catalog>, action: IdentityAction) -> anyhow::Result<Outcome> {
    match action {
        IdentityAction::Can(options) => can::can(&catalog, &options),
        IdentityAction::WhoCan(options) => can::who_can(&catalog, &options),
        IdentityAction::PathsToAdmin(options) => paths::to_administrator(&catalog, &options),
        IdentityAction::PathsTo(options) => paths::to(&catalog, &options),
        IdentityAction::Lint(options) => lint::run(&options),
        IdentityAction::RightSize(options) => right_size::run(&catalog, &options),
    }
}

/// The one user or role of this name or ARN.
fn principal(directory: &Directory, name: &str) -> anyhow::Result<IdentityId> {
    let mut found = directory.named(name);
    found.retain(|id| directory.identity(*id).kind != IdentityKind::Group);
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let names = directory.principals().map(|(_, identity)| &*identity.name);
            let near = nepho_catalog::nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
            bail!("there is no user or role `{name}`{}", near.unwrap_or_default())
        }
        several => {
            let arns: Vec<&str> = several.iter().map(|id| &*directory.identity(*id).arn).collect();
            bail!("several principals are called `{name}`: name one by its ARN ({})", arns.join(", "))
        }
    }
}

/// Writes a line with what stands before its first word; what names of the cloud's hold does nothing to a terminal.
fn indented(text: &str) -> anyhow::Result<()> {
    let words = text.trim_start();
    let space = text.get(..text.len() - words.len()).unwrap_or_default();
    output::line(&format!("{space}{}", nepho_report::harmless(words)))
}
