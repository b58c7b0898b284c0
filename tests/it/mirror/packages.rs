use apkvet_fixtures::{FakeKey, Header, Label, PackageBuilder};

use super::rig::{Item, Rig, Upstream, built, package};

fn signed(signers: &[(FakeKey, Label)]) -> Item {
    built(PackageBuilder::new("tool", "1.0-r0"), "tool", "1.0-r0", &[], signers)
}

fn of(item: &Item, lines: &str) -> Rig {
    let rig = Rig::subset("\"tool\"");
    Upstream::of(std::slice::from_ref(item)).write(&rig.path("upstream"));
    Rig { lines: format!("{}{lines}\n", rig.lines), ..rig }
}

fn outcome(rig: &Rig) -> Result<(), Vec<&'static str>> {
    rig.sync().map(drop).map_err(|findings| findings.iter().map(|finding| finding.code).collect())
}

#[test]
fn what_is_demanded_of_signatures_is_what_a_repository_says() {
    let good = signed(&[(FakeKey::a(), Label::Rsa256)]);
    let unknown = signed(&[(FakeKey::b(), Label::Rsa256)]);
    let unsigned = signed(&[]);
    let mut bad = signed(&[(FakeKey::a(), Label::Rsa256)]);
    bad.package.signature = package("other", "1-r0", &[]).package.signature;
    for (item, required, known, index) in [
        (&good, Ok(()), Ok(()), Ok(())),
        (&unknown, Err(vec!["untrusted"]), Ok(()), Ok(())),
        (&unsigned, Err(vec!["unsigned"]), Ok(()), Ok(())),
        (&bad, Err(vec!["bad-signature"]), Err(vec!["bad-signature"]), Ok(())),
    ] {
        assert_eq!(outcome(&of(item, "")), required);
        assert_eq!(outcome(&of(item, "package-signatures = \"known\"")), known);
        assert_eq!(outcome(&of(item, "package-signatures = \"index\"")), index);
    }
}

#[test]
fn a_proof_that_is_not_enough_any_more_is_made_again() {
    let rig = of(&signed(&[]), "package-signatures = \"index\"");
    rig.sync().unwrap();
    let strict = Rig { lines: rig.lines.replace("\"index\"", "\"required\""), ..rig };
    assert_eq!(strict.refused(), ["unsigned"]);
    // What was hashed and not looked into is read again where its files count.
    let rig = of(&device(), "level = \"identity\"");
    rig.sync().unwrap();
    let full = Rig { lines: rig.lines.replace("level = \"identity\"", ""), ..rig };
    assert_eq!(full.refused(), ["device-node"]);
}

#[test]
fn two_good_packages_with_their_names_exchanged_are_refused() {
    let rig = Rig::subset("\"tool\", \"lib\"");
    let (tool, lib) = (package("tool", "1.0-r0", &[]), package("lib", "1.0-r0", &[]));
    Upstream::of(&[tool.clone(), lib.clone()]).write(&rig.path("upstream"));
    let folder = rig.path("upstream/x86_64");
    std::fs::write(folder.join("tool-1.0-r0.apk"), lib.package.bytes()).unwrap();
    std::fs::write(folder.join("lib-1.0-r0.apk"), tool.package.bytes()).unwrap();
    let codes = rig.refused();
    // Sizes differ by the length of the names, or the entry does.
    assert!(
        codes.len() == 2 && codes.iter().all(|code| ["size", "index-identity"].contains(code)),
        "{codes:?}"
    );
}

