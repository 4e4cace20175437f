//! Python tools that tests and benches run beside us, each in a virtual environment under `target/`, versions pinned.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// Makes sure that the environment `target/<name>` holds exactly what `requirements` pins; returns its folder.
pub fn environment(root: &Path, name: &str, requirements: &Path) -> anyhow::Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let folder = target.join(name);
    let stamp = folder.join("installed.txt");
    let wanted =
        std::fs::read_to_string(requirements).with_context(|| format!("reading {}", requirements.display()))?;
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    eprintln!("xtask: installing {} into {}", requirements.display(), folder.display());
    check(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), "python3 -m venv")
        .context("python3 with its venv module is needed (Debian: apt-get install python3-venv)")?;
    check(
        Command::new(folder.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(requirements),
        "pip install",
    )?;
    std::fs::write(&stamp, wanted)?;
    Ok(folder)
}

fn check(command: &mut Command, what: &str) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("running {what}"))?;
    if !status.success() {
        bail!("{what} failed: {status}");
    }
    Ok(())
}

/// The tests' environment: moto's server, boto3 (whose botocore is the source of our tables).
pub fn test_environment(root: &Path) -> anyhow::Result<PathBuf> {
    environment(root, "test-python", &root.join("xtask/requirements-test.txt"))
}

/// A moto server of ours on a free loopback port; ended when dropped.
pub struct Moto {
    process: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    log: PathBuf,
}

impl Moto {
    /// Starts it and waits until it answers.
    pub fn start(environment: &Path) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = environment.join(format!("moto-{port}.log"));
        let mut process = Command::new(environment.join("bin/moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            // Else every region of every account has 1,300 snapshots of images that nobody made.
            .env("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()
            .context("starting moto_server")?;
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = process.try_wait()? {
                bail!("moto_server ended at once: {status}");
            }
            if started.elapsed() > Duration::from_secs(60) {
                process.kill().ok();
                bail!("moto_server did not answer within 60 s");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { process, url: format!("http://127.0.0.1:{port}"), log })
    }

    /// How many requests it has answered, by its own log.
    pub fn requests(&self) -> anyhow::Result<u64> {
        let log = std::fs::read(&self.log)?;
        // Lines of failed requests are coloured: nothing may be expected behind the version.
        Ok(String::from_utf8_lossy(&log).lines().filter(|line| line.contains(" HTTP/1.1")).count() as u64)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        std::fs::remove_file(&self.log).ok();
    }
}

/// Runs a Python script against a moto server, with throw-away credentials and no configuration of the user's.
pub fn script(environment: &Path, script: &Path, moto: &Moto) -> anyhow::Result<()> {
    let mut command = Command::new(environment.join("bin/python"));
    command.arg(script);
    aws_test_environment(&mut command, &moto.url);
    check(&mut command, &script.display().to_string())
}

/// Points a command's AWS client at the server.
pub fn aws_test_environment(command: &mut Command, url: &str) {
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"] {
        command.env_remove(name);
    }
    command
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
}
