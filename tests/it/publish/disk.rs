use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use apkvet::publish::{DiskStore, Durability, PublishError, Store, StorePath, Tree, Wait};
use rustix::fs::{CWD, RenameFlags, mkfifoat, renameat_with};

use super::Stop;
use crate::harness::store::{
    Fault, Faulty, NOTHING, SOON, Seen, fsck, package, run, run_at_once, spare, steps,
};

fn store(root: &Path) -> Arc<dyn Store> {
    Arc::new(DiskStore::open(root, Durability::EachFile).unwrap())
}

/// A directory with a tree in which the first step is published.
fn first() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    run(store(dir.path()), &steps()[0]).unwrap();
    dir
}

#[test]
fn each_step_publishes_on_disk_what_it_says_and_leaves_nothing_else() {
    for durability in [Durability::EachFile, Durability::Together] {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(DiskStore::create(&dir.path().join("tree"), durability).unwrap());
        let mut seen = Seen::default();
        for step in steps() {
            run(Arc::clone(&store), step).unwrap();
            assert_eq!(fsck(&store, step, &seen), Ok(step.number));
            assert_eq!(spare(&store), NOTHING);
            seen.look(&*store, step.number);
        }
    }
}

#[test]
fn a_run_that_dies_on_disk_at_any_operation_is_made_good_by_the_next_one() {
    let step = &steps()[1];
    let dir = first();
    let mut seen = Seen::default();
    seen.look(&*store(dir.path()), 1);
    for at in 0.. {
        let faulty = Faulty::new(store(dir.path()), Fault::Kill(at));
        let ended_well = run(faulty, step).is_ok();
        fsck(&store(dir.path()), step, &seen).unwrap_or_else(|error| panic!("{at}: {error}"));
        if ended_well {
            assert!(at > 50, "{at}");
            return;
        }
        let next = tempfile::tempdir().unwrap();
        copy(dir.path(), next.path());
        let after = store(next.path());
        run(Arc::clone(&after), step).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(fsck(&after, step, &seen), Ok(2), "{at}");
        assert_eq!(spare(&after), NOTHING, "{at}");
    }
}

/// Copies a tree with its links, as it is.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
}

/// Below a directory: path and mode of everything, in their order.
fn modes(root: &Path, dir: &Path, found: &mut Vec<(String, u32)>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_symlink() {
            continue;
        }
        let name = path.strip_prefix(root).unwrap().display().to_string();
        found.push((name, metadata.permissions().mode() & 0o7777));
        if metadata.is_dir() {
            modes(root, &path, found);
        }
    }
}

#[test]
fn modes_do_not_depend_on_the_umask() {
    // The umask belongs to the whole process: another one publishes.
    if let Some(root) = std::env::var_os("APKVET_TEST_PUBLISH_AT") {
        let store = Arc::new(DiskStore::create(Path::new(&root), Durability::Together).unwrap());
        run(store, &steps()[0]).unwrap();
        return;
    }
    for umask in ["000", "022", "077", "777"] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("tree");
        let status = Command::new("sh")
            .args([
                "-c",
                "umask \"$1\"; exec \"$2\" --exact publish::disk::modes_do_not_depend_on_the_umask",
                "sh",
            ])
            .arg(umask)
            .arg(std::env::current_exe().unwrap())
            .env("APKVET_TEST_PUBLISH_AT", &root)
            .status()
            .unwrap();
        assert!(status.success(), "{umask}");
        assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o7777, 0o755, "{umask}");
        let mut found = Vec::new();
        modes(&root, &root, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for (path, mode) in found {
            let private = ["state", "spool"].iter().any(|part| path.starts_with(part));
            let expected = match (private, root.join(&path).is_dir()) {
                (true, true) => 0o700,
                (true, false) => 0o600,
                (false, true) => 0o755,
                (false, false) => 0o444,
            };
            assert_eq!(mode, expected, "umask {umask}: {path}");
        }
    }
}

#[test]
fn one_run_at_a_time() {
    let dir = first();
    let tree = Tree::open(store(dir.path()), SOON).unwrap();
    let refused = Tree::open(store(dir.path()), Wait::Never).unwrap_err();
    let pid = std::process::id();
    assert!(matches!(refused, PublishError::Locked { pid: Some(found) } if found == pid), "{refused}");
    assert!(refused.to_string().contains(&format!("process {pid}")), "{refused}");
    let begun = Instant::now();
    let refused = Tree::open(store(dir.path()), Wait::AtMost(Duration::from_millis(120))).unwrap_err();
    assert!(matches!(refused, PublishError::Locked { .. }), "{refused}");
    assert!(begun.elapsed() >= Duration::from_millis(120));
    // Looking needs no lock.
    assert_eq!(Tree::look(store(dir.path())).current().unwrap(), Some(1));
    drop(tree);
    Tree::open(store(dir.path()), SOON).unwrap();
}

