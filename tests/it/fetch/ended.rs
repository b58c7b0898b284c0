use std::time::{Duration, Instant};

use super::*;
use crate::harness::http_fault_server::{Step, head};
use crate::harness::{bounded, started};

/// A run that waits for the rest of a file, once its private file is there.
fn waiting(context: &Context) -> std::process::Child {
    std::fs::create_dir_all(context.out()).unwrap();
    context.server.misbehave(|asked| {
        let length = format!("Content-Length: {}", asked.body.len());
        let begun = [head("200 OK", &[&length]), asked.body[..100].to_vec()].concat();
        Some(vec![Step::Send(begun), Step::Hang])
    });
    let url = context.server.url("/hello-1.0-r0.apk");
    let key = FakeKey::a();
    let child = started(context.directory.path(), &["fetch", "--to", "out", "--key", key.name(), &url]);
    let begun = Instant::now();
    while context.server.asked().is_empty() || context.left().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was asked for");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

fn signal(child: &std::process::Child, signal: rustix::process::Signal) {
    let number = i32::try_from(child.id()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(number).unwrap(), signal).unwrap();
}

#[test]
fn a_signal_ends_the_run_and_nothing_is_left() {
    use rustix::process::Signal;
    for (kind, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let context = Context::hello();
        let child = waiting(&context);
        signal(&child, kind);
        let output = bounded::finished(child, "a fetch that a signal ends");
        assert_eq!(output.status.code(), Some(code));
        assert_eq!(context.left(), [""; 0]);
    }
}

#[test]
fn what_a_killed_run_leaves_is_hidden_and_gone_after_the_next_one() {
    let context = Context::hello();
    let mut child = waiting(&context);
    child.kill().unwrap();
    child.wait().unwrap();
    let left = context.left();
    assert!(left.len() == 1 && left[0].starts_with(".apkvet-fetch-"), "{left:?}");
    context.server.heal();
    assert_eq!(context.fetch_hello(&[]).code, 0);
    assert_eq!(context.left(), [FILE]);
}

#[test]
fn two_runs_at_once_leave_each_other_alone() {
    let context = Context::hello();
    let child = waiting(&context);
    context.server.heal();
    assert_eq!(context.fetch_hello(&[]).code, 0);
    let left = context.left();
    assert_eq!(left.len(), 2, "{left:?}");
    signal(&child, rustix::process::Signal::INT);
    bounded::finished(child, "a fetch that is interrupted");
    assert_eq!(context.left(), [FILE]);
}
