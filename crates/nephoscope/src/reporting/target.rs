//! Where a report goes to: standard output, a file, or something that is no ordinary file.

use std::ffi::OsString;
use std::fmt;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use nepho_report::{Format, Report};

/// Names of standard output.
const OUTPUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// Where a report goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Output,
    /// A pipe, a device, an open file: written as it is.
    Stream(PathBuf),
    /// A file, there or yet to be made; no link any more. Takes the place of what is there when it is complete.
    File(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output => formatter.write_str("standard output"),
            Self::Stream(path) | Self::File(path) => path.display().fmt(formatter),
        }
    }
}

impl Target {
    /// What the path leads to. An error when nothing can be written there.
    pub fn of(path: &Path) -> anyhow::Result<Self> {
        if OUTPUT.iter().any(|name| path == Path::new(name)) {
            return Ok(Self::Output);
        }
        let shown = path.display();
        match std::fs::metadata(path) {
            Ok(there) if there.is_dir() => bail!("`{shown}` is a folder; name a file in it for the report"),
            // Another name of a file that somebody holds open: it must stay the same file.
            Ok(_) if path.starts_with("/dev") || path.starts_with("/proc") => Ok(Self::Stream(path.to_owned())),
            Ok(there) if there.is_file() => {
                Ok(Self::File(path.canonicalize().with_context(|| format!("looking at `{shown}`"))?))
            }
            Ok(_) => Ok(Self::Stream(path.to_owned())),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("looking at `{shown}`"))
            }
            // A link to a file that is yet to be made.
            Err(_) if path.is_symlink() => Ok(Self::Stream(path.to_owned())),
            Err(_) => {
                if path.file_name().is_none() {
                    bail!("`{shown}` names no file for the report");
                }
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                if !folder.is_dir() {
                    bail!("there is no folder `{}` for the report `{shown}`; make it first", folder.display());
                }
                Ok(Self::File(path.to_owned()))
            }
        }
    }

    /// Writes the report there.
    pub fn write(&self, format: Format, report: &Report) -> anyhow::Result<()> {
        let cannot = || format!("writing the report `{self}`");
        match self {
            Self::Output => {
                let mut output = BufWriter::new(std::io::stdout().lock());
                nepho_report::render(format, report, &mut output)?;
                output.flush().context("writing to standard output")
            }
            Self::Stream(path) => {
                let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path);
                let mut file = BufWriter::new(file.with_context(cannot)?);
                nepho_report::render(format, report, &mut file).with_context(cannot)?;
                file.flush().with_context(cannot)
            }
            Self::File(path) => {
                let temporary = beside(path).with_context(cannot)?;
                let written = replace(path, &temporary, format, report).with_context(cannot);
                if written.is_err() {
                    // What is left of it is of no use; that it cannot be removed is not the error to tell.
                    drop(std::fs::remove_file(&temporary));
                }
                written
            }
        }
    }
}

/// A name beside the file that nothing else has.
fn beside(path: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name()?);
    name.push(format!(".{}.tmp", std::process::id()));
    Some(path.with_file_name(name))
}

/// A reader never sees half a report: it is written beside the file and then takes its place, and its permissions.
fn replace(path: &Path, temporary: &Path, format: Format, report: &Report) -> anyhow::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(temporary)?);
    nepho_report::render(format, report, &mut file)?;
    file.flush()?;
    if let Ok(there) = std::fs::metadata(path) {
        std::fs::set_permissions(temporary, there.permissions())?;
    }
    std::fs::rename(temporary, path)?;
    Ok(())
}
