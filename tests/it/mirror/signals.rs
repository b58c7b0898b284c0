use std::path::Path;
use std::process::{Child, Output};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::rig::{Rig, Upstream, files_in, listing, package, published};
use crate::harness::http_fault_server::{Asked, FaultServer, Step, head};
use crate::harness::{apkvet, bounded, started};

const AT: &str = "/v3.17/main";

fn first() -> Upstream {
    Upstream::of(&[package("tool", "1.0-r0", &["lib"]), package("lib", "1.0-r0", &[])])
}

/// A mirror of a server, with its configuration in a file.
fn of(server: &FaultServer) -> Rig {
    let rig = Rig { upstreams: format!("\"{}\"", server.url(AT)), ..Rig::subset("\"tool\"") };
    std::fs::write(rig.path("apkvet.toml"), rig.text()).unwrap();
    rig
}

/// The head of an answer and a little of its body, and then nothing.
fn stalled(asked: &Asked) -> Vec<Step> {
    let length = format!("Content-Length: {}", asked.body.len());
    vec![Step::Send([head("200 OK", &[&length]), asked.body[..10].to_vec()].concat()), Step::Hang]
}

/// Ends a run once it has asked for something that ends like this.
fn ended(rig: &Rig, server: &FaultServer, command: &[&str], asked_for: &str, signal: Signal) -> Output {
    let arguments = [&["mirror"], command, &["--config", "apkvet.toml"]].concat();
    let child = started(rig.directory.path(), &arguments);
    let begun = Instant::now();
    while !server.asked().iter().any(|asked| asked.target.ends_with(asked_for)) {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was asked for");
        std::thread::sleep(Duration::from_millis(10));
    }
    send(&child, signal);
    bounded::finished(child, &format!("{arguments:?}, ended when {asked_for} was asked for"))
}

fn send(child: &Child, signal: Signal) {
    let number = i32::try_from(child.id()).unwrap();
    kill_process(Pid::from_raw(number).unwrap(), signal).unwrap();
}

fn sync(directory: &Path) -> i32 {
    apkvet(directory, &["mirror", "sync", "--config", "apkvet.toml"]).code
}

#[test]
fn a_signal_ends_a_sync_at_once_and_what_was_published_stays() {
    for (signal, code, stalls_at) in [
        (Signal::INT, 130, "APKINDEX.tar.gz"),
        (Signal::TERM, 143, "tool-1.1-r0.apk"),
        (Signal::HUP, 129, "tool-1.1-r0.apk"),
    ] {
        let server = FaultServer::start(&[]);
        first().serve(&server, AT);
        let rig = of(&server);
        assert_eq!(sync(rig.directory.path()), 0);
        let before = listing(&rig.path("srv"));
        first()
            .next(&[package("tool", "1.1-r0", &["lib"]), package("lib", "1.0-r0", &[])])
            .serve(&server, AT);
        server.heal();
        server.misbehave(move |asked| asked.target.ends_with(stalls_at).then(|| stalled(asked)));
        let output = ended(&rig, &server, &["sync"], stalls_at, signal);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains("interrupted: nothing is changed"), "{told}");
        assert_eq!(listing(&rig.path("srv")), before, "{stalls_at}");
        server.heal();
        assert_eq!(sync(rig.directory.path()), 0);
        assert_eq!(rig.listed("v3.17/main"), ["tool-1.1-r0", "lib-1.0-r0"]);
        assert_eq!(files_in(&rig.path("srv/spool")), 0);
    }
}

#[test]
fn a_signal_ends_a_repair_at_once_and_the_next_one_repairs() {
    let server = FaultServer::start(&[]);
    first().serve(&server, AT);
    let rig = of(&server);
    assert_eq!(sync(rig.directory.path()), 0);
    let healthy = published(&rig.path("srv"));
    let file = rig.path("srv/current/v3.17/main/x86_64/lib-1.0-r0.apk").canonicalize().unwrap();
    std::fs::remove_file(&file).unwrap();
    server.heal();
    server.misbehave(|asked| asked.target.ends_with("lib-1.0-r0.apk").then(|| stalled(asked)));
    let output = ended(&rig, &server, &["check", "--repair"], "lib-1.0-r0.apk", Signal::TERM);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(143), "{told}");
    assert!(told.contains("interrupted: nothing is changed"), "{told}");
    server.heal();
    let repaired = apkvet(rig.directory.path(), &["mirror", "check", "--repair", "--config", "apkvet.toml"]);
    assert_eq!(repaired.code, 0, "{} {}", repaired.out, repaired.err);
    assert_eq!(published(&rig.path("srv")), healthy);
}
