use super::*;
use crate::harness::http_fault_server::{Asked, Step, closing, head, tag};

/// The first `end` bytes, and then the end of the connection.
fn cut_at(asked: &Asked, end: usize, line: &str) -> Vec<Step> {
    let length = format!("Content-Length: {}", asked.body.len());
    closing("200 OK", &[&length, line], &asked.body[..end])
}

#[test]
fn a_body_that_is_cut_at_any_byte_is_completed_by_its_rest() {
    let server = server();
    let bench = Bench::patient();
    for end in (0..1500).step_by(if cfg!(debug_assertions) { 7 } else { 1 }) {
        server.heal();
        server.misbehave(move |asked| {
            (asked.nth == 0).then(|| cut_at(asked, end, &format!("ETag: {}", tag(&asked.body))))
        });
        let (done, sink) = bench.fetch(&[upstream(&server)], &package());
        assert_eq!(done.unwrap().requests, 2, "cut at {end}");
        assert!(sink == body(), "cut at {end}");
        let asked = server.asked();
        assert_eq!(asked[1].range(), (end > 0).then_some(end));
        assert_eq!(asked[1].header("if-range").is_some(), end > 0);
    }
}

#[test]
fn without_a_tag_nothing_is_put_together_from_two_answers() {
    let server = server();
    for line in ["X-Nothing: here", "ETag: W/\"weak\""] {
        server.heal();
        server.misbehave(move |asked| (asked.nth == 0).then(|| cut_at(asked, 700, line)));
        let (done, sink) = Bench::patient().fetch(&[upstream(&server)], &package());
        assert_eq!((done.unwrap().bytes, sink), (1500, body()));
        assert_eq!(server.asked()[1].range(), None);
    }
}

#[test]
fn a_file_of_unknown_length_is_completed_as_well_but_never_taken_for_whole_when_it_is_cut() {
    let server = server();
    let unsized_ = Demand::new(&["x86_64", "a+b.apk"], 1 << 20);
    server.misbehave(|asked| (asked.nth == 0).then(|| cut_at(asked, 700, "ETag: \"x\"")));
    let (done, sink) = Bench::patient().fetch(&[upstream(&server)], &unsized_);
    assert_eq!((done.unwrap().bytes, sink), (1500, body()));
    server.misbehave(|asked| Some(cut_at(asked, 700, "X-Nothing: here")));
    let (done, _) = Bench::patient().fetch(&[upstream(&server)], &unsized_);
    assert!(matches!(problem(&done), Problem::Cut { received: 700, .. }));
}

#[test]
fn a_long_file_over_a_line_that_breaks_often_arrives() {
    let long: Vec<u8> = body().into_iter().cycle().take(9 << 20).collect();
    let server = FaultServer::start(&[("/long", &long)]);
    server.misbehave(|asked| {
        let start = asked.range().unwrap_or(0);
        let end = asked.body.len().min(start + (1 << 20) + 1);
        let lines = match asked.range() {
            None => vec![format!("Content-Length: {}", asked.body.len())],
            Some(start) => {
                let (last, whole) = (asked.body.len() - 1, asked.body.len());
                vec![
                    format!("Content-Range: bytes {start}-{last}/{whole}"),
                    format!("Content-Length: {}", whole - start),
                ]
            }
        };
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let tag = format!("ETag: {}", tag(&asked.body));
        lines.push(&tag);
        let status = if asked.range().is_some() { "206 Partial Content" } else { "200 OK" };
        Some(vec![Step::Send([head(status, &lines), asked.body[start..end].to_vec()].concat())])
    });
    let (done, sink) = Bench::patient().fetch(&[server.url("/long")], &Demand::new(&[], 10 << 20));
    assert_eq!(done.unwrap().requests, 9);
    assert!(sink == long);
}

#[test]
fn what_a_cache_should_not_answer_is_asked_for_past_it() {
    let server = server();
    let (done, _) = Bench::patient().fetch(&[upstream(&server)], &package().revalidated());
    assert!(done.is_ok());
    assert_eq!(server.asked()[0].header("cache-control"), Some("no-cache"));
    // A stale copy of another length is noticed by itself.
    server.heal();
    server.misbehave(|asked| {
        asked.header("cache-control").is_none().then(|| closing("200 OK", &["Content-Length: 3"], b"old"))
    });
    let (done, sink) = Bench::patient().fetch(&[upstream(&server)], &package());
    assert_eq!((done.unwrap().requests, sink), (2, body()));
}
