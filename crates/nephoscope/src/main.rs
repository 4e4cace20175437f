//! The binary: reads the command line, runs one command, turns its outcome into an exit code.
//!
//! Exit codes: 0 done; 1 findings at or above `--fail-on`; 2 could not run; 3 ran, but coverage is incomplete.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to the terminal")]

mod arguments;
mod commands;
mod diagnostics;
mod history;
mod output;
mod pipeline;
mod reporting;
mod state;

use std::process::ExitCode;

use clap::Parser as _;

/// What a command came to, worst first where several hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Ran, but not everything could be read.
    Incomplete,
}

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    match commands::run(arguments) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Incomplete) => ExitCode::from(3),
        // A reader such as `head` closed the pipe: nothing is wrong.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            diagnostics::print(&error);
            ExitCode::from(2)
        }
    }
}
