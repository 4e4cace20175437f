//! Compresses the table of actions, which is kept as text so that a change of it can be read, to a tenth of its size.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=data/actions.txt");
    let text = std::fs::read("data/actions.txt")?;
    let packed = PathBuf::from(std::env::var("OUT_DIR")?).join("actions.txt.zst");
    std::fs::write(packed, zstd::encode_all(text.as_slice(), 15)?)?;
    Ok(())
}
