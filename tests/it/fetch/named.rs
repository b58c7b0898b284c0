use super::*;

/// A server with a repository of these versions of one package, and a configuration that names it.
fn repository(versions: &[&'static str], more: &str) -> Context {
    let signed = |builder: PackageBuilder| builder.build_signed(&[(FakeKey::a(), Label::Rsa256)]);
    let built = |version: &&'static str| (*version, signed(PackageBuilder::new("hello", version)));
    repository_of(versions.iter().map(built).collect(), more)
}

fn repository_of(versions: Vec<(&'static str, apkvet_fixtures::Package)>, more: &str) -> Context {
    let mut index = IndexBuilder::default().description(Some("v1.0-7"));
    let mut files = Vec::new();
    for (version, package) in versions {
        index = index.package("hello", version, &package, "");
        files.push((format!("/repo/x86_64/hello-{version}.apk"), package.bytes()));
    }
    files.push(("/repo/x86_64/APKINDEX.tar.gz".to_owned(), index.build()));
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let context = Context::new(&files);
    std::fs::create_dir_all(context.out()).unwrap();
    configure(&context, &format!("\"{}\"", context.server.url("/repo")), more);
    context
}

fn configure(context: &Context, upstreams: &str, more: &str) {
    let configuration = format!(
        "[mirror]\nto = \"srv\"\n[[repository]]\nname = \"r\"\nupstream = [{upstreams}]\n\
         architectures = [\"x86_64\"]\nkeys = [\"{}\"]\n{more}\n",
        FakeKey::a().name()
    );
    std::fs::write(context.directory.path().join("apkvet.toml"), configuration).unwrap();
}

fn look_up(context: &Context, names: &[&str]) -> Ran {
    context.fetch(&[&["--config", "apkvet.toml", "--tries", "2"], names].concat())
}

#[test]
fn the_highest_version_that_fits_is_taken() {
    let context = repository(&["1.0-r0", "1.10-r0", "1.9-r0"], "");
    let ran = look_up(&context, &["hello"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert_eq!(context.left(), ["hello-1.10-r0.apk"]);
    assert_eq!(look_up(&context, &["hello<1.10"]).code, 0);
    assert_eq!(context.left(), ["hello-1.10-r0.apk", "hello-1.9-r0.apk"]);
}

#[test]
fn a_name_that_nothing_fits_is_told_before_anything_comes() {
    let context = repository(&["1.0-r0"], "");
    for name in ["nothing", "hello>1.0", "!hello"] {
        let ran = look_up(&context, &["hello", name]);
        assert_eq!(ran.code, 2, "{name}: {} {}", ran.out, ran.err);
    }
    assert_eq!(context.left(), [""; 0]);
    let keys = context.fetch(&["--config", "apkvet.toml", "--key", FakeKey::a().name(), "hello"]);
    assert_eq!(keys.code, 2, "{}", keys.err);
    assert_eq!(context.fetch(&["hello"]).code, 2);
}

#[test]
fn an_index_that_does_not_hold_finds_nothing() {
    let context = repository(&["1.0-r0"], "");
    let unsigned = IndexBuilder::default().archive().bytes();
    context.server.put("/repo/x86_64/APKINDEX.tar.gz", &unsigned);
    let ran = look_up(&context, &["hello"]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("r/x86_64/APKINDEX.tar.gz"), "{}", ran.out);
    assert_eq!(context.left(), [""; 0]);
}

#[test]
fn a_known_bad_package_is_taken_as_its_repository_says_of_this_very_file() {
    let device = PackageBuilder::new("hello", "1.0-r0")
        .data(|data| data.entry(&Header { typeflag: b'3', ..Header::file("usr/share/null") }, b""))
        .build_signed(&[(FakeKey::a(), Label::Rsa256)]);
    let sha256 = apkvet_fixtures::tar::sha256_hex(&device.bytes());
    for (waived, code) in [(String::new(), 1), ("0".repeat(64), 1), (sha256, 0)] {
        let waive = match waived.as_str() {
            "" => String::new(),
            sha256 => format!("waive = [\"hello-1.0-r0 sha256:{sha256} device-node\"]"),
        };
        let ran = look_up(&repository_of(vec![("1.0-r0", device.clone())], &waive), &["hello"]);
        assert_eq!(ran.code, code, "{waive}: {} {}", ran.out, ran.err);
        assert!(code == 0 || ran.out.contains("[device-node]"), "{waive}: {}", ran.out);
    }
}

#[test]
fn an_index_of_another_branch_is_a_refused_state() {
    let context = repository(&["1.0-r0"], "description = '^v2\\.'");
    let ran = look_up(&context, &["hello"]);
    assert_eq!(ran.code, 6, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("[description]"), "{}", ran.out);
    let same = repository(&["1.0-r0"], "description = '^v1\\.'");
    assert_eq!(look_up(&same, &["hello"]).code, 0);
}

#[test]
fn the_upstream_of_the_index_is_asked_for_the_package_first() {
    let context = repository(&["1.0-r0"], "");
    let other = FaultServer::start(&[]);
    let upstreams = format!("\"{}\", \"{}\"", other.url("/repo"), context.server.url("/repo"));
    configure(&context, &upstreams, "");
    let ran = look_up(&context, &["hello"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert_eq!(other.asked().len(), 1);
    assert_eq!(context.left(), [FILE]);
}

#[test]
fn a_package_that_differs_from_its_entry_is_asked_for_past_caches_and_then_elsewhere() {
    let context = repository(&["1.0-r0"], "");
    let good = package("hello").bytes();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    let elsewhere = FaultServer::start(&[("/repo/x86_64/hello-1.0-r0.apk", &good)]);
    let upstreams = format!("\"{}\", \"{}\"", context.server.url("/repo"), elsewhere.url("/repo"));
    configure(&context, &upstreams, "");
    context.server.put("/repo/x86_64/hello-1.0-r0.apk", &bad);
    let ran = look_up(&context, &["hello"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let asked = context.server.asked();
    assert_eq!(asked.last().unwrap().header("cache-control"), Some("no-cache"));
    assert_eq!(std::fs::read(context.out().join(FILE)).unwrap(), good);
    // That it does not come from elsewhere does not hide that it was refused here.
    elsewhere.remove("/repo/x86_64/hello-1.0-r0.apk");
    let ran = look_up(&context, &["hello"]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("[datahash-mismatch]"), "{}", ran.out);
}
