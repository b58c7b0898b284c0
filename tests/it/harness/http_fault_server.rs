//! An HTTP server that can be wrong on purpose: raw sockets, scripted bytes, one thread a connection.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a client asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Path and query as sent.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// How many requests for the same target came before.
    pub(crate) nth: usize,
    /// What a healthy server would send; empty if it has no such file.
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first byte of an open range.
    pub(crate) fn range(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// One step of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// These bytes.
    Send(Vec<u8>),
    /// The same bytes until the client goes away.
    Endless(Vec<u8>),
    /// These bytes one by one, with a pause before each.
    Drip(Vec<u8>, Duration),
    /// Nothing, until the client goes away or the server ends.
    Hang,
    /// The connection is reset.
    Reset,
    /// The next request of this connection is answered.
    Keep,
}

/// A whole answer; the connection is closed after it unless it says otherwise.
pub(crate) type Answer = Vec<Step>;

/// Says how a request is answered; none: as a healthy server would.
pub(crate) type Fault = Arc<dyn Fn(&Asked) -> Option<Answer> + Send + Sync>;

/// A server on the loopback interface that ends with its value.
pub(crate) struct FaultServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    fault: Mutex<Option<Fault>>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    sent: AtomicU64,
    ended: AtomicBool,
}

impl FaultServer {
    /// Serves these files, by path with a leading slash.
    pub(crate) fn start(files: &[(&str, &[u8])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
        let shared = Arc::new(Shared {
            files: Mutex::new(files),
            fault: Mutex::new(None),
            asked: Mutex::new(Vec::new()),
            connections: AtomicUsize::new(0),
            sent: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&accepting)) else { continue };
                shared.connections.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, shared }
    }

    /// Puts a file there, or exchanges one.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        self.shared.files.lock().unwrap().insert(path.to_owned(), bytes.to_vec());
    }

    /// Takes a file away.
    pub(crate) fn remove(&self, path: &str) {
        self.shared.files.lock().unwrap().remove(path);
    }

    /// Goes wrong from now on.
    pub(crate) fn misbehave(&self, fault: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) {
        *self.shared.fault.lock().unwrap() = Some(Arc::new(fault));
    }

    /// Is healthy from now on, and forgets what was asked.
    pub(crate) fn heal(&self) {
        *self.shared.fault.lock().unwrap() = None;
        self.shared.asked.lock().unwrap().clear();
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The same with a user name and a password.
    pub(crate) fn url_as(&self, userinfo: &str, path: &str) -> String {
        format!("http://{userinfo}@{}{path}", self.address)
    }

    /// The number of the port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many bytes clients took, buffers of the system included.
    pub(crate) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // The thread that accepts is woken by a last connection.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        stream.set_nodelay(true).unwrap();
        while let Some((head, length)) = self.head(&stream) {
            let asked = self.note(&head);
            let fault = self.fault.lock().unwrap().clone();
            let answer = fault.and_then(|fault| fault(&asked)).unwrap_or_else(|| healthy(&asked));
            // A connection that is closed with bytes unread is reset by the system.
            let unread = if answer.iter().any(|step| matches!(step, Step::Reset)) { 1 } else { 0 };
            io::Read::read_exact(&mut stream, &mut vec![0; length - unread]).unwrap();
            if !self.play(&mut stream, &answer) {
                return;
            }
        }
    }

    /// The head of a request, which stays in the buffer of the system, and its length.
    fn head(&self, stream: &TcpStream) -> Option<(String, usize)> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            if self.ended.load(Ordering::SeqCst) {
                return None;
            }
            match stream.peek(&mut buffer) {
                Ok(0) => return None,
                Ok(read) => {
                    let end = buffer[..read].windows(4).position(|window| window == b"\r\n\r\n");
                    if let Some(end) = end {
                        return Some((String::from_utf8_lossy(&buffer[..end]).into_owned(), end + 4));
                    }
                }
                Err(error) if is_pause(&error) => {}
                Err(_) => return None,
            }
        }
    }

    fn note(&self, head: &str) -> Asked {
        let mut lines = head.split("\r\n");
        let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers = lines.map(header).collect();
        let path = target.split('?').next().unwrap();
        let body = self.files.lock().unwrap().get(path).cloned().unwrap_or_default();
        let mut all = self.asked.lock().unwrap();
        let nth = all.iter().filter(|before| before.target == target).count();
        let asked = Asked { target, headers, nth, body };
        all.push(asked.clone());
        asked
    }

    /// Says whether the connection goes on.
    fn play(&self, stream: &mut TcpStream, answer: &[Step]) -> bool {
        for step in answer {
            let done = match step {
                Step::Send(bytes) => self.send(stream, bytes),
                Step::Endless(bytes) => loop {
                    if let Err(error) = self.send(stream, bytes) {
                        break Err(error);
                    }
                },
                Step::Drip(bytes, pause) => bytes.iter().try_for_each(|byte| {
                    thread::sleep(*pause);
                    self.send(stream, &[*byte])
                }),
                Step::Hang => {
                    self.wait(stream);
                    return false;
                }
                Step::Reset => return false,
                Step::Keep => return true,
            };
            if done.is_err() {
                return false;
            }
        }
        false
    }

    fn send(&self, stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(ErrorKind::BrokenPipe.into());
        }
        stream.write_all(bytes)?;
        self.sent.fetch_add(u64::try_from(bytes.len()).unwrap(), Ordering::SeqCst);
        Ok(())
    }

    fn wait(&self, stream: &TcpStream) {
        let mut byte = [0];
        while !self.ended.load(Ordering::SeqCst) {
            match stream.peek(&mut byte) {
                Err(error) if is_pause(&error) => {}
                _ => return,
            }
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// What a good server answers: the whole, or the rest of it, with a tag made from the bytes.
pub(crate) fn healthy(asked: &Asked) -> Answer {
    if asked.body.is_empty() {
        return answer("404 Not Found", &["Content-Length: 9"], b"not found");
    }
    let tag = tag(&asked.body);
    let unchanged = asked.header("if-range").is_none_or(|known| known == tag);
    let length = asked.body.len();
    match asked.range().filter(|start| unchanged && *start < length) {
        Some(start) => part(asked, start),
        None => {
            let length = format!("Content-Length: {length}");
            answer("200 OK", &[&length, &format!("ETag: {tag}"), "Accept-Ranges: bytes"], &asked.body)
        }
    }
}

/// The rest of the file from a byte on, as a good server sends it.
pub(crate) fn part(asked: &Asked, start: usize) -> Answer {
    let whole = asked.body.len();
    let lines = [
        format!("Content-Range: bytes {start}-{}/{whole}", whole - 1),
        format!("Content-Length: {}", whole - start),
        format!("ETag: {}", tag(&asked.body)),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    answer("206 Partial Content", &lines, &asked.body[start..])
}

/// A strong tag that differs with the bytes.
pub(crate) fn tag(body: &[u8]) -> String {
    let sum = body.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("\"{sum:x}\"")
}

/// A head and a body, after which the connection stays open.
pub(crate) fn answer(status: &str, lines: &[&str], body: &[u8]) -> Answer {
    vec![Step::Send([head(status, lines), body.to_vec()].concat()), Step::Keep]
}

/// A head and a body, after which the connection is closed.
pub(crate) fn closing(status: &str, lines: &[&str], body: &[u8]) -> Answer {
    // Said as well, or the next request may run into the end of this connection.
    let lines = [lines, &["Connection: close"]].concat();
    vec![Step::Send([head(status, &lines), body.to_vec()].concat())]
}

/// The head of an answer.
pub(crate) fn head(status: &str, lines: &[&str]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for line in lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}
