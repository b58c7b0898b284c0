use super::*;

fn read(text: &str) -> Repositories {
    parse(text.as_bytes(), &Architecture::parse(b"x86_64").unwrap())
}

fn urls(text: &str) -> Vec<String> {
    let read = read(text);
    assert_eq!(read.stopped, None, "{text}");
    read.listed.into_iter().map(|listed| listed.url).collect()
}

fn stopped(text: &str) -> (usize, Fault) {
    let bad = read(text).stopped.unwrap();
    (bad.line, bad.fault)
}

#[test]
fn reads_addresses_paths_components_and_comments() {
    assert_eq!(
        urls("# mirrors\n\nhttps://dl.example/v3.17/main//\n/media/usb \thttp\n"),
        ["https://dl.example/v3.17/main", "/media/usb/http"]
    );
    assert_eq!(urls("https://e/x # main"), ["https://e/x/#", "https://e/x/main"]);
    assert_eq!(urls("https://e/x a\tb"), ["https://e/x/a\tb"]);
    assert_eq!(urls("https://e/x\r\n"), ["https://e/x\r"]);
}

#[test]
fn kind_is_told_by_keyword_or_by_the_end_of_the_address() {
    for (line, kind) in [
        ("https://e/x", Kind::V2),
        ("v2 https://e/x.tar.gz", Kind::V2),
        ("v3 https://e/x", Kind::V3),
        ("v3 @t https://e/x", Kind::V3),
        ("ndx https://e/x", Kind::Index),
        ("https://e/Packages.adb", Kind::Index),
        ("https://e/APKINDEX.tar.gz", Kind::Index),
    ] {
        assert_eq!(read(line).listed.first().map(|listed| listed.kind), Some(kind), "{line}");
    }
}

#[test]
fn tags_of_the_same_repository_add_up() {
    let read = read("@edge https://e/x/\nhttps://e/x\n@edge https://e/x\nv3 https://e/x\n");
    assert_eq!(read.listed.len(), 2);
    assert_eq!(read.listed[0].tags, [Some("edge".to_owned()), None]);
    assert_eq!(read.listed[1].tags, [None]);
}

#[test]
fn variables_are_expanded_everywhere() {
    assert_eq!(urls("set a=https://e\nset -default a=x\nset b=${a}/v\n${b}/y"), ["https://e/v/y"]);
    assert_eq!(urls("set c=main community\nhttps://e ${c}"), ["https://e/main", "https://e/community"]);
    assert_eq!(urls("set -default a=/x\n${a}/${APK_ARCH}"), ["/x/x86_64"]);
    assert_eq!(urls("set a=abcdef\n/x/${a:3}"), ["/x/abc"]);
}

#[test]
fn a_bad_line_stops_the_rest() {
    let read = read("https://e/a\nmain https://e/b\nhttps://e/c\n");
    assert_eq!(read.listed.len(), 1);
    assert_eq!(read.stopped, Some(BadLine { line: 2, fault: Fault::Keyword { found: "main".into() } }));
}

#[test]
fn names_what_is_wrong_with_a_line() {
    let found = |text: &str| text.to_owned();
    assert_eq!(stopped(" https://e/x"), (1, Fault::Blank));
    assert_eq!(stopped("v2"), (1, Fault::NoAddress));
    assert_eq!(stopped("@t"), (1, Fault::NoAddress));
    assert_eq!(stopped("@t v3 https://e/x"), (1, Fault::Address { found: found("v3") }));
    assert_eq!(stopped("\n${x}"), (2, VariableFault::Undefined { found: found("x") }.into()));
    assert_eq!(stopped("/${x"), (1, VariableFault::Form { found: found("/${x") }.into()));
    assert_eq!(stopped("set -x a=b"), (1, VariableFault::Option { found: found("-x") }.into()));
    for text in ["APK_ARCH=x", "a", "1a=b", "a =b", "=b", "ä=b"] {
        let fault = VariableFault::Definition { found: found(text) };
        assert_eq!(stopped(&format!("set {text}")), (1, fault.into()), "{text}");
    }
    assert_eq!(
        parse(b"/\xff", &Architecture::parse(b"x86").unwrap()).stopped.unwrap().fault,
        Fault::Encoding
    );
}

#[test]
fn expansion_and_numbers_are_bounded() {
    let mut doubling = String::from("set a=xxxxxxxxxxxxxxxx\n");
    (0..64).for_each(|_| doubling += "set a=${a}${a}\n");
    assert_eq!(stopped(&doubling), (9, VariableFault::TooLong.into()));
    let many = |count: usize| -> String { (0..count).map(|n| format!("/r/{n}\n")).collect() };
    assert_eq!(read(&many(32)).stopped, None);
    assert_eq!(stopped(&many(33)), (33, Fault::TooMany));
    let tags = |count: usize| -> String { (0..count).map(|n| format!("@t{n} /r\n")).collect() };
    assert_eq!(read(&tags(15)).listed[0].tags.len(), 15);
    assert_eq!(stopped(&tags(16)), (16, Fault::TooMany));
}
