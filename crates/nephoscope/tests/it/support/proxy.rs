//! A fault-injecting HTTP/1.1 proxy on loopback, in front of the test server. One thread a connection, one request a
//! connection; ended when dropped.

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What to do to one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Let it through.
    None,
    /// Answer so, without asking the server.
    Answer { status: u16, content_type: &'static str, body: String },
    /// Close the connection at once.
    Reset,
    /// Let it through, but send only so many bytes of the body.
    Truncate(usize),
    /// Let it through, with text replaced in the answer's body.
    Replace { from: String, to: String },
}

/// A request as the decision sees it.
pub struct Request {
    /// Request line and headers, as sent.
    pub head: String,
    /// The body, as text.
    pub body: String,
    /// How many requests there were before.
    pub number: usize,
}

impl Request {
    /// Whether the head or the body holds the text.
    pub fn mentions(&self, text: &str) -> bool {
        self.head.contains(text) || self.body.contains(text)
    }
}

/// The proxy.
pub struct Proxy {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    /// Requests seen so far.
    pub seen: Arc<AtomicUsize>,
}

impl Proxy {
    /// Starts one in front of `http://host:port`.
    pub fn start(server: &str, decide: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Self {
        let server = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let decide = Arc::new(decide);
        let (stopped, counter) = (stop.clone(), seen.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(connection) = connection else { continue };
                let (server, decide, counter) = (server.clone(), decide.clone(), counter.clone());
                std::thread::spawn(move || {
                    // A client that gives up is not our concern.
                    serve(connection, &server, decide.as_ref(), &counter).ok();
                });
            }
        });
        Self { address, stop, seen }
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
    }
}

fn read_message(reader: &mut impl std::io::BufRead) -> std::io::Result<(String, Vec<u8>)> {
    let mut head = String::new();
    let (mut length, mut chunked) = (None, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse::<usize>().ok();
        }
        chunked |= lower.starts_with("transfer-encoding:") && lower.contains("chunked");
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        None if chunked || head.starts_with("HTTP/") => {
            reader.read_to_end(&mut body)?;
        }
        None => {}
    }
    Ok((head, body))
}

fn serve(
    mut client: TcpStream,
    server: &str,
    decide: &dyn Fn(&Request) -> Fault,
    counter: &AtomicUsize,
) -> std::io::Result<()> {
    let (head, body) = read_message(&mut BufReader::new(client.try_clone()?))?;
    if head.is_empty() {
        return Ok(());
    }
    let number = counter.fetch_add(1, Ordering::SeqCst);
    let fault = decide(&Request { head: head.clone(), body: String::from_utf8_lossy(&body).into_owned(), number });
    match &fault {
        Fault::Reset => return client.shutdown(std::net::Shutdown::Both),
        Fault::Answer { status, content_type, body } => {
            return write!(
                client,
                "HTTP/1.1 {status} Fault\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
        _ => {}
    }
    let mut upstream = TcpStream::connect(server)?;
    let mut request = String::new();
    for line in head.lines().filter(|line| !line.is_empty() && !line.to_lowercase().starts_with("connection:")) {
        request.push_str(line);
        request.push_str("\r\n");
    }
    request.push_str("Connection: close\r\n\r\n");
    upstream.write_all(request.as_bytes())?;
    upstream.write_all(&body)?;
    let (answer, mut body) = read_message(&mut BufReader::new(upstream))?;
    let whole = body.len();
    match fault {
        Fault::Truncate(keep) => body.truncate(keep),
        Fault::Replace { from, to } => body = String::from_utf8_lossy(&body).replace(&from, &to).into_bytes(),
        _ => {}
    }
    let announced = if body.len() < whole { whole } else { body.len() };
    let mut reply = String::new();
    for line in answer.lines().filter(|line| !line.is_empty()) {
        let lower = line.to_lowercase();
        if !["content-length:", "connection:", "transfer-encoding:"].iter().any(|name| lower.starts_with(name)) {
            reply.push_str(line);
            reply.push_str("\r\n");
        }
    }
    reply.push_str(&format!("Content-Length: {announced}\r\nConnection: close\r\n\r\n"));
    client.write_all(reply.as_bytes())?;
    client.write_all(&body)
}
