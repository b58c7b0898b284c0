//! The network's faults as a table, for a file whose length is known: what the server does, and what must follow.
//!
//! Each is numbered as in the matrix of faults. One that happens `once` must be survived; one that happens
//! `always` must end in an error of its class.

use std::sync::Arc;
use std::time::Duration;

use apkvet::transport::Class;

use super::http_fault_server::{Answer, Asked, Fault, Step, answer, closing, head, healthy, part, tag};

/// What must follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// The file, byte for byte.
    Arrives,
    /// An error of this class and code.
    Fails(Class, &'static str),
}

/// One fault.
pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) what: &'static str,
    pub(crate) fault: Fault,
    pub(crate) outcome: Outcome,
    /// Whether time-outs decide: they must be short then, and can be long otherwise.
    pub(crate) timed: bool,
}

const NETWORK: fn(&'static str) -> Outcome = |code| Outcome::Fails(Class::Network, code);
const UPSTREAM: fn(&'static str) -> Outcome = |code| Outcome::Fails(Class::Upstream, code);

type Script = fn(&Asked) -> Answer;

fn always(id: &'static str, what: &'static str, outcome: Outcome, script: Script) -> Case {
    let fault: Fault = Arc::new(move |asked| (!asked.body.is_empty()).then(|| script(asked)));
    Case { id, what, fault, outcome, timed: false }
}

/// The first answer for each file is wrong, the next ones are right.
fn once(id: &'static str, what: &'static str, script: Script) -> Case {
    let fault: Fault =
        Arc::new(move |asked| (!asked.body.is_empty() && asked.nth == 0).then(|| script(asked)));
    Case { id, what, fault, outcome: Outcome::Arrives, timed: false }
}

/// The first answer is cut in the middle, and every request for the rest gets a wrong one.
fn rest(id: &'static str, what: &'static str, outcome: Outcome, script: Script) -> Case {
    let fault: Fault = Arc::new(move |asked| {
        if asked.body.is_empty() {
            return None;
        }
        match asked.range() {
            Some(_) => Some(script(asked)),
            None if asked.nth == 0 => Some(cut(asked)),
            None => None,
        }
    });
    Case { id, what, fault, outcome, timed: false }
}

fn timed(case: Case) -> Case {
    Case { timed: true, ..case }
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    [cuts(), lengths(), chunks(), encodings(), parts(), stalls(), floods(), versions()]
        .into_iter()
        .chain([redirects(), places(), waits(), statuses()])
        .flatten()
        .collect()
}

fn half(asked: &Asked) -> &[u8] {
    &asked.body[..asked.body.len() / 2]
}

fn whole_head(asked: &Asked) -> Vec<u8> {
    head(
        "200 OK",
        &[&format!("Content-Length: {}", asked.body.len()), &format!("ETag: {}", tag(&asked.body))],
    )
}

fn cut(asked: &Asked) -> Answer {
    vec![Step::Send([whole_head(asked), half(asked).to_vec()].concat())]
}

fn reset(asked: &Asked) -> Answer {
    let mut answer = cut(asked);
    answer.push(Step::Reset);
    answer
}

fn stalled(asked: &Asked) -> Answer {
    let mut answer = cut(asked);
    answer.push(Step::Hang);
    answer
}

fn cuts() -> Vec<Case> {
    vec![
        once("H-01", "the body is cut", cut),
        always("H-01", "each body is cut", NETWORK("cut"), |asked| {
            vec![Step::Send([whole_head(asked), asked.body[..1].to_vec()].concat())]
        }),
        once("H-02", "the connection is reset in the body", reset),
        once("H-02", "the connection is reset before the head", |_| vec![Step::Reset]),
        always("H-02", "each connection is reset", NETWORK("cut"), |_| vec![Step::Reset]),
        timed(once("H-03", "more is promised than comes, and the connection stays open", stalled)),
    ]
}

/// A head with this line about its length, and the body.
fn with_length(asked: &Asked, line: &str) -> Answer {
    closing("200 OK", &[line], &asked.body)
}

fn lengths() -> Vec<Case> {
    vec![
        always("H-03", "more is promised than there must be", UPSTREAM("size"), |asked| {
            with_length(asked, &format!("Content-Length: {}", asked.body.len() + 5))
        }),
        always("H-04", "less is promised than comes", UPSTREAM("size"), |asked| {
            with_length(asked, &format!("Content-Length: {}", asked.body.len() - 5))
        }),
        once("H-04", "less is promised once", |asked| {
            with_length(asked, &format!("Content-Length: {}", asked.body.len() - 5))
        }),
        always("H-05", "a negative length", NETWORK("protocol"), |asked| {
            with_length(asked, &format!("Content-Length: -{}", asked.body.len()))
        }),
        always("H-05", "a length with a sign", NETWORK("protocol"), |asked| {
            with_length(asked, &format!("Content-Length: +{}", asked.body.len()))
        }),
        always("H-05", "a list of equal lengths", NETWORK("protocol"), |asked| {
            let length = asked.body.len();
            with_length(asked, &format!("Content-Length: {length}, {length}"))
        }),
        always("H-05", "a list of lengths", NETWORK("protocol"), |asked| {
            let length = asked.body.len();
            with_length(asked, &format!("Content-Length: {length}, {}", length + 1))
        }),
        always("H-05", "a length of 2^64", NETWORK("protocol"), |asked| {
            with_length(asked, "Content-Length: 18446744073709551616")
        }),
        always("H-05", "an empty length", NETWORK("protocol"), |asked| with_length(asked, "Content-Length:")),
        always("H-05", "the length twice", NETWORK("protocol"), |asked| {
            let line = format!("Content-Length: {}", asked.body.len());
            closing("200 OK", &[&line, &line], &asked.body)
        }),
    ]
}

fn chunked(asked: &Asked, size_line: &str, end: &str) -> Answer {
    let body = [size_line.as_bytes(), b"\r\n", &asked.body, end.as_bytes()].concat();
    closing("200 OK", &["Transfer-Encoding: chunked"], &body)
}

fn chunks() -> Vec<Case> {
    vec![
        always("H-06", "chunks, all well", Outcome::Arrives, |asked| {
            chunked(asked, &format!("{:x}", asked.body.len()), "\r\n0\r\n\r\n")
        }),
        always("H-06", "both a length and chunks", NETWORK("protocol"), |asked| {
            let length = format!("Content-Length: {}", asked.body.len());
            let body =
                [format!("{:x}\r\n", asked.body.len()).as_bytes(), &asked.body, b"\r\n0\r\n\r\n"].concat();
            closing("200 OK", &[&length, "Transfer-Encoding: chunked"], &body)
        }),
        always("H-06", "a chunk of no number", NETWORK("protocol"), |asked| {
            chunked(asked, "zz", "\r\n0\r\n\r\n")
        }),
        always("H-06", "a chunk extension of 1 MiB", NETWORK("protocol"), |asked| {
            let line = format!("{:x};{}", asked.body.len(), "x".repeat(1 << 20));
            chunked(asked, &line, "\r\n0\r\n\r\n")
        }),
        always("H-06", "no last chunk", NETWORK("cut"), |asked| {
            chunked(asked, &format!("{:x}", asked.body.len()), "\r\n")
        }),
        always("H-07", "no length, and the whole", Outcome::Arrives, |asked| {
            closing("200 OK", &[], &asked.body)
        }),
        always("H-07", "no length, and too little", NETWORK("cut"), |asked| {
            closing("200 OK", &[], half(asked))
        }),
        once("H-07", "no length, and too little once", |asked| closing("200 OK", &[], half(asked))),
    ]
}

fn encodings() -> Vec<Case> {
    vec![
        always("H-08", "stored gzip that is called an encoding", Outcome::Arrives, |asked| {
            assert_eq!(asked.header("accept-encoding"), Some("identity"));
            let length = format!("Content-Length: {}", asked.body.len());
            answer("200 OK", &[&length, "Content-Encoding: gzip"], &asked.body)
        }),
        always("H-09", "one more layer of gzip", UPSTREAM("size"), |asked| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut packed, &asked.body).unwrap();
            let packed = packed.finish().unwrap();
            let length = format!("Content-Length: {}", packed.len());
            answer("200 OK", &[&length, "Content-Encoding: gzip"], &packed)
        }),
    ]
}

