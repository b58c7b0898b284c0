use super::*;
use crate::harness::http_fault_server::{Step, head};
use apkvet::transport::{Class, Sink};

/// Refuses to hold more than it may.
struct Narrow {
    bytes: u64,
    most: u64,
}

impl Sink for Narrow {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.bytes += u64::try_from(bytes.len()).unwrap();
        assert!(self.bytes <= self.most, "{} bytes were written", self.bytes);
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        self.bytes = 0;
        Ok(())
    }

    fn position(&self) -> u64 {
        self.bytes
    }
}

#[test]
fn no_byte_beyond_the_bound_is_written_and_little_is_read() {
    for (demand, limit) in
        [(Demand::new(&[], 100_000), 100_000), (Demand::new(&[], 1 << 30).sized(5000), 5000)]
    {
        let server = FaultServer::start(&[]);
        server.misbehave(|_| Some(vec![Step::Send(head("200 OK", &[])), Step::Endless(vec![b'x'; 4096])]));
        let upstream = Location::parse(&server.url("/index")).unwrap();
        let mut worker = Fetcher::new(Bench::patient().settings).unwrap().worker();
        let mut sink = Narrow { bytes: 0, most: limit };
        let done = worker.fetch(&[upstream], &demand, &mut sink);
        assert_eq!(problem(&done), Problem::TooLarge { limit });
        assert_eq!(done.unwrap_err().class(), Class::Upstream);
        // What lies in the buffers of the system is never more than some megabytes.
        assert!(server.sent() < 64 << 20, "{} bytes were taken", server.sent());
    }
}

#[test]
fn a_file_that_is_announced_too_long_is_not_begun() {
    let server = FaultServer::start(&[("/index", &[b'x'; 5000])]);
    let (done, sink) = Bench::patient().fetch(&[server.url("/index")], &Demand::new(&[], 4999));
    assert_eq!(problem(&done), Problem::TooLarge { limit: 4999 });
    assert!(sink.is_empty());
    let (done, sink) = Bench::patient().fetch(&[server.url("/index")], &Demand::new(&[], 5000));
    assert_eq!((done.unwrap().bytes, sink.len()), (5000, 5000));
    // It is the head that is refused: the body need not come.
    server
        .misbehave(|_| Some(vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nx".to_vec())]));
    let (done, sink) = Bench::patient().fetch(&[server.url("/index")], &Demand::new(&[], 4999));
    assert_eq!(problem(&done), Problem::TooLarge { limit: 4999 });
    assert!(sink.is_empty());
}

#[test]
fn heads_without_end_are_left_early() {
    let server = FaultServer::start(&[]);
    server.misbehave(|_| {
        Some(vec![Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Step::Endless(b"X: y\r\n".to_vec())])
    });
    let (done, _) = Bench::patient().fetch(&[server.url("/index")], &Demand::new(&[], 100));
    assert!(matches!(problem(&done), Problem::Protocol { .. }), "{done:?}");
    assert!(server.sent() < 64 << 20, "{} bytes were taken", server.sent());
}

#[test]
fn a_sink_that_fails_ends_the_run_at_this_machine() {
    struct Full;
    impl Sink for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<()> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn restart(&mut self) -> std::io::Result<()> {
            Ok(())
        }
        fn position(&self) -> u64 {
            0
        }
    }
    let (one, other) = (server(), server());
    let upstreams = [&one, &other].map(|server| Location::parse(&upstream(server)).unwrap());
    let mut worker = Fetcher::new(Bench::patient().settings).unwrap().worker();
    let failed = worker.fetch(&upstreams, &package(), &mut Full).unwrap_err();
    assert_eq!((failed.class(), failed.code()), (Class::Local, "write"));
    assert!(other.asked().is_empty());
}

#[test]
fn a_run_that_is_ended_stops_within_a_moment() {
    let server = server();
    server.misbehave(|_| Some(vec![Step::Hang]));
    let bench = Bench::patient();
    let cancel = bench.settings.cancel.clone();
    let began = std::time::Instant::now();
    let ending = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
    });
    let (done, _) = bench.fetch(&[upstream(&server)], &package());
    ending.join().unwrap();
    assert!(matches!(done, Err(FetchError::Cancelled)), "{done:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_time_for_the_whole_file_ends_it_whatever_comes() {
    let server = server();
    server.misbehave(|asked| {
        Some(vec![
            Step::Send(head("200 OK", &["Content-Length: 1500"])),
            Step::Drip(asked.body.clone(), Duration::from_millis(20)),
        ])
    });
    let mut bench = Bench::patient();
    bench.settings.timeouts.total = Duration::from_millis(300);
    let (done, _) = bench.fetch(&[upstream(&server)], &package());
    let total = apkvet::transport::Waited::Total;
    assert_eq!(problem(&done), Problem::TimedOut { waited: total, limit: Duration::from_millis(300) });
}
