//! Signatures of a keosd: one HTTP request for each block, over TCP or a Unix socket. The request runs on a thread of
//! its own: the writer goes on meanwhile, whatever the other side does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use engine::{Refusal, RemoteSigner, SignatureReply};
use primitives::{Checksum256, PublicKey};

/// The path of keosd that signs digests.
const SIGN_PATH: &str = "/v1/wallet/sign_digest";
const HTTP_PORT: u16 = 80;
/// Bytes of an answer that are read; a signature takes about a hundred.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Characters of an answer that are shown when it is no signature.
const SHOWN_MAX: usize = 300;
/// How long the thread works on a request at least before it gives up: a slow answer to one request must not hold the
/// next ones back for ever.
const IO_TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// Where a keosd listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `http://HOST[:PORT][/PATH]`
    Tcp {
        /// Host.
        host: String,
        /// Port.
        port: u16,
        /// Path of the request.
        path: String,
    },
    /// `unix:///SOCKET[/PATH]`; where the socket ends is seen on the disk.
    Unix(PathBuf),
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// It has another form.
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        let (scheme, rest) = url.split_once("://").with_context(|| format!("{url} is not a URL"))?;
        match scheme {
            "http" => {
                let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
                let (host, port) = match authority.rsplit_once(':') {
                    Some((host, port)) if !port.ends_with(']') => {
                        (host, port.parse().with_context(|| format!("the port of {url} is not a number below 65536"))?)
                    }
                    _ => (authority, HTTP_PORT),
                };
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                anyhow::ensure!(!host.is_empty(), "{url} names no host");
                anyhow::ensure!(!path.contains(['\r', '\n', ' ']), "the path of {url} may have no blanks or line ends");
                let path = if path.len() > 1 { path } else { SIGN_PATH }.to_owned();
                Ok(Self::Tcp { host, port, path })
            }
            "unix" => {
                anyhow::ensure!(rest.starts_with('/'), "the socket of {url} must be an absolute path");
                anyhow::ensure!(!rest.contains(['\r', '\n', ' ']), "the path of {url} may have no blanks or line ends");
                Ok(Self::Unix(PathBuf::from(rest)))
            }
            other => anyhow::bail!("a keosd is reached with http:// or unix://, not {other}://"),
        }
    }

    /// Posts `body` and returns what came back with a good status.
    fn post(&self, body: &str, deadline: Instant) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Tcp { host, port, path } => {
                let mut addresses = (host.as_str(), *port).to_socket_addrs().with_context(|| format!("host {host}"))?;
                let address = addresses.next().with_context(|| format!("host {host} has no address"))?;
                let stream = TcpStream::connect_timeout(&address, left(deadline)?).context("connecting")?;
                stream.set_read_timeout(Some(left(deadline)?))?;
                stream.set_write_timeout(Some(left(deadline)?))?;
                exchange(stream, &format!("{host}:{port}"), path, body)
            }
            Self::Unix(given) => {
                let (socket, path) = split_socket(given)
                    .with_context(|| format!("there is no socket on the way to {}", given.display()))?;
                let stream =
                    sockets::connect(&socket).with_context(|| format!("connecting to {}", socket.display()))?;
                stream.set_read_timeout(Some(left(deadline)?))?;
                stream.set_write_timeout(Some(left(deadline)?))?;
                exchange(stream, "localhost", &path, body)
            }
        }
    }
}

/// The socket on a path, and the request's path behind it.
fn split_socket(given: &Path) -> Option<(PathBuf, String)> {
    let is_socket = |path: &Path| path.metadata().is_ok_and(|found| found.file_type().is_socket());
    let socket = given.ancestors().find(|path| is_socket(path))?;
    let path = given.strip_prefix(socket).ok()?.to_string_lossy().into_owned();
    Some((socket.to_owned(), if path.is_empty() { SIGN_PATH.to_owned() } else { format!("/{path}") }))
}

fn left(deadline: Instant) -> anyhow::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    anyhow::ensure!(!left.is_zero(), "it took too long");
    Ok(left)
}

/// One request of HTTP/1.1 and its answer; the connection ends with it.
fn exchange(mut stream: impl Read + Write, host: &str, path: &str, body: &str) -> anyhow::Result<Vec<u8>> {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).and_then(|()| stream.flush()).context("sending")?;
    let mut reader = BufReader::new(stream.take(ANSWER_BYTES_MAX));
    let mut line = String::new();
    reader.read_line(&mut line).context("receiving")?;
    let status: u16 =
        line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("the answer is not HTTP")?;
    let mut content_length = None;
    loop {
        line.clear();
        reader.read_line(&mut line).context("receiving")?;
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            content_length = value.trim().parse::<u64>().ok();
        }
    }
    let mut answer = Vec::new();
    reader.take(content_length.unwrap_or(ANSWER_BYTES_MAX)).read_to_end(&mut answer).context("receiving")?;
    anyhow::ensure!((200..300).contains(&status), "status {status}: {}", shown(&answer));
    Ok(answer)
}

/// What a log line has of an answer.
fn shown(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    text.trim().chars().take(SHOWN_MAX).collect()
}

struct Request {
    digest: Checksum256,
    reply: SignatureReply,
}

/// A key that a keosd holds.
#[derive(Debug)]
pub struct Keosd {
    requests: SyncSender<Request>,
    timeout: Duration,
}

