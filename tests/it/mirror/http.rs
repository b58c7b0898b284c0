use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apkvet::mirror::{Class, worst};

use apkvet_fixtures::FakeKey;

use super::rig::{Rig, Upstream, package, published};
use crate::harness::http_fault_server::{Asked, FaultServer, answer, healthy};

const AT: &str = "/alpine/v3.17/main";

fn first() -> Upstream {
    Upstream::of(&[package("tool", "1.0-r0", &["lib"]), package("lib", "1.0-r0", &[])])
}

fn second() -> Upstream {
    first().next(&[package("tool", "1.1-r0", &["lib"]), package("lib", "1.1-r0", &[])])
}

/// A mirror of these servers, tried in order.
fn of(servers: &[&FaultServer]) -> Rig {
    let urls: Vec<String> = servers.iter().map(|server| format!("\"{}\"", server.url(AT))).collect();
    Rig { upstreams: urls.join(", "), ..Rig::subset("\"tool\"") }
}

fn serving(upstream: &Upstream) -> FaultServer {
    let server = FaultServer::start(&[]);
    upstream.serve(&server, AT);
    server
}

fn is_index(asked: &Asked) -> bool {
    asked.target.ends_with("APKINDEX.tar.gz")
}

#[test]
fn what_comes_over_http_is_what_comes_from_a_folder() {
    let server = serving(&first());
    let rig = of(&[&server]);
    rig.sync().unwrap();
    let local = Rig::subset("\"tool\"");
    first().write(&local.path("upstream"));
    local.sync().unwrap();
    assert_eq!(published(&rig.path("srv")), published(&local.path("srv")));
    assert!(!rig.sync().unwrap().published);
}

/// H-19: the index changes after it was read; what is published is of one moment.
#[test]
fn an_index_that_is_exchanged_before_its_packages_are_fetched_is_read_again() {
    for published_before in [false, true] {
        let server = Arc::new(serving(&first()));
        let rig = of(&[&server]);
        if published_before {
            rig.sync().unwrap();
            server.heal();
        }
        let (behind, moved) = (Arc::downgrade(&server), AtomicUsize::new(0));
        let third = second().next(&[package("tool", "1.2-r0", &["lib"]), package("lib", "1.1-r0", &[])]);
        second().serve(&server, AT);
        server.misbehave(move |asked| {
            // Upstream moves on after the index was sent, and takes its old packages away.
            let old = healthy(asked);
            if is_index(asked) && moved.fetch_add(1, Ordering::SeqCst) == 0 {
                let server = behind.upgrade()?;
                server.remove(&format!("{AT}/x86_64/tool-1.1-r0.apk"));
                third.serve(&server, AT);
            }
            Some(old)
        });
        rig.sync().unwrap_or_else(|findings| panic!("{findings:?}"));
        assert_eq!(rig.listed("v3.17/main"), ["tool-1.2-r0", "lib-1.1-r0"]);
    }
}

#[test]
fn an_index_that_never_stays_the_same_is_given_up() {
    let server = Arc::new(serving(&first()));
    let rig = of(&[&server]);
    let (behind, moved) = (Arc::downgrade(&server), AtomicUsize::new(0));
    server.misbehave(move |asked| {
        let old = healthy(asked);
        if is_index(asked) {
            let time = u64::try_from(moved.fetch_add(1, Ordering::SeqCst)).unwrap();
            let next = Upstream { time: first().time + time + 1, ..first() };
            next.serve(&*behind.upgrade()?, AT);
        }
        Some(old)
    });
    assert_eq!(rig.refused(), ["upstream-changes"]);
    let indexes = server.asked().iter().filter(|asked| is_index(asked)).count();
    assert_eq!(indexes, 8, "each of four tries reads it twice");
}

/// H-20: the first half of the old file, the second of the new one; the second answer is whole.
#[test]
fn a_package_that_is_exchanged_while_it_is_sent_is_fetched_again() {
    let server = serving(&first());
    let rig = of(&[&server]);
    server.misbehave(|asked| {
        let mut body = asked.body.clone();
        let middle = body.len() / 2;
        body[middle..].iter_mut().for_each(|byte| *byte ^= 0x55);
        let length = format!("Content-Length: {}", body.len());
        let torn = asked.target.ends_with("tool-1.0-r0.apk") && asked.nth == 0;
        torn.then(|| answer("200 OK", &[&length], &body))
    });
    rig.sync().unwrap_or_else(|findings| panic!("{findings:?}"));
    let asked = server.asked();
    let tries: Vec<&Asked> = asked.iter().filter(|asked| asked.target.ends_with("tool-1.0-r0.apk")).collect();
    assert_eq!(tries.len(), 2);
    assert_eq!(tries[1].header("cache-control"), Some("no-cache"));
}

/// A cache on the way that has a bad index, or an old one, until it is told to ask.
fn cached(bad: Vec<u8>) -> FaultServer {
    let server = serving(&second());
    server.misbehave(move |asked| {
        let length = format!("Content-Length: {}", bad.len());
        let past = asked.header("cache-control") == Some("no-cache");
        (is_index(asked) && !past).then(|| answer("200 OK", &[&length], &bad))
    });
    server
}

