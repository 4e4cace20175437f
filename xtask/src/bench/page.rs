//! `docs/benchmarks.md`: each bench writes its own section between its own marks and leaves the others alone.

use std::path::Path;

use nepho_model::Timestamp;

const NEW: &str = "# Benchmarks\n\nEvery table was written by the command above it; other text is nowhere here.\n";

/// Puts what a command found out under that command, with the date and the machine; a section that is not there yet goes to
/// the end.
pub fn write(root: &Path, command: &str, text: &str) -> anyhow::Result<()> {
    let path = root.join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&path).unwrap_or_else(|_| NEW.to_owned());
    let (start, end) = (format!("<!-- {command} -->\n"), format!("<!-- end of {command} -->\n"));
    let date = Timestamp::now().to_string();
    let date = date.split('T').next().unwrap_or_default();
    let section = format!("{start}## `cargo xtask {command}`\n\n{}\n\n{date}; {}.\n{end}", text.trim(), machine());
    let page = match (page.find(&start), page.find(&end)) {
        (Some(from), Some(to)) if from < to => format!("{}{section}{}", &page[..from], &page[to + end.len()..]),
        _ => format!("{page}\n{section}"),
    };
    std::fs::write(path, page)?;
    Ok(())
}

/// Cores, processor, memory and kernel.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let processor = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let memory = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {processor}, {:.0} GiB, Linux {}", memory / f64::from(1 << 20), kernel.trim())
}