/// A wrong part, from `start` to `end` of a file of `whole` bytes.
fn wrong_part(asked: &Asked, start: usize, end: usize, whole: usize) -> Answer {
    let lines = [
        format!("Content-Range: bytes {start}-{end}/{whole}"),
        format!("Content-Length: {}", asked.body.len() - start),
        format!("ETag: {}", tag(&asked.body)),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    closing("206 Partial Content", &lines, &asked.body[start..])
}

fn parts() -> Vec<Case> {
    vec![
        once("H-10", "a part that nobody asked for", |asked| part(asked, 0)),
        always("H-10", "nothing but parts", NETWORK("protocol"), |asked| part(asked, 0)),
        rest("H-10", "the range is ignored", Outcome::Arrives, |asked| {
            let length = format!("Content-Length: {}", asked.body.len());
            answer("200 OK", &[&length, &format!("ETag: {}", tag(&asked.body))], &asked.body)
        }),
        rest("H-11", "the part begins a byte early", Outcome::Arrives, |asked| {
            let start = asked.range().unwrap() - 1;
            wrong_part(asked, start, asked.body.len() - 1, asked.body.len())
        }),
        rest("H-11", "the part begins a byte late", Outcome::Arrives, |asked| {
            let start = asked.range().unwrap() + 1;
            wrong_part(asked, start, asked.body.len() - 1, asked.body.len())
        }),
        rest("H-11", "the part is of a file of another length", Outcome::Arrives, |asked| {
            wrong_part(asked, asked.range().unwrap(), asked.body.len(), asked.body.len() + 1)
        }),
        rest("H-11", "the part overlaps", Outcome::Arrives, |asked| {
            wrong_part(asked, 0, asked.body.len() - 1, asked.body.len())
        }),
        rest("H-11", "a part without a range", Outcome::Arrives, |asked| {
            let rest = &asked.body[asked.range().unwrap()..];
            closing("206 Partial Content", &[&format!("Content-Length: {}", rest.len())], rest)
        }),
        rest("H-11", "several parts in one", Outcome::Arrives, |asked| {
            let body = [b"--x\r\n\r\n", asked.body.as_slice(), b"\r\n--x--\r\n"].concat();
            let length = format!("Content-Length: {}", body.len());
            let kind = "Content-Type: multipart/byteranges; boundary=x";
            closing("206 Partial Content", &[&length, kind], &body)
        }),
        rest("H-11", "the part is of another version", Outcome::Arrives, |asked| {
            let start = asked.range().unwrap();
            let range = format!("Content-Range: bytes {start}-{}/{}", asked.body.len() - 1, asked.body.len());
            closing("206 Partial Content", &[&range, "ETag: \"other\""], &asked.body[start..])
        }),
        rest("H-28", "416 for the rest", Outcome::Arrives, |_| {
            answer("416 Range Not Satisfiable", &["Content-Length: 0"], b"")
        }),
    ]
}

fn drip(asked: &Asked) -> Answer {
    vec![Step::Send(whole_head(asked)), Step::Drip(asked.body.clone(), Duration::from_millis(40))]
}

fn stalls() -> Vec<Case> {
    vec![
        timed(once("H-12", "nothing comes", |_| vec![Step::Hang])),
        timed(always("H-12", "nothing ever comes", NETWORK("timed-out"), |_| vec![Step::Hang])),
        timed(once("H-12", "the body stops in the middle", stalled)),
        timed(always("H-12", "each body stops at once", NETWORK("timed-out"), |asked| {
            vec![Step::Send(whole_head(asked)), Step::Hang]
        })),
        timed(once("H-13", "a byte now and then", drip)),
        timed(always("H-13", "always a byte now and then", NETWORK("too-slow"), drip)),
    ]
}

fn floods() -> Vec<Case> {
    vec![
        always("H-14", "a body without end", UPSTREAM("too-large"), |_| {
            vec![Step::Send(head("200 OK", &[])), Step::Endless(vec![b'x'; 4096])]
        }),
        always("H-14", "an error page without end", UPSTREAM("not-found"), |_| {
            vec![Step::Send(head("404 Not Found", &[])), Step::Endless(vec![b'x'; 4096])]
        }),
        always("H-15", "a header line without end", NETWORK("protocol"), |_| {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nX: ".to_vec()), Step::Endless(vec![b'x'; 4096])]
        }),
        always("H-15", "header lines without end", NETWORK("protocol"), |_| {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Endless(b"X: y\r\n".to_vec())]
        }),
        timed(always("H-15", "interim answers without end", NETWORK("timed-out"), |_| {
            vec![Step::Endless(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n".to_vec())]
        })),
    ]
}

/// The first half under these lines, and then the end of the connection.
fn half_as(asked: &Asked, line: &str) -> Answer {
    closing("200 OK", &[&format!("Content-Length: {}", asked.body.len()), line], half(asked))
}

fn versions() -> Vec<Case> {
    vec![
        once("H-16", "the tag changes before the rest is asked for", |asked| half_as(asked, "ETag: \"old\"")),
        once("H-16", "the time changes before the rest is asked for", |asked| {
            half_as(asked, "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT")
        }),
        once("H-17", "a weak tag", |asked| half_as(asked, "ETag: W/\"weak\"")),
        once("H-17", "no tag", |asked| half_as(asked, "X-Nothing: here")),
        once("H-18", "not modified, without a condition", |_| closing("304 Not Modified", &[], b"")),
        always("H-18", "never modified", NETWORK("status"), |_| closing("304 Not Modified", &[], b"")),
        once("H-20", "replaced in the middle", |asked| {
            let old = vec![b'o'; asked.body.len()];
            let tag = format!("ETag: {}", tag(&old));
            closing("200 OK", &[&format!("Content-Length: {}", old.len()), &tag], &old[..old.len() / 2])
        }),
    ]
}

fn sent_on(status: &str, location: &str) -> Answer {
    answer(status, &["Content-Length: 0", &format!("Location: {location}")], b"")
}

/// How many redirects lie behind.
fn hops(asked: &Asked) -> usize {
    asked.target.split_once("?hop=").map_or(0, |(_, hop)| hop.parse().unwrap())
}

fn path(asked: &Asked) -> &str {
    asked.target.split('?').next().unwrap()
}

fn hop_until(asked: &Asked, last: usize) -> Answer {
    let next = hops(asked) + 1;
    if next > last { healthy(asked) } else { sent_on("302 Found", &format!("{}?hop={next}", path(asked))) }
}

fn redirects() -> Vec<Case> {
    vec![
        always("H-21", "five redirects", Outcome::Arrives, |asked| hop_until(asked, 5)),
        always("H-21", "six redirects", UPSTREAM("redirect"), |asked| hop_until(asked, 6)),
        always("H-21", "a redirect to itself", UPSTREAM("redirect"), |asked| {
            sent_on("301 Moved Permanently", path(asked))
        }),
        always("H-21", "a redirect to a part of itself", UPSTREAM("redirect"), |asked| {
            sent_on("308 Permanent Redirect", &format!("{}#part", path(asked)))
        }),
        always("H-25", "a redirect to nowhere", UPSTREAM("redirect"), |_| {
            answer("302 Found", &["Content-Length: 0"], b"")
        }),
        always("H-25", "a redirect of 1 MiB", NETWORK("protocol"), |_| {
            sent_on("302 Found", &format!("/{}", "x".repeat(1 << 20)))
        }),
        always("H-25", "several choices", NETWORK("status"), |_| sent_on("300 Multiple Choices", "/x")),
        always("H-25", "use a proxy", NETWORK("status"), |_| sent_on("305 Use Proxy", "/x")),
    ]
}

fn places() -> Vec<Case> {
    let refused = UPSTREAM("redirect");
    vec![
        always("H-24", "to a local file", refused, |_| sent_on("302 Found", "file:///etc/passwd")),
        always("H-24", "to ftp", refused, |_| sent_on("302 Found", "ftp://127.0.0.1/x")),
        always("H-24", "to data", refused, |_| sent_on("302 Found", "data:,x")),
        always("H-24", "to a host that looks like a path", refused, |_| sent_on("302 Found", "//127.0.0.1/")),
        always("H-24", "to a host behind backslashes", refused, |_| sent_on("302 Found", "\\\\127.0.0.1")),
        always("H-24", "to a host behind a user name", refused, |_| {
            sent_on("302 Found", "http://good.example@127.0.0.1/")
        }),
    ]
}

fn busy(retry_after: &str) -> Answer {
    answer("429 Too Many Requests", &["Content-Length: 0", &format!("Retry-After: {retry_after}")], b"")
}

fn waits() -> Vec<Case> {
    vec![
        once("H-26", "come back in two seconds", |_| busy("2")),
        once("H-26", "come back at a date", |_| busy("Wed, 21 Oct 2015 07:28:02 GMT")),
        once("H-26", "come back in thirty years", |_| busy("1000000000")),
        once("H-26", "come back a while ago", |_| busy("-5")),
        once("H-26", "come back soon", |_| busy("soon")),
        always("H-26", "always come back", NETWORK("status"), |_| busy("2")),
    ]
}

fn plain(status: &str) -> Answer {
    answer(status, &["Content-Length: 4"], b"text")
}

fn statuses() -> Vec<Case> {
    vec![
        once("H-27", "an error of the server", |_| plain("500 Internal Server Error")),
        once("H-27", "a gateway that is down", |_| plain("502 Bad Gateway")),
        always("H-27", "a server that is down for good", NETWORK("status"), |_| {
            plain("503 Service Unavailable")
        }),
        always("H-28", "forbidden", UPSTREAM("status"), |_| plain("403 Forbidden")),
        always("H-28", "not found", UPSTREAM("not-found"), |_| plain("404 Not Found")),
        always("H-28", "gone", UPSTREAM("not-found"), |_| plain("410 Gone")),
        always("H-28", "no such range, though none was asked for", UPSTREAM("status"), |_| {
            plain("416 Range Not Satisfiable")
        }),
        always("H-28", "unavailable for legal reasons", UPSTREAM("status"), |_| plain("451 Unavailable")),
        always("H-28", "a page in place of the file", UPSTREAM("size"), |_| {
            answer("200 OK", &["Content-Length: 15", "Content-Type: text/html"], b"<html>off</html")
        }),
    ]
}
