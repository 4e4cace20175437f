//! `nephoscope completions`

use clap::CommandFactory as _;

use crate::Outcome;
use crate::arguments::Arguments;

/// Prints the script.
pub fn run(shell: clap_complete::Shell) -> anyhow::Result<Outcome> {
    clap_complete::generate(shell, &mut Arguments::command(), "nephoscope", &mut std::io::stdout());
    Ok(Outcome::Done)
}
