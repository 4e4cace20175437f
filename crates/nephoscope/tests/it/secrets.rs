//! Planted secrets must not be found in anything that is written or shown.

use crate::support::{against, expect_code, moto, nephoscope, profile, seed};

/// In clear, and as base64 would carry it.
const PLANTED: [&str; 5] = [
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "Tr0ub4dor-and-3-more",
    "AKIAQX7RLDM2VJHKTB5N",
    "plain-but-private-value",
];

const SEED: &str = r##"
import io, zipfile
iam = session.client("iam")
role = iam.create_role(RoleName="f", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr("main.py", "def handler(event, context): return 1")
session.client("lambda").create_function(FunctionName="checkout", Runtime="python3.13", Role=role, Handler="main.handler", Code={"ZipFile": buffer.getvalue()},
    Environment={"Variables": {"STRIPE_API_KEY": "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "NOTE": "plain-but-private-value"}})
session.client("ecs").register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web:1", "memory": 128,
    "environment": [{"name": "GITHUB_TOKEN", "value": "ghp_16C7e42F292c6912E7710c838347Ae178B4a"}, {"name": "AWS_ACCESS_KEY_ID", "value": "AKIAQX7RLDM2VJHKTB5N"}]}])
ec2 = session.client("ec2")
ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, UserData="#!/bin/sh\nexport DB_PASSWORD=Tr0ub4dor-and-3-more\n")
"##;

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    text.as_bytes()
        .chunks_exact(3)
        .flat_map(|three| {
            let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(bits >> shift & 63) as usize]))
        })
        .collect()
}

#[test]
fn nothing_written_or_shown_holds_a_planted_secret() {
    let account = "222200000002";
    seed(account, SEED);
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let mut command = against(home.path(), &moto());
    command.env("AWS_CONFIG_FILE", profile(home.path(), account));
    command.args(["scan", "aws", "--profile", "test", "--regions", "us-east-1", "--verdicts", "all", "--record"]);
    command.arg(home.path().join("recording"));
    for name in ["r.json", "r.csv", "r.sarif", "r.ocsf.json", "r.junit.xml", "r.html"] {
        command.arg("--out").arg(out.join(name));
    }
    let output = command.output().unwrap();
    expect_code(&output, &[0, 3]);

    // What the recording holds, decompressed by another program than ours where it is there, else by the query.
    let everything = nephoscope(home.path())
        .args(["query", "MATCH (n) RETURN properties(n) AS p", "--format", "json", "--replay"])
        .arg(home.path().join("recording"))
        .output()
        .unwrap();
    let mut texts = vec![
        ("stdout".to_owned(), output.stdout.clone()),
        ("stderr".to_owned(), output.stderr.clone()),
        ("graph".to_owned(), everything.stdout.clone()),
    ];
    for path in files_below(home.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let bytes = match path.extension().is_some_and(|extension| extension == "zst") {
            true => zstd::decode_all(bytes.as_slice()).unwrap(),
            false => bytes,
        };
        texts.push((path.display().to_string(), bytes));
    }
    for (name, bytes) in &texts {
        let text = String::from_utf8_lossy(bytes);
        for secret in PLANTED {
            assert!(!text.contains(secret), "{name} holds {secret}");
            // Aligned to any of the three positions in base64.
            for skip in 0..3 {
                let encoded = base64(secret.get(skip..).unwrap());
                assert!(!text.contains(&encoded[..encoded.len().min(16)]), "{name} holds {secret} as base64");
            }
        }
    }
    // And they were found: an empty output would hold no secret either.
    let graph = String::from_utf8_lossy(&everything.stdout).into_owned();
    for kind in ["stripe", "github", "aws-access-key"] {
        assert!(graph.to_lowercase().contains(kind), "no {kind} finding in the graph");
    }
}
