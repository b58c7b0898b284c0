use super::*;

fn entry(event: Event, path: &str, sha256: &str) -> Entry {
    let origin = (event != Event::Dropped).then(|| Origin { upstream: "a".into(), ..Origin::default() });
    Entry { event, path: path.into(), sha256: sha256.into(), identity: Some("Q1".into()), origin }
}

/// Three links: a file comes, changes, and goes.
fn chain() -> Vec<Vec<u8>> {
    let entries = [
        entry(Event::Published, "main/x86_64/a-1.apk", "11"),
        entry(Event::Replaced, "main/x86_64/a-1.apk", "22"),
        entry(Event::Dropped, "main/x86_64/a-1.apk", "22"),
    ];
    let mut previous = None;
    let link = |(generation, entry)| {
        let link = Link::new(generation, previous.take(), 100 + generation, vec![entry]);
        let (bytes, digest) = link.to_bytes().unwrap();
        previous = Some(digest);
        bytes
    };
    (1..).zip(entries).map(link).collect()
}

#[test]
fn a_chain_that_holds_answers_what_was_ever_at_a_path() {
    let history = History::read(chain(), None).unwrap();
    let events: Vec<(u64, Event)> =
        history.of_path("main/x86_64/a-1.apk").map(|(time, entry)| (time, entry.event)).collect();
    assert_eq!(events, [(101, Event::Published), (102, Event::Replaced), (103, Event::Dropped)]);
    assert_eq!(history.changed_paths()["main/x86_64/a-1.apk"], ["11", "22"]);
    assert_eq!(history.origin("11").map(|origin| origin.upstream.as_str()), Some("a"));
    assert_eq!(history.origin("33"), None);
}

#[test]
fn the_remembered_head_is_the_last_link() {
    let head = History::read(chain(), None).unwrap().head().unwrap().to_owned();
    assert!(History::read(chain(), Some(&head)).is_ok());
    let shorter = &chain()[..2];
    let error = History::read(shorter, Some(&head)).unwrap_err();
    assert!(matches!(error, HistoryError::Head { expected, .. } if expected == head));
}

#[test]
fn every_changed_byte_and_every_missing_link_breaks_the_chain() {
    let links = chain();
    let head = History::read(&links, None).unwrap().head().unwrap().to_owned();
    for (at, link) in links.iter().enumerate() {
        for byte in 0..link.len() {
            let mut changed = links.clone();
            changed[at][byte] ^= 1;
            assert!(History::read(&changed, Some(&head)).is_err(), "link {at}, byte {byte}");
        }
        let mut missing = links.clone();
        missing.remove(at);
        assert!(History::read(&missing, Some(&head)).is_err(), "link {at}");
    }
}

#[test]
fn another_schema_is_not_guessed_at() {
    let text = String::from_utf8(chain().remove(0)).unwrap().replace("history/1", "history/2");
    let error = History::read([text], None).unwrap_err();
    assert!(matches!(error, HistoryError::Unreadable { number: 1, .. }), "{error}");
}

#[test]
fn what_is_listed_follows_the_generations_that_became_visible() {
    let published = |path: &str, sha256: &str| entry(Event::Published, path, sha256);
    let dropped = |path: &str| entry(Event::Dropped, path, "");
    let mut history = History::default();
    let mut previous = None;
    // The run of generation 2 died twice before it became visible; 4 was made by something that writes no links.
    for (generation, after, entries) in [
        (1, None, vec![published("a", "11"), published("b", "22")]),
        (2, Some(1), vec![dropped("a")]),
        (2, Some(1), vec![published("c", "33"), dropped("b")]),
        (3, Some(2), vec![published("d", "44"), dropped("c")]),
        (5, Some(4), vec![published("e", "55")]),
    ] {
        let link = Link { after, ..Link::new(generation, previous.take(), 0, entries) };
        let (bytes, digest) = link.to_bytes().unwrap();
        history.follow(1, &bytes).unwrap();
        previous = Some(digest);
    }
    let listed = |generation| history.listed(generation).map(|all| all.into_keys().collect::<Vec<_>>());
    assert_eq!(listed(1), Some(vec!["a", "b"]));
    assert_eq!(listed(2), Some(vec!["a", "c"]));
    assert_eq!(listed(3), Some(vec!["a", "d"]));
    assert_eq!([listed(4), listed(5), listed(6)], [None, None, None]);
}
