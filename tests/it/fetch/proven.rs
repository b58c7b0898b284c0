use super::*;
use crate::harness::http_fault_server::{Step, head};

/// The fingerprint of our key.
fn fingerprint(context: &Context) -> String {
    let shown = apkvet(context.directory.path(), &["keys", "show", "--json", FakeKey::a().name()]);
    shown.json()[0]["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn a_pin_counts_where_the_url_lies_in_its_scope() {
    let context = Context::hello();
    let fingerprint = fingerprint(&context);
    for (scope, code) in [("/", 0), ("/other/", 1)] {
        let line = format!("{fingerprint} {} scope={}\n", FakeKey::a().name(), context.server.url(scope));
        std::fs::write(context.directory.path().join("pins"), line).unwrap();
        let ran = context.fetch_hello(&["--key-pins", "pins"]);
        assert_eq!(ran.code, code, "{scope}: {} {}", ran.out, ran.err);
        assert_eq!(ran.out.contains("[not-pinned]"), code == 1, "{}", ran.out);
    }
}

#[test]
fn a_package_must_match_the_index_that_is_given() {
    let context = Context::hello();
    let path = context.directory.path().join("APKINDEX.tar.gz");
    let of = |package: &Package| IndexBuilder::default().package("hello", "1.0-r0", package, "").build();
    std::fs::write(&path, of(&package("hello"))).unwrap();
    let ran = context.fetch_hello(&["--json", "--index", "APKINDEX.tar.gz"]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let line = &ran.json()[0];
    assert_eq!(line["evidence"]["via"], "signature+index");
    assert_eq!(line["saved"], format!("out/{FILE}"));
    assert_eq!(line["from"], context.server.url("/hello-1.0-r0.apk"));
    let rebuilt = PackageBuilder::new("hello", "1.0-r0").field("pkgdesc", "another build");
    std::fs::write(&path, of(&rebuilt.build_signed(&[(FakeKey::a(), Label::Rsa256)]))).unwrap();
    let ran = context.fetch_hello(&["--index", "APKINDEX.tar.gz"]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("[index-identity]"), "{}", ran.out);
    // An index that does not hold speaks for nothing, and nothing is asked for.
    context.server.heal();
    std::fs::write(&path, IndexBuilder::default().archive().bytes()).unwrap();
    assert_eq!(context.fetch_hello(&["--index", "APKINDEX.tar.gz"]).code, 1);
    assert!(context.server.asked().is_empty());
}

#[test]
fn a_file_of_two_versions_under_one_tag_is_fetched_once_more() {
    let context = Context::hello();
    let old = PackageBuilder::new("hello", "1.0-r0").build_signed(&[(FakeKey::b(), Label::Rsa256)]).bytes();
    context.server.misbehave(move |asked| {
        let (length, tag) = (format!("Content-Length: {}", asked.body.len()), "ETag: \"same\"");
        match (asked.nth, asked.range()) {
            (0, None) => {
                Some(vec![Step::Send([head("200 OK", &[&length, tag]), old[..300].to_vec()].concat())])
            }
            (1, Some(start)) => {
                let (last, whole) = (asked.body.len() - 1, asked.body.len());
                let range = format!("Content-Range: bytes {start}-{last}/{whole}");
                let answer = [head("206 Partial Content", &[&range, tag]), asked.body[start..].to_vec()];
                Some(vec![Step::Send(answer.concat())])
            }
            _ => None,
        }
    });
    std::fs::create_dir_all(context.out()).unwrap();
    let url = context.server.url("/hello-1.0-r0.apk");
    let ran = context.fetch(&["--key", FakeKey::a().name(), &url]);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert_eq!(context.server.asked()[2].header("cache-control"), Some("no-cache"));
    assert_eq!(std::fs::read(context.out().join(FILE)).unwrap(), package("hello").bytes());
}

#[test]
fn a_transfer_that_is_cut_each_time_is_the_networks_fault() {
    let context = Context::hello();
    context.server.misbehave(|asked| {
        let length = format!("Content-Length: {}", asked.body.len());
        Some(vec![Step::Send([head("200 OK", &[&length]), asked.body[..50].to_vec()].concat())])
    });
    let ran = context.fetch_hello(&[]);
    assert_eq!(ran.code, 4, "{} {}", ran.out, ran.err);
    assert_eq!(context.left(), [""; 0]);
}

#[test]
fn one_more_layer_of_gzip_is_no_package() {
    let context = Context::hello();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &package("hello").bytes()).unwrap();
    context.server.put("/hello-1.0-r0.apk", &packed.finish().unwrap());
    let ran = context.fetch_hello(&[]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert_eq!(context.left(), [""; 0]);
}

#[test]
fn a_signed_index_in_the_place_of_a_package_is_refused() {
    let context = Context::hello();
    let index = IndexBuilder::default().package("hello", "1.0-r0", &package("hello"), "").build();
    context.server.put("/hello-1.0-r0.apk", &index);
    let ran = context.fetch_hello(&[]);
    assert_eq!(ran.code, 1, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("[wrong-kind]"), "{}", ran.out);
    assert_eq!(context.left(), [""; 0]);
}
