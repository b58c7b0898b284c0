//! What this program keeps on disk and reads again, and signatures of v3 files.

use apkvet::audit::read_adb;
use apkvet::mirror::State;
use apkvet::mirror::lock_file::LockFile;
use apkvet::publish::{Manifest, StorePath};

use super::files::limits;

/// What is remembered between runs: what was read is written and read the same.
pub(crate) fn trust_state(input: &[u8]) {
    let Ok(state) = State::parse(input, &limits()) else { return };
    let bytes = state.to_bytes().expect("numbers and texts have a form in JSON");
    assert_eq!(State::parse(&bytes, &limits()).expect("what was written is read"), state);
    let is_name = |part: &str| !part.is_empty() && ![".", ".."].contains(&part);
    for place in state.places().chain(state.proofs().map(|(place, _)| place)) {
        let mut parts = place.repository.split('/').chain([place.arch.as_str()]);
        assert!(parts.all(is_name), "{place:?}");
    }
}

/// The list of a generation, whose names become paths.
pub(crate) fn manifest(input: &[u8]) {
    let at = StorePath::parse("state/gens/4.json").unwrap();
    let Ok(manifest) = Manifest::decode(input, 4, &at) else { return };
    assert_eq!(Manifest::decode(&manifest.encode(), 4, &at).expect("what was written is read"), manifest);
    for entry in manifest.entries() {
        let path = std::path::Path::new(entry.path().as_str());
        let mut parts = path.components();
        assert!(parts.all(|part| matches!(part, std::path::Component::Normal(_))), "{path:?}");
    }
}

/// What a selection resolved to.
pub(crate) fn lock_file(input: &[u8]) {
    let Ok(lock) = LockFile::parse(input) else { return };
    let text = lock.to_text().expect("numbers and texts have a form in JSON");
    let again = LockFile::parse(text.as_bytes()).expect("what was written is read");
    assert_eq!(again, lock);
}

/// Signatures of v3 files, which are named and never believed.
pub(crate) fn adb(input: &[u8]) {
    if let Ok(signatures) = read_adb(input) {
        assert!(signatures.len() <= 16);
        assert!(signatures.iter().all(|signature| signature.key_id().len() == 32));
    }
}

/// Seeds of what is kept.
pub(super) fn kept_seeds(target: &str) -> Option<Vec<Vec<u8>>> {
    let sha256 = "0f".repeat(32);
    let text = match target {
        "trust_state" => format!(
            r#"{{"schema":"apkvet-trust/1","indexes":[{{"place":{{"repository":"v3.17/main","arch":"aarch64"}},
"index":{{"sha256":"{sha256}","time":1,"description":"v3.17","versions":{{"bash":"5.2-r0"}},"before":["{sha256}"]}}}}],
"proofs":[{{"place":{{"repository":"v3.17/main","arch":"aarch64"}},"package":{{"name":"bash","version":"5.2-r0",
"identity":"Q1R2BIvfiF748uM/EcZjiP75/C3WM=","datahash":"{sha256}","size":7,"sha256":"{sha256}","keys":["sha256:{sha256}"],
"via":"index","level":"full","waived":"x","index":"{sha256}","upstream":"https://a/b","time":2}}}}]}}"#
        ),
        "manifest" => format!(
            r#"{{"schema":"apkvet-generation/1","number":4,"created":5,"entries":[{{"path":"a/b.apk","kind":"package",
"sha256":"{sha256}","size":3,"mtime":1,"dropped_at":9,"label":"x"}}]}}"#
        ),
        "lock_file" => format!(
            r#"{{"schema":"apkvet-lock/1","indexes":[{{"repository":"a","arch":"b","sha256":"{sha256}","time":1}}],
"packages":[{{"repository":"a","arch":"b","name":"c","version":"1","identity":"Q1","datahash":"{sha256}",
"sha256":"{sha256}","size":1,"signers":["sha256:{sha256}"]}}]}}"#
        ),
        "adb" => {
            let block = |kind: u32, payload: &[u8]| {
                let length = u32::try_from(payload.len() + 4).unwrap();
                let mut bytes = [&(kind << 30 | length).to_le_bytes()[..], payload].concat();
                bytes.resize(bytes.len().next_multiple_of(8), 0);
                bytes
            };
            let signature = block(1, &[&[0, 4][..], &[7; 16], &[9; 64]].concat());
            let bytes = [b"ADB.pckg", &*block(0, b"0123456789"), &signature, &block(2, b"data")].concat();
            return Some(vec![bytes, b"ADBd\x03\0".to_vec()]);
        }
        _ => return None,
    };
    Some(vec![text.into_bytes()])
}