impl Keosd {
    /// Starts the thread that asks.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn start(endpoint: Endpoint, key: &PublicKey, timeout: Duration) -> anyhow::Result<Self> {
        let (requests, receiver) = sync_channel(1);
        let key = key.to_string();
        std::thread::Builder::new()
            .name("keosd".to_owned())
            .spawn(move || answer_all(&endpoint, &key, timeout.max(IO_TIMEOUT_MIN), &receiver))
            .context("the system gives no thread")?;
        Ok(Self { requests, timeout })
    }
}

fn answer_all(endpoint: &Endpoint, key: &str, timeout: Duration, requests: &Receiver<Request>) {
    for request in requests {
        let body = serde_json::json!([request.digest.to_string(), key]).to_string();
        let answer = endpoint.post(&body, Instant::now() + timeout);
        let signature = answer.and_then(|bytes| {
            let signature = serde_json::from_slice(&bytes).ok();
            signature.with_context(|| format!("the answer is not a valid signature: {}", shown(&bytes)))
        });
        (request.reply)(signature.map_err(|error| refusal(format!("{error:#}"))));
    }
}

fn refusal(reason: String) -> Refusal {
    Refusal::Signer { signer: "keosd".to_owned(), reason }
}

impl RemoteSigner for Keosd {
    fn ask(&self, digest: &Checksum256, reply: SignatureReply) -> Result<(), Refusal> {
        self.requests.try_send(Request { digest: *digest, reply }).map_err(|error| match error {
            TrySendError::Full(_) => refusal("it has not answered earlier requests yet".to_owned()),
            TrySendError::Disconnected(_) => refusal("the thread that asks it has ended".to_owned()),
        })
    }

    fn patience(&self) -> Duration {
        self.timeout
    }

    fn silence(&self) -> Refusal {
        refusal(format!("no answer within {} ms; see --keosd-provider-timeout", self.timeout.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Signature;
    use std::net::TcpListener;

    const DIGEST: Checksum256 = Checksum256([7; 32]);

    fn key() -> primitives::PrivateKey {
        primitives::PrivateKey::k1_from_seed([9; 32]).unwrap()
    }

    /// A keosd that answers each request with what `answer` makes of its body.
    fn keosd(answer: impl Fn(&str) -> String + Send + 'static) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut bytes = [0; 2048];
                let mut text = String::new();
                while !text.contains("\r\n\r\n") || !text.ends_with(']') {
                    let count = stream.read(&mut bytes).unwrap();
                    text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
                }
                let body = text.split("\r\n\r\n").nth(1).unwrap();
                stream.write_all(answer(body).as_bytes()).unwrap();
            }
        });
        Endpoint::parse(&format!("http://127.0.0.1:{port}")).unwrap()
    }

    /// Asks a keosd, and waits as long as the writer would.
    fn sign(endpoint: Endpoint, timeout_ms: u64) -> Result<Signature, Refusal> {
        let public = key().public_key().unwrap();
        let keosd = Keosd::start(endpoint, &public, Duration::from_millis(timeout_ms)).unwrap();
        let (sender, answer) = sync_channel(1);
        keosd.ask(&DIGEST, Box::new(move |result| drop(sender.send(result))))?;
        answer.recv_timeout(keosd.patience()).unwrap_or_else(|_| Err(keosd.silence()))
    }

    #[test]
    fn a_keosd_signs_the_digest_it_is_sent() {
        let endpoint = keosd(|body| {
            let (digest, public): (Checksum256, PublicKey) = serde_json::from_str(body).unwrap();
            assert_eq!(public, key().public_key().unwrap());
            let signature = format!("\"{}\"", key().sign(&digest).unwrap());
            format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{signature}", signature.len())
        });
        assert_eq!(sign(endpoint, 2000).unwrap(), key().sign(&DIGEST).unwrap());
    }

    #[test]
    fn refusals_and_silence_are_told_and_bounded() {
        let refusing = keosd(|_| "HTTP/1.1 500 Error\r\nContent-Length: 6\r\n\r\nlocked".to_owned());
        let fault = sign(refusing, 2000).unwrap_err().to_string();
        assert!(fault.contains("500") && fault.contains("locked"), "{fault}");

        for answer in ["\"SIG_K1_garbage\"".to_owned(), "{}".to_owned(), "x".repeat(60_000)] {
            let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
            let fault = sign(keosd(move |_| reply.clone()), 2000).unwrap_err().to_string();
            assert!(fault.contains("is not a valid signature: ") && fault.contains(&answer[..1]), "{fault}");
            assert!(fault.len() < 500 && !fault.contains("sizeof"), "{fault}");
        }

        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::parse(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
        let begin = Instant::now();
        assert!(sign(endpoint, 50).unwrap_err().to_string().contains("50 ms"));
        assert!(begin.elapsed() < Duration::from_millis(500));
        assert!(
            sign(Endpoint::Unix("/nonexistent/keosd.sock".into()), 2000).unwrap_err().to_string().contains("socket")
        );
    }

    #[test]
    fn urls_are_taken_apart() {
        let tcp = |url: &str| match Endpoint::parse(url).unwrap() {
            Endpoint::Tcp { host, port, path } => (host, port, path),
            other => panic!("{other:?}"),
        };
        assert_eq!(tcp("http://h"), ("h".to_owned(), 80, SIGN_PATH.to_owned()));
        assert_eq!(tcp("http://[::1]:8900/x/y"), ("::1".to_owned(), 8900, "/x/y".to_owned()));
        for wrong in ["localhost", "http://", "http://h:port", "https://h", "unix://relative", "http://h/ x"] {
            assert!(Endpoint::parse(wrong).is_err(), "{wrong}");
        }
    }
}
