//! The binary as a user runs it, against real counterparts on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]
#![allow(clippy::print_stdout, reason = "tests")]

mod bad_input;
mod demo;
mod faults;
mod lint;
mod permissions;
mod reports;
mod scan;
mod secrets;
mod snapshots;
mod support;
