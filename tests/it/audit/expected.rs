use apkvet::keys::KnownKeys;
use serde_json::Value;

use super::{about, audit, counts};
use crate::harness::{Ran, shared};

fn real(arguments: &[&str]) -> Option<(Value, Ran)> {
    shared("real").map(|real| audit(&real, arguments))
}

#[test]
fn the_alpine_directory_has_notes_only() {
    let Some((document, ran)) = real(&["alpine/keys"]) else { return };
    assert_eq!(counts(&document), ["info id-age 5", "info rsa-2048 9", "info scope-global 1"]);
    assert_eq!(about(&document, "id-age"), ["4a6a0840", "5243ef4b", "524d27bb", "5261cecb", "58199dcc"]);
    assert_eq!(about(&document, "scope-global"), ["build.postmarketos.org"]);
    assert_eq!((ran.code, &document["summary"]["loaded"]), (0, &18.into()));
}

#[test]
fn an_architecture_and_an_index_tell_what_is_not_needed() {
    let index = "alpine/v3.16/main/x86_64/APKINDEX.tar.gz";
    let Some((document, _)) = real(&["--arch", "x86_64", "--repo", index, "alpine/keys"]) else { return };
    assert_eq!(about(&document, "id-legacy"), ["4a6a0840", "5261cecb"]);
    assert_eq!(about(&document, "id-otherarch").len(), 14);
    assert_eq!(about(&document, "use-unused").len(), 17);
    assert!(!about(&document, "use-unused").contains(&"6165ee59".to_owned()));
    assert_eq!(about(&document, "use-sha1").len(), 1);
    assert_eq!(about(&document, "scope-unmatched"), ["build.postmarketos.org"]);
    assert_eq!(document["summary"]["error"], 0);
}

#[test]
fn the_signer_of_an_index_and_a_package_is_named() {
    let folder = "alpine/v3.17/main/aarch64";
    let Some((document, _)) = real(&["--repo", folder, "--packages", folder, "alpine/keys"]) else { return };
    let keys = document["keys"].as_array().unwrap();
    let signer = keys.iter().find(|key| key["file"].as_str().unwrap().contains("616ae350")).unwrap();
    let signs = signer["signs"].as_array().unwrap();
    assert_eq!(signs.len(), 2);
    assert!(signs.iter().all(|used| used["ok"] == true && used["alg"] == "RSA"));
    assert_eq!(keys.iter().filter(|key| key["signs"] != Value::Array(vec![])).count(), 1);
}

/// The keys that alpine-keys installs on x86_64, in a root of their own.
fn stock(ids: &[&str]) -> Option<(tempfile::TempDir, Value)> {
    let keys = shared("real/alpine/keys")?;
    let root = tempfile::tempdir().unwrap();
    let to = root.path().join("etc/apk/keys");
    std::fs::create_dir_all(&to).unwrap();
    std::fs::write(root.path().join("etc/apk/arch"), "x86_64\n").unwrap();
    for id in ids {
        let name = format!("alpine-devel@lists.alpinelinux.org-{id}.rsa.pub");
        std::fs::copy(keys.join(&name), to.join(&name)).unwrap();
    }
    let (document, _) = audit(root.path(), &["--root", "."]);
    Some((root, document))
}

#[test]
fn a_stock_image_has_keys_of_x86_up_to_alpine_keys_2_5() {
    let Some((_root, older)) = stock(&["4a6a0840", "5243ef4b", "5261cecb", "6165ee59", "61666e3f"]) else {
        return;
    };
    assert_eq!(about(&older, "id-otherarch"), ["5243ef4b", "61666e3f"]);
    assert_eq!((&older["summary"]["files"], &older["summary"]["error"]), (&5.into(), &0.into()));
    let Some((_root, newer)) = stock(&["4a6a0840", "5261cecb", "6165ee59"]) else { return };
    assert_eq!((about(&newer, "id-otherarch").len(), &newer["summary"]["files"]), (0, &3.into()));
}

#[test]
fn the_repositories_of_a_system_decide_on_legacy_keys() {
    let Some((root, document)) = stock(&["5261cecb", "6165ee59"]) else { return };
    assert_eq!(about(&document, "id-legacy").len(), 0);
    let legacy = |lines: &str| {
        std::fs::write(root.path().join("etc/apk/repositories"), lines).unwrap();
        about(&audit(root.path(), &["--root", "."]).0, "id-legacy").len()
    };
    assert_eq!(
        legacy(
            "# v3.10\nhttps://example.org/alpine/v3.20/main\nhttps://example.org/alpine/v3.20/community\n"
        ),
        1
    );
    assert_eq!(legacy("https://example.org/alpine/v3.20/main\nhttps://example.org/alpine/v3.12/main\n"), 0);
}

