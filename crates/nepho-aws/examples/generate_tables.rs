//! Writes the tables without the rest of xtask: `cargo run -p nepho-aws --example generate_tables [ROOT] [--check]`.

#[path = "../../../xtask/src/gen_aws.rs"]
mod gen_aws;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = arguments.iter().find(|argument| !argument.starts_with("--")).map(std::path::PathBuf::from);
    let root = given.unwrap_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    gen_aws::generate(&root, arguments.iter().any(|argument| argument == "--check"))
}
