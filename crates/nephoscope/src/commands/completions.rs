//! `nephoscope completions`

use clap::CommandFactory as _;

use crate::arguments::Arguments;
use crate::{Outcome, output};

/// Prints the script.
pub fn run(shell: clap_complete::Shell) -> anyhow::Result<Outcome> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "nephoscope", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}
