use super::*;
use crate::harness::http_fault_server::{answer, closing};
use apkvet::transport::Class;

/// An address that nobody listens at.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/main", listener.local_addr().unwrap())
}

#[test]
fn the_second_upstream_is_tried_when_the_first_has_not_the_file() {
    let good = server();
    for bad in ["404", "cut", "longer"] {
        let first = server();
        first.misbehave(move |asked| {
            Some(match bad {
                "404" => answer("404 Not Found", &["Content-Length: 0"], b""),
                "cut" => closing("200 OK", &["Content-Length: 1500", "ETag: \"x\""], &asked.body[..900]),
                _ => closing("200 OK", &["Content-Length: 1501"], &[asked.body.as_slice(), b"x"].concat()),
            })
        });
        let (done, sink) = Bench::patient().fetch(&[upstream(&first), upstream(&good)], &package());
        assert_eq!(done.unwrap().from, 1, "{bad}");
        assert!(sink == body(), "{bad}");
    }
    let (done, _) = Bench::patient().fetch(&[nobody(), upstream(&good)], &package());
    assert_eq!(done.unwrap().from, 1);
}

#[test]
fn nothing_of_one_upstream_is_continued_at_another() {
    let (first, second) = (server(), server());
    first.misbehave(|_| {
        let other = [b'o'; 900];
        Some(closing("200 OK", &["Content-Length: 1500", "ETag: \"x\""], &other))
    });
    let (done, sink) = Bench::patient().fetch(&[upstream(&first), upstream(&second)], &package());
    assert_eq!((done.unwrap().from, sink), (1, body()));
    assert_eq!(second.asked()[0].range(), None);
}

#[test]
fn when_all_fail_each_is_told_and_an_inconsistent_upstream_decides() {
    let second = server();
    second.misbehave(|_| Some(answer("404 Not Found", &["Content-Length: 0"], b"")));
    let (done, _) = Bench::patient().fetch(&[nobody(), upstream(&second)], &package());
    let error = done.unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::Upstream, "not-found"));
    let text = error.to_string();
    assert!(text.contains("cannot connect: Connection refused"), "{text}");
    assert!(text.ends_with(&format!("{}: not found", second.url(PATH))), "{text}");
    let (done, _) = Bench::patient().fetch(&[nobody()], &package());
    assert_eq!(done.unwrap_err().class(), Class::Network);
    let (done, _) = Bench::patient().fetch(&[], &package());
    assert!(matches!(done, Err(FetchError::NoUpstream)));
}

#[test]
fn a_folder_stands_in_for_a_server_and_the_other_way_round() {
    let medium = tempfile::tempdir().unwrap();
    let folder = medium.path().join("main");
    let text = folder.to_str().unwrap().to_owned();
    let server = server();
    let (done, _) = Bench::patient().fetch(&[text.clone(), upstream(&server)], &package());
    assert_eq!(done.unwrap().from, 1);
    let (done, _) = Bench::patient().fetch(std::slice::from_ref(&text), &package());
    let error = done.unwrap_err();
    assert_eq!(
        (error.class(), error.code(), error.remedy()),
        (Class::Local, "folder", Some("is the medium mounted?"))
    );
    std::fs::create_dir_all(folder.join("x86_64")).unwrap();
    std::fs::write(folder.join("x86_64/a+b.apk"), body()).unwrap();
    let (done, sink) = Bench::patient().fetch(&[nobody(), text], &package());
    assert_eq!((done.unwrap().from, sink), (1, body()));
}

#[test]
fn an_index_of_one_time_and_a_package_of_another_do_not_fit_by_length() {
    let server = server();
    server.put(PATH, &[body().as_slice(), b"rebuilt"].concat());
    let (done, _) = Bench::patient().fetch(&[upstream(&server)], &package());
    assert_eq!(problem(&done), Problem::Size { expected: 1500, found: 1507 });
    server.remove(PATH);
    let (done, _) = Bench::patient().fetch(&[upstream(&server)], &package());
    assert_eq!(problem(&done), Problem::NotFound);
    assert_eq!(done.unwrap_err().class(), Class::Upstream);
}

#[test]
fn one_worker_keeps_its_connection() {
    let server = server();
    let mut worker = Fetcher::new(Bench::patient().settings).unwrap().worker();
    let upstreams = [Location::parse(&upstream(&server)).unwrap()];
    for _ in 0..50 {
        worker.fetch(&upstreams, &package(), &mut Vec::new()).unwrap();
    }
    assert_eq!((server.asked().len(), server.connections()), (50, 1));
}

#[test]
fn a_connection_that_went_stale_is_replaced() {
    let server = server();
    // Says that it stays open, and closes.
    server.misbehave(|asked| {
        let length = format!("Content-Length: {}", asked.body.len());
        Some(vec![answer("200 OK", &[&length], &asked.body).remove(0)])
    });
    let mut worker = Fetcher::new(Bench::patient().settings).unwrap().worker();
    let upstreams = [Location::parse(&upstream(&server)).unwrap()];
    for _ in 0..20 {
        worker.fetch(&upstreams, &package(), &mut Vec::new()).unwrap();
    }
}
