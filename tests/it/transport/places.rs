use super::*;
use crate::harness::http_fault_server::answer;
use apkvet::transport::{Class, Credentials, Proxies, Redirects, SettingsError};

pub(super) fn sent_on(location: &str) -> Vec<crate::harness::http_fault_server::Step> {
    answer("302 Found", &["Content-Length: 0", &format!("Location: {location}")], b"")
}

#[test]
fn credentials_go_to_the_origin_that_they_are_for_and_to_no_other() {
    let (first, second) = (server(), server());
    let to = second.url(PATH);
    first.misbehave(move |_| Some(sent_on(&to)));
    let (done, sink) = Bench::patient().fetch(&[upstream(&first)], &package());
    assert_eq!((done.unwrap().requests, sink), (2, body()));
    // robot:canary-7f3a
    assert_eq!(first.asked()[0].header("authorization"), Some("Basic cm9ib3Q6Y2FuYXJ5LTdmM2E="));
    let forbidden = ["authorization", "cookie", "referer", "proxy-authorization"];
    assert!(forbidden.iter().all(|name| second.asked()[0].header(name).is_none()));
}

#[test]
fn credentials_come_back_with_a_redirect_to_the_first_origin() {
    let server = server();
    server.misbehave(|asked| (!asked.target.contains("again")).then(|| sent_on(&format!("{PATH}?again"))));
    let (done, _) = Bench::patient().fetch(&[upstream(&server)], &package());
    assert!(done.is_ok());
    assert!(server.asked()[1].header("authorization").is_some());
}

#[test]
fn another_host_can_be_refused() {
    let (first, second) = (server(), server());
    let to = format!("http://localhost:{}{PATH}", second.port());
    first.misbehave(move |_| Some(sent_on(&to)));
    let mut bench = Bench::patient();
    bench.settings.redirects = Redirects::SameHost;
    let (done, _) = bench.fetch(&[upstream(&first)], &package());
    assert_eq!(problem(&done), Problem::Redirect { reason: "it leads to another host" });
    assert!(second.asked().is_empty());
}

#[test]
fn the_query_of_a_redirect_is_in_no_error() {
    let (first, second) = (server(), FaultServer::start(&[]));
    let to = format!("{}?token={CANARY}", second.url("/gone"));
    first.misbehave(move |_| Some(sent_on(&to)));
    let (done, _) = Bench::patient().fetch(&[upstream(&first)], &package());
    assert_eq!(problem(&done), Problem::NotFound);
}

#[test]
fn credentials_of_a_file_are_sent_like_those_of_the_url() {
    let server = server();
    let credentials = Credentials::parse(&format!("robot:{CANARY}\n")).unwrap();
    let location = Location::parse(&server.url("/main")).unwrap().with_credentials(credentials);
    let mut worker = Fetcher::new(Bench::patient().settings).unwrap().worker();
    worker.fetch(&[location], &package(), &mut Vec::new()).unwrap();
    assert_eq!(server.asked()[0].header("authorization"), Some("Basic cm9ib3Q6Y2FuYXJ5LTdmM2E="));
}

#[test]
fn a_proxy_is_used_except_where_it_is_not() {
    let (proxy, origin) = (FaultServer::start(&[]), server());
    proxy.misbehave(|_| Some(answer("200 OK", &["Content-Length: 1500"], &body())));
    let mut bench = Bench::patient();
    let url = proxy.url_as(&format!("robot:{CANARY}"), "");
    bench.settings.proxies = Proxies::everything(&url, Some("127.0.0.1"));
    let (done, _) = bench.fetch(&["http://packages.example/main".to_owned()], &package());
    assert!(done.is_ok(), "{done:?}");
    let asked = proxy.asked();
    assert_eq!(asked[0].target, "http://packages.example/main/x86_64/a%2Bb.apk");
    assert_eq!(asked[0].header("proxy-authorization"), Some("Basic cm9ib3Q6Y2FuYXJ5LTdmM2E="));
    let (done, _) = bench.fetch(&[upstream(&origin)], &package());
    assert!(done.is_ok() && proxy.asked().len() == 1 && origin.asked().len() == 1);
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let proxy = FaultServer::start(&[]);
    for (status, scheme) in [("403 Forbidden", "https"), ("407 Authentication Required", "https")] {
        proxy.misbehave(move |_| Some(answer(status, &["Content-Length: 0"], b"")));
        let mut bench = Bench::patient();
        let url = proxy.url_as(&format!("robot:{CANARY}"), "");
        bench.settings.proxies = Proxies::everything(&url, None);
        let (done, _) = bench.fetch(&[format!("{scheme}://packages.example/main")], &package());
        assert!(matches!(problem(&done), Problem::Proxy { proxy, .. } if proxy == "127.0.0.1"));
        assert_eq!(done.unwrap_err().class(), Class::Network);
    }
}

#[test]
fn settings_that_cannot_be_used_are_told_before_anything_is_fetched() {
    let refused =
        |proxies| Fetcher::new(Settings { proxies, ..Settings::default() }).map(|_| ()).unwrap_err();
    let proxy = refused(Proxies::everything(&format!("http://robot:{CANARY}@:x/"), None));
    assert_eq!(proxy, SettingsError::Proxy { scheme: "http" });
    assert!(!proxy.to_string().contains(CANARY));
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"] {
        for authorities in [
            apkvet::transport::Authorities::Add(pem.as_bytes().to_vec()),
            apkvet::transport::Authorities::Only(pem.as_bytes().to_vec()),
        ] {
            let settings = Settings { authorities, ..Settings::default() };
            assert_eq!(Fetcher::new(settings).map(|_| ()).unwrap_err(), SettingsError::Authorities, "{pem}");
        }
    }
    // Well-formed PEM, and no certificate in it.
    let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    for authorities in
        [apkvet::transport::Authorities::Add(pem.clone()), apkvet::transport::Authorities::Only(pem)]
    {
        let refused = Fetcher::new(Settings { authorities, ..Settings::default() }).map(|_| ()).unwrap_err();
        assert!(matches!(refused, SettingsError::Client { .. }), "{refused:?}");
    }
    let agent = Settings { user_agent: "a\nb".to_owned(), ..Settings::default() };
    assert_eq!(Fetcher::new(agent).map(|_| ()).unwrap_err(), SettingsError::UserAgent);
}