#[test]
fn two_good_packages_of_one_size_are_told_apart_by_what_they_are() {
    let rig = Rig::subset("\"tool\", \"tail\"");
    // With a script that does not compress, one of a few lengths gives a file of the same size.
    let noise: Vec<u8> = (0..120_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let of_length = |name: &str, length: usize| {
        let builder = PackageBuilder::new(name, "1.0-r0").script(".post-install", &noise[..length]);
        built(builder, name, "1.0-r0", &[], &[(FakeKey::a(), Label::Rsa256)])
    };
    let tool = of_length("tool", 60);
    let size = tool.package.bytes().len();
    let tail =
        (0..120).map(|n| of_length("tail", n)).find(|tail| tail.package.bytes().len() == size).unwrap();
    Upstream::of(&[tool.clone(), tail.clone()]).write(&rig.path("upstream"));
    let folder = rig.path("upstream/x86_64");
    std::fs::write(folder.join(format!("tail-{}.apk", tail.version)), tool.package.bytes()).unwrap();
    assert_eq!(rig.refused(), ["index-identity"]);
}

#[test]
fn a_package_whose_scripts_are_long_is_rehearsed_as_any_other() {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    let noise: Vec<u8> = std::iter::successors(Some(1), next).map(|n| (n >> 56) as u8).take(40_000).collect();
    let builder = PackageBuilder::new("tool", "1.0-r0").script(".post-install", &noise);
    let item = built(builder, "tool", "1.0-r0", &[], &[(FakeKey::a(), Label::Rsa256)]);
    assert!(item.package.control.len() > 16 << 10, "{}", item.package.control.len());
    of(&item, "").sync().unwrap();
}

#[test]
fn a_package_that_is_cut_or_a_web_page_is_refused_and_nothing_is_left_behind() {
    let item = package("tool", "1.0-r0", &[]);
    let size = item.package.bytes().len();
    let page: Vec<u8> = b"<!DOCTYPE html><html>".iter().copied().cycle().take(size).collect();
    for (bytes, code) in [
        (item.package.bytes()[..size - 1].to_vec(), "size"),
        (page, "html"),
        ([item.package.bytes(), vec![0]].concat(), "size"),
    ] {
        let rig = of(&item, "");
        std::fs::write(rig.path("upstream/x86_64/tool-1.0-r0.apk"), bytes).unwrap();
        assert_eq!(rig.refused(), [code]);
        assert!(!rig.path("srv/current").exists());
    }
}

#[test]
fn a_missing_package_is_an_inconsistent_upstream() {
    let rig = of(&package("tool", "1.0-r0", &[]), "");
    std::fs::remove_file(rig.path("upstream/x86_64/tool-1.0-r0.apk")).unwrap();
    let findings = rig.sync().unwrap_err();
    assert_eq!(apkvet::mirror::worst(&findings), Some(apkvet::mirror::Class::Upstream), "{findings:?}");
}

#[test]
fn the_key_of_one_repository_counts_for_no_other() {
    let rig = Rig::subset("\"tool\"");
    let others = format!(
        "[[repository]]\nname = \"vendor\"\nupstream = \"vendor\"\narchitectures = [\"x86_64\"]\n\
         keys = [\"{}\"]\nselect = [\"agent\"]\nsign-key = \"mirror.rsa\"\n",
        FakeKey::b().name()
    );
    Upstream::of(&[package("tool", "1.0-r0", &[])]).write(&rig.path("upstream"));
    let by_a = package("agent", "1-r0", &[]);
    Upstream { key: FakeKey::b(), ..Upstream::of(&[by_a]) }.write(&rig.path("vendor"));
    let rig = Rig { others, ..rig };
    assert_eq!(rig.refused(), ["untrusted"]);
    let by_b =
        built(PackageBuilder::new("agent", "1-r0"), "agent", "1-r0", &[], &[(FakeKey::b(), Label::Rsa256)]);
    Upstream { key: FakeKey::b(), ..Upstream::of(&[by_b]) }.write(&rig.path("vendor"));
    rig.sync().unwrap();
}

#[test]
fn a_pinned_key_counts_where_its_line_says() {
    let fingerprint =
        |key: FakeKey| apkvet::keys::read_key(key.public_pem().as_bytes()).unwrap().fingerprint().to_string();
    let rig = of(&package("tool", "1.0-r0", &[]), "");
    let keys = format!("keys = [\"{}\"]\nkey-pins = \"pins\"\n", FakeKey::a().name());
    let rig = Rig { lines: format!("{}{keys}", rig.lines), ..rig };
    let pin = |scope: &str| {
        let line = format!("{} {} scope=file:{scope}\n", fingerprint(FakeKey::a()), FakeKey::a().name());
        std::fs::write(rig.path("pins"), line).unwrap();
    };
    pin("/somewhere/else");
    assert_eq!(rig.refused(), ["not-pinned"]);
    pin(rig.path("upstream").to_str().unwrap());
    rig.sync().unwrap();
}

/// A package with a device node, which is refused by choice.
fn device() -> Item {
    let builder = PackageBuilder::new("tool", "1.0-r0")
        .data(|data| data.entry(&Header { typeflag: b'3', ..Header::file("usr/share/null") }, b""));
    built(builder, "tool", "1.0-r0", &[], &[(FakeKey::a(), Label::Rsa256)])
}

fn sha256(item: &Item) -> String {
    apkvet_fixtures::tar::sha256_hex(&item.package.bytes())
}

#[test]
fn one_known_bad_package_is_waived_by_its_digest_and_its_code_and_no_other() {
    let item = device();
    let code = of(&item, "").refused()[0];
    let waive = |sha256: &str, code: &str| format!("waive = [\"tool-1.0-r0 sha256:{sha256} {code}\"]");
    assert_eq!(outcome(&of(&item, &waive(&"0".repeat(64), code))), Err(vec![code]));
    assert_eq!(outcome(&of(&item, &waive(&sha256(&item), "other-code"))), Err(vec![code]));
    let rig = of(&item, &waive(&sha256(&item), code));
    let outcome = rig.sync().unwrap();
    assert!(outcome.findings.iter().any(|finding| finding.code == "waived"), "{:?}", outcome.findings);
    // Without the waiver, what came in by it does not stay.
    let rig = Rig { lines: rig.lines.replace(&waive(&sha256(&item), code), ""), ..rig };
    assert_eq!(rig.refused(), [code]);
}

#[test]
fn neither_signatures_nor_hashes_are_ever_waived() {
    let unsigned = signed(&[]);
    let waive = |item: &Item, code: &str| format!("waive = [\"tool-1.0-r0 sha256:{} {code}\"]", sha256(item));
    assert_eq!(outcome(&of(&unsigned, &waive(&unsigned, "unsigned"))), Err(vec!["unsigned"]));
    let mut exchanged = package("tool", "1.0-r0", &[]);
    exchanged.package.data = device().package.data;
    let code = of(&exchanged, "").refused()[0];
    assert_eq!(code, "datahash-mismatch");
    let rig = of(&exchanged, &waive(&exchanged, code));
    let findings = rig.sync().unwrap_err();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].code, code);
    assert!(findings[0].detail[0].ends_with("or cannot be waived"), "{findings:?}");
}
