//! Writes the tables without the rest of xtask: `BOTOCORE=… cargo run -p nepho-aws --example generate_tables [ROOT]
//! [--check]`.

#![allow(clippy::print_stdout, reason = "a developer's tool talks to the terminal")]

#[path = "../../../xtask/src/gen_aws.rs"]
mod gen_aws;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = arguments.iter().find(|argument| !argument.starts_with("--")).map(std::path::PathBuf::from);
    let root = given.unwrap_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    let data = root.join("target/botocore/data");
    let same = gen_aws::generate(&root, &data, arguments.iter().any(|argument| argument == "--check"))?;
    println!("{}", if same { "nothing to do" } else { "differs" });
    Ok(())
}