#[test]
fn an_index_that_does_not_hold_is_asked_for_once_more_past_the_caches() {
    let good = second().index();
    let mut torn = good.clone();
    let last = torn.len() - 30;
    torn[last] ^= 1;
    let foreign = Upstream { key: FakeKey::b(), ..second() }.index();
    let page = b"<!DOCTYPE html><html><body>maintenance</body></html>".to_vec();
    for bad in [torn, good[..good.len() / 2].to_vec(), foreign, page] {
        let server = cached(bad.clone());
        let rig = of(&[&server]);
        rig.sync().unwrap_or_else(|findings| panic!("{findings:?}"));
        assert_eq!(rig.listed("v3.17/main"), ["tool-1.1-r0", "lib-1.1-r0"]);
        // What stays wrong past the caches is refused, after one further request.
        let server = serving(&second());
        server.misbehave(move |asked| {
            let length = format!("Content-Length: {}", bad.len());
            is_index(asked).then(|| answer("200 OK", &[&length], &bad))
        });
        let findings = of(&[&server]).sync().unwrap_err();
        assert_eq!(worst(&findings), Some(Class::Refused), "{findings:?}");
        assert_eq!(server.asked().len(), 2);
    }
}

/// N6: an old index in a cache is no rollback of upstream.
#[test]
fn an_index_that_is_older_than_the_one_before_is_asked_for_once_more_past_the_caches() {
    let server = serving(&first());
    let rig = of(&[&server]);
    rig.sync().unwrap();
    second().serve(&server, AT);
    rig.sync().unwrap();
    let server = cached(first().index());
    let rig = Rig { upstreams: of(&[&server]).upstreams, ..rig };
    let outcome = rig.sync().unwrap_or_else(|findings| panic!("{findings:?}"));
    assert!(!outcome.published);
}

/// H-38: what the first upstream has wrong, the second has right.
#[test]
fn a_second_upstream_stands_in_for_a_bad_one() {
    let (bad, good) = (serving(&first()), serving(&first()));
    bad.misbehave(|asked| {
        let page = b"<!DOCTYPE html><html><body>maintenance</body></html>".as_slice();
        let length = format!("Content-Length: {}", page.len());
        (!asked.body.is_empty()).then(|| answer("200 OK", &[&length], page))
    });
    let rig = of(&[&bad, &good]);
    let outcome = rig.sync().unwrap_or_else(|findings| panic!("{findings:?}"));
    assert!(outcome.findings.iter().any(|finding| finding.code == "html"), "{:?}", outcome.findings);
    let alone = of(&[&bad]);
    assert_eq!(alone.refused(), ["html"]);
}

/// H-38: a second upstream that is older is no way around what is remembered.
#[test]
fn an_older_second_upstream_does_not_bring_an_older_index() {
    let (newer, older) = (serving(&second()), serving(&first()));
    let rig = of(&[&newer, &older]);
    rig.sync().unwrap();
    newer.misbehave(|_| Some(answer("404 Not Found", &["Content-Length: 0"], b"")));
    assert_eq!(rig.refused(), ["not-found", "rollback"]);
}

/// H-39: the index of one moment and the packages of another fit by their digests, or not at all.
#[test]
fn an_index_of_one_upstream_takes_packages_of_another_by_their_digests_alone() {
    let (indexes, packages) = (serving(&second()), serving(&first()));
    indexes
        .misbehave(|asked| (!is_index(asked)).then(|| answer("404 Not Found", &["Content-Length: 0"], b"")));
    let rig = of(&[&indexes, &packages]);
    let findings = rig.sync().unwrap_err();
    assert_eq!(worst(&findings), Some(Class::Upstream), "{findings:?}");
    second().serve(&packages, AT);
    rig.sync().unwrap();
    assert_eq!(rig.listed("v3.17/main"), ["tool-1.1-r0", "lib-1.1-r0"]);
}

#[test]
fn a_network_that_is_away_changes_nothing_and_is_worth_a_retry() {
    let server = serving(&first());
    let rig = of(&[&server]);
    rig.sync().unwrap();
    let before = published(&rig.path("srv"));
    drop(server);
    let findings = rig.sync().unwrap_err();
    assert_eq!(worst(&findings), Some(Class::Network), "{findings:?}");
    assert_eq!(published(&rig.path("srv")), before);
}

#[test]
fn credentials_reach_the_server_and_nothing_that_is_told_or_kept() {
    let server = serving(&first());
    let url = format!("\"{}\"", server.url_as("robot:canary-9c1", AT));
    let rig = Rig { upstreams: url, ..Rig::subset("\"tool\"") };
    let outcome = rig.sync().unwrap();
    assert!(server.asked().iter().all(|asked| asked.header("authorization").is_some()));
    assert!(!format!("{outcome:?}").contains("canary"));
    server.remove(&format!("{AT}/x86_64/APKINDEX.tar.gz"));
    let findings = rig.sync().unwrap_err();
    assert!(!format!("{findings:?}").contains("canary"));
    for name in ["trust.json", "gens/1.json"] {
        let text = std::fs::read_to_string(rig.path("srv/state").join(name)).unwrap();
        assert!(!text.contains("canary"), "{name}");
    }
}
