//! A made-up AWS on loopback: one thread a connection, one request a connection; ended with the test's process.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use nepho_aws::credentials::Environment;
use nepho_aws::{AwsClient, ConnectError, ConnectOptions};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Request {
    /// The `Action` of the query protocols.
    pub fn action(&self) -> &str {
        self.field("Action").unwrap_or_default()
    }

    /// A field of a form; not decoded.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.body.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The time it was signed at, in seconds since 1970.
    pub fn signed_at(&self) -> i64 {
        let text = self.header("x-amz-date").unwrap();
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).unwrap();
        jiff::tz::Offset::UTC.to_timestamp(time).unwrap().as_second()
    }

    /// Whose key it is signed with.
    pub fn key(&self) -> &str {
        let (_, rest) = self.header("authorization").unwrap().split_once("Credential=").unwrap();
        rest.split('/').next().unwrap()
    }

    /// The region it is signed for.
    pub fn region(&self) -> &str {
        let (_, rest) = self.header("authorization").unwrap().split_once("Credential=").unwrap();
        rest.split('/').nth(2).unwrap()
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// XML with a status.
pub fn xml(status: u16, body: impl Into<String>) -> Answer {
    Answer { status, headers: vec![("Content-Type", "text/xml".to_owned())], body: body.into() }
}

/// JSON with a status.
pub fn json(status: u16, body: impl Into<String>) -> Answer {
    Answer { status, headers: vec![("Content-Type", "application/json".to_owned())], body: body.into() }
}

/// An error of the query protocol.
pub fn error(status: u16, code: &str) -> Answer {
    xml(status, format!("<ErrorResponse><Error><Code>{code}</Code><Message>made up</Message></Error></ErrorResponse>"))
}

/// STS: who asks.
pub fn identity(account: &str) -> Answer {
    xml(
        200,
        format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/me</Arn>\
             <UserId>me</UserId><Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
    )
}

/// STS: a role's credentials, good for so many seconds from now.
pub fn assumed(key: &str, seconds: i64) -> Answer {
    let expires = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + seconds).unwrap();
    xml(
        200,
        format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>\
             <SecretAccessKey>s</SecretAccessKey><SessionToken>{key}-token</SessionToken>\
             <Expiration>{expires}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        ),
    )
}

/// A `Date` header that many seconds from now.
pub fn date(seconds: i64) -> (&'static str, String) {
    let time = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + seconds).unwrap();
    ("Date", jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).unwrap())
}

/// The server.
pub struct Fake {
    scheme: &'static str,
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Fake {
    /// The same over TLS, with a certificate for `localhost` that `tests/tls/ca.pem` signed.
    pub fn start_tls(decide: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        use rustls::pki_types::pem::PemObject as _;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let certificate = CertificateDer::from_pem_slice(include_bytes!("../tls/server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::listen(Some(Arc::new(config)), decide)
    }

    /// Starts it. The decision gets the request and how many there were before.
    pub fn start(decide: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::listen(None, decide)
    }

    fn listen(
        tls: Option<Arc<rustls::ServerConfig>>,
        decide: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, decide) = (seen.clone(), Arc::new(decide));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (log, decide, tls) = (log.clone(), decide.clone(), tls.clone());
                std::thread::spawn(move || match tls {
                    None => serve(connection, &log, decide.as_ref()),
                    Some(config) => {
                        let session = rustls::ServerConnection::new(config).unwrap();
                        serve(rustls::StreamOwned::new(session, connection), &log, decide.as_ref());
                    }
                });
            }
        });
        Self { scheme, address, seen }
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests with that `Action` there were.
    pub fn count(&self, action: &str) -> usize {
        self.seen().iter().filter(|request| request.action() == action).count()
    }
}

fn serve(
    client: impl std::io::Read + std::io::Write,
    log: &Mutex<Vec<Request>>,
    decide: &dyn Fn(&Request, usize) -> Answer,
) {
    let mut reader = BufReader::new(client);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    if head.is_empty() {
        // What is no HTTP is told so in HTTP, as real servers do.
        reader.into_inner().write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").ok();
        return;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let request = Request { head, body: String::from_utf8(body).unwrap() };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    let answer = decide(&request, number);
    let mut text =
        format!("HTTP/1.1 {} So\r\nConnection: close\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut client = reader.into_inner();
    // A client that gives up is not our concern.
    client.write_all(format!("{text}\r\n{}", answer.body).as_bytes()).ok();
}

/// A home with a configuration file, and the environment that points to it.
pub fn home(config: &str) -> (tempfile::TempDir, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join(".aws/sso/cache")).unwrap();
    std::fs::write(folder.path().join(".aws/config"), config).unwrap();
    let home = folder.path().display().to_string();
    (folder, vec![("HOME".to_owned(), home), ("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned())])
}

/// Signs in with keys in the environment, or with the profile.
pub async fn connect(
    fake: &Fake,
    variables: &[(String, String)],
    profile: Option<&str>,
) -> Result<AwsClient, ConnectError> {
    let mut pairs: Vec<(&str, &str)> = vec![("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
    pairs.extend(variables.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let options = ConnectOptions {
        profile: profile.map(str::to_owned),
        endpoint_url: Some(fake.url()),
        ..ConnectOptions::default()
    };
    AwsClient::connect_in(&Environment::of(&pairs), options).await
}