#[test]
fn the_key_of_glibc_must_have_the_name_that_its_packages_ask_for() {
    let Some((document, ran)) = real(&["--packages", "glibc", "glibc/keys"]) else { return };
    let found = counts(&document);
    for expected in ["error use-rename 1", "warn id-othername 1", "info rsa-2048 1", "info use-sha1 1"] {
        assert!(found.contains(&expected.to_owned()), "{found:?}");
    }
    let rename = &document["findings"][0];
    assert_eq!(
        (&rename["detail"]["wanted"][0], &rename["detail"]["count"]),
        (&"sgerrand.rsa.pub".into(), &2.into())
    );
    assert_eq!(ran.code, 1);
}

#[test]
fn the_history_of_the_glibc_key_is_told_state_by_state() {
    let state = |day: &str, more: &[&str]| real(&[&[day], more].concat());
    let Some((damaged, ran)) = state("glibc/key-history/2016-06-07-3db7b4c", &[]) else { return };
    assert_eq!(
        counts(&damaged),
        ["error form-damaged 1", "error key-none 1", "info id-age 1", "info rsa-2048 1", "warn id-retired 1"]
    );
    let key = &damaged["keys"][0];
    assert_eq!((&key["loaded"]["openssl"], &key["loaded"]["mbedtls"]), (&false.into(), &true.into()));
    assert_eq!(key["spki_sha256"], "a3fce11200f7804cb47237049da33177275e944d4e95ec0e47b1532a0917ec7e");
    assert_eq!(ran.code, 1);

    let repaired = "glibc/key-history/2016-06-10-e837f4c";
    let Some((alone, ran)) = state(repaired, &[]) else { return };
    assert_eq!((about(&alone, "id-retired").len(), &alone["summary"]["error"], ran.code), (1, &0.into(), 0));
    let Some((used, _)) = state(repaired, &["--packages", "glibc"]) else { return };
    assert_eq!(about(&used, "use-bad-signature").len(), 1);

    let Some((right, _)) = state("glibc/key-history/2016-06-13-3af6e3e", &[]) else { return };
    assert_eq!(counts(&right), ["info id-age 1", "info rsa-2048 1", "info scope-global 1"]);
    let age = right["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "id-age").unwrap();
    assert!(age["message"].as_str().unwrap().contains("no date"));

    let Some((foreign, _)) = state("glibc/key-history/2017-02-10-0846e58", &[]) else { return };
    let status =
        foreign["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "id-retired").unwrap();
    assert_eq!((&status["severity"], &status["detail"]["status"]), (&"warn".into(), &"foreign".into()));
}

#[test]
fn all_states_in_one_view_collide() {
    let history = "glibc/key-history";
    let days = ["2016-06-07-3db7b4c", "2016-06-10-e837f4c", "2016-06-13-3af6e3e", "2017-02-10-0846e58"];
    let days = days.map(|day| format!("{history}/{day}"));
    let mut arguments: Vec<&str> = days.iter().map(String::as_str).collect();
    arguments.push("glibc/keys");
    let Some((document, _)) = real(&arguments) else { return };
    assert_eq!(about(&document, "id-collision"), ["sgerrand"]);
    assert_eq!(about(&document, "id-duplicate").len(), 2);
}

#[test]
fn keys_whose_private_halves_are_public_are_errors() {
    let Some((document, ran)) = real(&["melange-repo"]) else { return };
    assert_eq!((about(&document, "key-published"), ran.code), (vec!["melange".to_owned()], 1));
    let directory = tempfile::tempdir().unwrap();
    let known = KnownKeys::builtin();
    for name in ["test.pem.pub", "testkey-62a9ada3.rsa.pub"] {
        let key = known.by_name(name).next().unwrap().key().unwrap().to_pem();
        std::fs::write(directory.path().join(name), key).unwrap();
    }
    let (document, _) = audit(directory.path(), &["."]);
    assert_eq!(about(&document, "key-published").len(), 2);
}

#[test]
fn indexes_signed_over_sha256_and_several_times_hold() {
    for (folder, signatures) in [("rsa256", 1), ("multi-signature", 3)] {
        let keys = format!("{folder}/keys");
        let Some((document, ran)) = real(&["--repo", folder, &keys]) else { return };
        let signs =
            document["keys"].as_array().unwrap().iter().flat_map(|key| key["signs"].as_array().unwrap());
        assert_eq!(
            signs.filter(|used| used["alg"] == "RSA256" && used["ok"] == true).count(),
            signatures,
            "{folder}"
        );
        assert_eq!((document["summary"]["error"].as_u64(), ran.code), (Some(0), 0), "{folder}");
        assert_eq!(about(&document, "scope-global").len(), signatures);
    }
}
