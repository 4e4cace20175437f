//! `verdicts.parquet`.

use nepho_model::Verdict;

use super::file::{Coded, DataFile};
use crate::error::Error;
use crate::verdict::VerdictRow;

/// All rows.
pub(crate) fn read(file: &DataFile) -> Result<Vec<VerdictRow>, Error> {
    rows(file).map_err(Error::Unreadable)
}

fn rows(file: &DataFile) -> Result<Vec<VerdictRow>, String> {
    let column = |name: &str| file.coded(name, file.rows());
    let (rules, kinds, accounts) = (column("rule")?, column("kind")?, column("account")?);
    let (verdicts, severities, reasons) = (column("verdict")?, column("severity")?, column("reason")?);
    let (keys, _) = file.texts("key")?;
    let text = |column: &Coded, row: usize| {
        let none = column.nulls.as_ref().is_some_and(|nulls| nulls.get(row));
        let code = column.codes.get(row).filter(|_| !none);
        code.and_then(|code| column.dictionary.get(*code as usize)).cloned().unwrap_or_default()
    };
    let unfit = |name: &str, text: &str| file.damaged(format!("column `{name}` has the value `{text}`"));
    (0..file.rows())
        .map(|row| {
            let verdict = text(&verdicts, row);
            let verdict = [Verdict::Fail, Verdict::Unknown, Verdict::Pass]
                .into_iter()
                .find(|known| known.as_str() == &*verdict)
                .ok_or_else(|| unfit("verdict", &verdict))?;
            let severity = text(&severities, row);
            Ok(VerdictRow {
                rule: text(&rules, row),
                kind: text(&kinds, row),
                key: keys.get(row).unwrap_or_default().into(),
                account: text(&accounts, row),
                verdict,
                severity: severity.parse().map_err(|_| unfit("severity", &severity))?,
                reason: text(&reasons, row),
            })
        })
        .collect()
}