#[test]
fn a_run_that_waits_gets_the_lock_when_it_is_free() {
    let dir = first();
    for wait in [Wait::Forever, Wait::AtMost(Duration::from_secs(60))] {
        let tree = Tree::open(store(dir.path()), SOON).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| Tree::open(store(dir.path()), wait).map(drop));
            std::thread::sleep(Duration::from_millis(100));
            assert!(!waiting.is_finished());
            drop(tree);
            waiting.join().unwrap().unwrap();
        });
    }
}

#[test]
fn runs_that_start_together_work_one_after_the_other_or_are_told_that_they_cannot() {
    let dir = first();
    let (mut worked, mut locked) = (0, 0);
    for round in 0..50 {
        let step = &steps()[round % 2];
        let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
            let start = || scope.spawn(|| run_at_once(store(dir.path()), step));
            let started = [start(), start(), start(), start()];
            started.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for result in results {
            match result {
                Ok(()) => worked += 1,
                Err(error) if error.starts_with("locked: ") => locked += 1,
                Err(error) => panic!("{error}"),
            }
        }
        run(store(dir.path()), step).unwrap();
        assert_eq!(fsck(&store(dir.path()), step, &Seen::default()), Ok(step.number));
    }
    assert!(worked > 0 && locked > 0, "{worked} {locked}");
}

#[test]
fn a_second_name_of_the_lock_is_not_written_to() {
    let dir = first();
    let victim = dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::remove_file(dir.path().join("state/lock")).unwrap();
    fs::hard_link(&victim, dir.path().join("state/lock")).unwrap();
    let refused = Tree::open(store(dir.path()), Wait::Never).unwrap_err();
    assert!(matches!(refused, PublishError::Io { doing: "lock", .. }), "{refused}");
    assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
}

/// Where the first package of the first step lies in the pool.
fn pooled(root: &Path) -> PathBuf {
    let manifest = Tree::look(store(root)).manifest(1).unwrap();
    let at = StorePath::parse("v1/main/x86_64/b-1-r0.apk").unwrap();
    let text = manifest.entry(&at).unwrap().sha256().to_string();
    root.join("pool").join(&text[..2]).join(text)
}

#[test]
fn what_was_planted_in_the_pool_is_replaced_and_never_followed() {
    let plants: [fn(&Path, &Path); 3] = [
        |at, victim| symlink(victim, at).unwrap(),
        |at, _| mkfifoat(CWD, at, rustix::fs::Mode::from_bits_retain(0o644)).unwrap(),
        |at, victim| fs::hard_link(victim, at).unwrap(),
    ];
    for plant in plants {
        let dir = first();
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let at = pooled(dir.path());
        fs::remove_file(&at).unwrap();
        plant(&at, &victim);
        let store = store(dir.path());
        run(Arc::clone(&store), &steps()[1]).unwrap();
        assert_eq!(fsck(&store, &steps()[1], &Seen::default()), Ok(2));
        assert_eq!(fs::read(&at).unwrap(), package("b", "1-r0"));
        assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
    }
}

#[test]
fn what_was_planted_in_the_spool_is_cleared_away_and_never_followed() {
    let dir = first();
    let victim = dir.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let spool = dir.path().join("spool");
    symlink(&victim, spool.join("0")).unwrap();
    mkfifoat(CWD, spool.join("1"), rustix::fs::Mode::from_bits_retain(0o644)).unwrap();
    fs::hard_link(&victim, spool.join("2")).unwrap();
    fs::create_dir(spool.join("foreign")).unwrap();
    let store = store(dir.path());
    run(Arc::clone(&store), &steps()[1]).unwrap();
    assert_eq!(fsck(&store, &steps()[1], &Seen::default()), Ok(2));
    assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
    assert!(spool.join("foreign").is_dir());
}

#[test]
fn a_part_that_is_a_link_is_refused() {
    for part in ["pool", "spool", "gens", "state", "snapshots", "state/gens"] {
        let dir = first();
        let elsewhere = tempfile::tempdir().unwrap();
        let at = dir.path().join(part);
        fs::rename(&at, elsewhere.path().join("moved")).unwrap();
        symlink(elsewhere.path().join("moved"), &at).unwrap();
        let refused = Tree::open(store(dir.path()), Wait::Never).unwrap_err();
        assert!(
            matches!(refused, PublishError::Occupied { .. } | PublishError::Io { .. }),
            "{part}: {refused}"
        );
    }
}

