//! `cargo xtask bench collect`: a scan of a seeded moto server, beside Prowler's on the same server in the same run.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::python;

/// What a scan cost.
struct Cost {
    name: String,
    cpu_seconds: f64,
    wall_seconds: f64,
    peak_mib: f64,
    calls: u64,
    resources: String,
}

/// With `--without-peer` only our own scan; `--seed FILE` seeds with another script than the demo's.
pub fn run(root: &Path, arguments: &[&str]) -> anyhow::Result<bool> {
    let environment = python::test_environment(root)?;
    let seed = arguments
        .iter()
        .position(|word| *word == "--seed")
        .and_then(|at| arguments.get(at + 1))
        .map_or_else(|| root.join("bench/seed.py"), PathBuf::from);
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(["build", "--release", "--package", "nephoscope"])
        .status()?;
    if !built.success() {
        bail!("the release build failed");
    }
    let moto = python::Moto::start(&environment)?;
    python::script(&environment, &seed, &moto)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let work = target.join("bench-collect");
    std::fs::create_dir_all(&work)?;

    let report = work.join("report.json");
    let recording = work.join("recording");
    std::fs::remove_dir_all(&recording).ok();
    let mut ours = Command::new(target.join("release/nephoscope"));
    ours.args(["scan", "aws", "--quiet", "--regions", "us-east-1", "--record"])
        .arg(&recording)
        .arg("--out")
        .arg(&report);
    ours.env("NEPHOSCOPE_HOME", work.join("home"));
    python::aws_test_environment(&mut ours, &moto.url);
    let mut mine = measure("nephoscope", &mut ours, &[0, 3], &moto)?;
    let parsed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report)?)?;
    mine.resources = parsed.pointer("/counts/resources").map(ToString::to_string).unwrap_or_default();
    let mut rows = vec![mine];

    if !arguments.contains(&"--without-peer") {
        let prowler = python::environment(root, "bench-python", &root.join("xtask/requirements-bench.txt"))?;
        let mut peer = Command::new(prowler.join("bin/prowler"));
        peer.args([
            "aws",
            "--region",
            "us-east-1",
            "--output-formats",
            "json-ocsf",
            "--no-banner",
            "--output-directory",
        ])
        .arg(work.join("prowler"));
        python::aws_test_environment(&mut peer, &moto.url);
        rows.push(measure("prowler", &mut peer, &[0, 3], &moto)?);
    }
    println!("{:<12} {:>9} {:>9} {:>10} {:>8} {:>10}", "", "CPU s", "wall s", "peak MiB", "calls", "resources");
    for row in rows {
        println!(
            "{:<12} {:>9.2} {:>9.1} {:>10.0} {:>8} {:>10}",
            row.name, row.cpu_seconds, row.wall_seconds, row.peak_mib, row.calls, row.resources
        );
    }
    Ok(true)
}

/// Runs a command against the server, reading its CPU time and peak memory from /proc until it ends.
fn measure(name: &str, command: &mut Command, codes: &[i32], moto: &python::Moto) -> anyhow::Result<Cost> {
    let started = Instant::now();
    let before = moto.requests()?;
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().with_context(|| format!("starting {name}"))?;
    let (mut cpu_seconds, mut peak_mib) = (0.0, 0.0);
    let status = loop {
        let (cpu, peak) = usage(&child);
        cpu_seconds = f64::max(cpu_seconds, cpu);
        peak_mib = f64::max(peak_mib, peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    if !status.code().is_some_and(|code| codes.contains(&code)) {
        bail!("{name} ended with {status}");
    }
    Ok(Cost {
        name: name.to_owned(),
        cpu_seconds,
        wall_seconds: started.elapsed().as_secs_f64(),
        peak_mib,
        calls: moto.requests()? - before,
        resources: String::new(),
    })
}

/// CPU seconds (user and system) and peak resident MiB so far; zeros when the process has gone.
fn usage(child: &Child) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    // The second field, in parentheses, may hold spaces; user and system time are the 12th and 13th after it.
    let after: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| after.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|text| text.split_whitespace().next())
        .and_then(|kib| kib.parse::<f64>().ok())
        .unwrap_or(0.0);
    ((ticks(11) + ticks(12)) / 100.0, peak / 1024.0)
}
