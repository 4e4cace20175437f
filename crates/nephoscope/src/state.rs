//! Where the last scan is kept: `$NEPHOSCOPE_HOME`, else `$XDG_DATA_HOME/nephoscope`, else `~/.local/share/nephoscope`.

use std::path::PathBuf;

use anyhow::Context as _;
use nepho_model::Timestamp;

/// The data folder.
pub fn home() -> anyhow::Result<PathBuf> {
    if let Some(home) = std::env::var_os("NEPHOSCOPE_HOME").filter(|value| !value.is_empty()) {
        return Ok(home.into());
    }
    if let Some(data) = std::env::var_os("XDG_DATA_HOME").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(data).join("nephoscope"));
    }
    let home = std::env::var_os("HOME").context("neither NEPHOSCOPE_HOME nor HOME is set; set one of them")?;
    Ok(PathBuf::from(home).join(".local/share/nephoscope"))
}

/// A new folder for a recording that starts now.
pub fn new_recording(now: Timestamp) -> anyhow::Result<PathBuf> {
    let name: String = now.to_string().chars().filter(|character| character.is_ascii_alphanumeric()).collect();
    Ok(home()?.join("recordings").join(name))
}

/// Makes a recording the one that commands without `--replay` read.
pub fn remember(recording: &std::path::Path) -> anyhow::Result<()> {
    let home = home()?;
    std::fs::create_dir_all(&home).with_context(|| format!("making the folder {}", home.display()))?;
    let absolute = std::fs::canonicalize(recording).unwrap_or_else(|_| recording.to_owned());
    let temporary = home.join("last.tmp");
    std::fs::write(&temporary, absolute.as_os_str().as_encoded_bytes())
        .and_then(|()| std::fs::rename(&temporary, home.join("last")))
        .with_context(|| format!("writing {}", home.join("last").display()))
}

/// The recording of the last scan.
pub fn last() -> anyhow::Result<PathBuf> {
    let path = home()?.join("last");
    let text = std::fs::read_to_string(&path).map_err(|_| {
        anyhow::anyhow!("there is no scan yet; run `nephoscope scan aws`, or give a recording with --replay")
    })?;
    Ok(PathBuf::from(text))
}
