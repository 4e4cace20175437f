//! `nephoscope compliance`

use std::sync::Arc;

use anyhow::bail;
use nepho_catalog::{Catalog, nearest};
use nepho_report::{FrameworkView, table};
use serde_json::Value as Json;

use crate::arguments::{ComplianceArguments, ReportArguments, TableFormat};
use crate::reporting::Plan;
use crate::{Outcome, output, pipeline, reporting};

/// Shows one framework requirement by requirement, or all of them a line each.
pub fn run(catalog: Arc<Catalog>, options: ComplianceArguments) -> anyhow::Result<Outcome> {
    if let Some(id) = &options.framework
        && !catalog.frameworks.contains_key(id.as_str())
    {
        let names: Vec<&str> = catalog.frameworks.keys().map(AsRef::as_ref).collect();
        match nearest(id, names.iter().copied()) {
            Some(near) => bail!("there is no framework `{id}`; did you mean `{near}`?"),
            None => bail!("there is no framework `{id}`; there are {}", names.join(", ")),
        }
    }
    let plan = Plan::new(&catalog, &ReportArguments::default())?;
    let analysis = pipeline::replay(&catalog, &options.replay)?;
    let mut report = reporting::build(&analysis, &plan);
    match &options.framework {
        None => {
            let rows: Vec<_> = report.compliance.iter().map(overview).collect();
            let columns = ["framework", "title", "score", "pass", "fail", "unknown", "no_resources", "not_automated"];
            output::table(options.format, &columns, &rows)?;
        }
        Some(id) if options.format == TableFormat::Table => {
            report.compliance.retain(|framework| framework.id == *id);
            output::text(&table::compliance(&report, &reporting::list_style()))?;
        }
        Some(id) => {
            let rows: Vec<_> = report
                .compliance
                .iter()
                .filter(|framework| framework.id == *id)
                .flat_map(|framework| &framework.requirements)
                .map(|one| {
                    vec![
                        Json::from(one.id.as_str()),
                        one.state.as_str().into(),
                        one.failed.into(),
                        one.passed.into(),
                        one.unknown.into(),
                        one.title.as_str().into(),
                        one.rules.join(" ").into(),
                    ]
                })
                .collect();
            let columns = ["requirement", "state", "failed", "passed", "unknown", "title", "rules"];
            output::table(options.format, &columns, &rows)?;
        }
    }
    Ok(reporting::outcome(&report, None))
}

fn overview(framework: &FrameworkView) -> Vec<Json> {
    let count = |state: &str| framework.requirements.iter().filter(|one| one.state.as_str() == state).count();
    let mut row = vec![
        Json::from(framework.id.as_str()),
        framework.title.as_str().into(),
        framework.percent().map_or(Json::Null, |percent| format!("{percent} %").into()),
    ];
    row.extend(["pass", "fail", "unknown", "no_resources", "not_automated"].map(|state| Json::from(count(state))));
    row
}