#[test]
fn a_place_that_others_can_write_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("tree");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    fs::create_dir(&root).unwrap();
    let open = || DiskStore::open(&root, Durability::Together);
    mode(&root, 0o777);
    assert!(matches!(open(), Err(PublishError::WritableByOthers { .. })));
    mode(&root, 0o755);
    mode(dir.path(), 0o777);
    assert!(matches!(open(), Err(PublishError::WritableByOthers { .. })));
    // As /tmp is: nobody can exchange what belongs to others.
    mode(dir.path(), 0o1777);
    run(Arc::new(open().unwrap()), &steps()[0]).unwrap();
    mode(&root.join("spool"), 0o770);
    let refused = Tree::open(store(&root), Wait::Never).unwrap_err();
    assert!(matches!(&refused, PublishError::WritableByOthers { path } if path == "spool"), "{refused}");
}

#[test]
fn a_missing_root_is_made_but_not_what_it_lies_in() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("a/b");
    assert!(matches!(DiskStore::create(&missing, Durability::Together), Err(PublishError::Io { .. })));
    assert!(matches!(DiskStore::open(&missing, Durability::Together), Err(PublishError::Io { .. })));
    DiskStore::create(&dir.path().join("a"), Durability::Together).unwrap();
    DiskStore::create(&dir.path().join("a"), Durability::Together).unwrap();
}

#[test]
fn generations_share_the_files_of_the_pool() {
    let dir = first();
    let (pool, published) = (pooled(dir.path()), dir.path().join("current/v1/main/x86_64/b-1-r0.apk"));
    let ids = [fs::metadata(&pool).unwrap().ino(), fs::metadata(&published).unwrap().ino()];
    assert_eq!(ids[0], ids[1]);
    assert_eq!(fs::read_link(dir.path().join("current")).unwrap(), Path::new("gens/1"));
    assert_eq!(fs::read_link(dir.path().join("current/snapshots")).unwrap(), Path::new("../../snapshots"));
    assert!(dir.path().join("current/snapshots").is_dir());
}

/// How long directories are exchanged for links while runs go on.
const RACE: Duration = Duration::from_secs(2);

#[test]
fn nothing_is_ever_written_through_a_link_that_takes_the_place_of_a_directory() {
    let dir = first();
    let outside = tempfile::tempdir().unwrap();
    let names = ["0", "1", "2", "3", "current", "lock", "trust", "1.json", "2.json", "gens", "v1"];
    names.iter().for_each(|name| fs::write(outside.path().join(name), "precious").unwrap());
    let victims: Vec<PathBuf> =
        ["spool", "gens", "pool", "state/gens", "state"].iter().map(|part| dir.path().join(part)).collect();
    let evil = dir.path().join("evil");
    symlink(outside.path(), &evil).unwrap();
    let stop = AtomicBool::new(false);
    let (mut runs, mut ended_well) = (0, 0);
    let swaps = std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut swaps = 0_u64;
            while !stop.load(Ordering::SeqCst) {
                for victim in &victims {
                    for _ in 0..2 {
                        renameat_with(CWD, victim, CWD, &evil, RenameFlags::EXCHANGE).unwrap();
                        swaps += 1;
                    }
                    // Long enough for some runs to get far.
                    (0..swaps * 7919 % 20_000).for_each(|_| std::hint::spin_loop());
                }
            }
            swaps
        });
        let stopping = Stop(&stop);
        let begun = Instant::now();
        while begun.elapsed() < RACE {
            for step in &steps()[1..] {
                runs += 1;
                ended_well += u32::from(run(store(dir.path()), step).is_ok());
            }
        }
        drop(stopping);
        swapper.join().unwrap()
    });
    eprintln!("{swaps} exchanges during {runs} runs, of which {ended_well} ended well");
    let mut left: Vec<PathBuf> =
        fs::read_dir(outside.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    left.sort();
    let mut expected: Vec<PathBuf> = names.iter().map(|name| outside.path().join(name)).collect();
    expected.sort();
    assert_eq!(left, expected);
    assert!(left.iter().all(|path| fs::read_to_string(path).unwrap() == "precious"));
    assert!(swaps > 1_000 && runs > 5, "{swaps} {runs}");
    let store = store(dir.path());
    run(Arc::clone(&store), &steps()[2]).unwrap();
    // A generation whose list went elsewhere meanwhile may be left: what no list names is not ours to take away.
    assert_eq!(fsck(&store, &steps()[2], &Seen::default()), Ok(3));
}
