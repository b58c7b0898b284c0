use super::*;
use crate::harness::http_fault_server::answer;

fn busy(retry_after: Option<&str>) -> Vec<crate::harness::http_fault_server::Step> {
    let after = retry_after.map_or_else(|| "X: y".to_owned(), |value| format!("Retry-After: {value}"));
    answer("503 Service Unavailable", &["Content-Length: 0", &after], b"")
}

#[test]
fn a_server_is_given_the_time_that_it_asks_for_up_to_ten_minutes() {
    for (value, seconds) in [
        ("2", 2.0..2.1),
        ("Wed, 21 Oct 2015 07:29:28 GMT", 88.0..88.1),
        ("1000000000", 600.0..600.1),
        ("99999999999999999999999", 600.0..600.1),
        // What makes no sense is not waited for, beyond our own back-off.
        ("-5", 0.25..0.5),
        ("soon", 0.25..0.5),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0.25..0.5),
    ] {
        let (server, bench) = (server(), Bench::patient());
        server.misbehave(move |asked| (asked.nth == 0).then(|| busy(Some(value))));
        let (done, _) = bench.fetch(&[upstream(&server)], &package());
        assert_eq!(done.unwrap().requests, 2);
        let waited = bench.waited().as_secs_f64();
        assert!(seconds.contains(&waited), "{value}: waited {waited} s");
    }
}

#[test]
fn waits_grow_and_end() {
    let (server, mut bench) = (server(), Bench::patient());
    bench.settings.retries.tries = 6;
    server.misbehave(|_| Some(busy(None)));
    let (done, _) = bench.fetch(&[upstream(&server)], &package());
    assert_eq!(problem(&done), Problem::Status { status: 503 });
    assert_eq!(server.asked().len(), 6);
    // 0.5, 1, 2, 4 and 8 seconds, each between a half and the whole.
    let waited = bench.waited().as_secs_f64();
    assert!((7.75..15.5).contains(&waited), "waited {waited} s");
    let text = error_text(&done);
    assert!(text.ends_with("the server answered 503 Service Unavailable (6 requests)"), "{text}");
}

#[test]
fn a_wait_that_would_outlast_the_whole_time_is_not_begun() {
    let (server, mut bench) = (server(), Bench::patient());
    bench.settings.timeouts.total = Duration::from_secs(60);
    server.misbehave(|_| Some(busy(Some("61"))));
    let (done, _) = bench.fetch(&[upstream(&server)], &package());
    assert_eq!(problem(&done), Problem::Status { status: 503 });
    assert_eq!((server.asked().len(), bench.waited()), (1, Duration::ZERO));
}

#[test]
fn a_refusal_is_not_asked_for_again() {
    for status in ["403 Forbidden", "404 Not Found", "410 Gone", "451 Unavailable", "418 Teapot"] {
        let (server, bench) = (server(), Bench::patient());
        server.misbehave(move |_| Some(answer(status, &["Content-Length: 0"], b"")));
        let (done, _) = bench.fetch(&[upstream(&server)], &package());
        assert!(done.is_err());
        assert_eq!((server.asked().len(), bench.waited()), (1, Duration::ZERO), "{status}");
    }
}
