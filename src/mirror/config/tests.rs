use super::*;
use crate::unverified::Level;

const SMALL: &str = r#"
[mirror]
to = "srv"
[[repository]]
upstream = "https://example.org/alpine/v3.17/main"
architectures = ["aarch64"]
keys = ["keys/a.rsa.pub"]
"#;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/apkvet"))
}

/// The small configuration with more lines in its repository.
fn with(lines: &str) -> Result<Config, ConfigError> {
    parse(&format!("{SMALL}{lines}"))
}

fn problem(result: Result<Config, ConfigError>) -> (String, Problem) {
    match result.unwrap_err() {
        ConfigError::Repository { key, problem, .. } => (key.to_owned(), problem),
        ConfigError::Mirror { key, problem } => (key, problem),
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let config = parse(SMALL).unwrap();
    let [repository] = config.repositories() else { panic!("{config:?}") };
    assert_eq!(repository.name, "v3.17/main");
    assert_eq!(config.mirror().to, Path::new("/etc/apkvet/srv"));
    assert_eq!(config.mirror().grace, Duration::from_secs(7 * 86400));
    assert_eq!(repository.keys, [Path::new("/etc/apkvet/keys/a.rsa.pub")]);
    assert_eq!(repository.index_kind, IndexKind::Upstream);
    assert_eq!(repository.level, Level::Identity);
    assert_eq!(repository.package_signatures, PackageSignatures::Required);
    assert_eq!(repository.selection.retain, Retain::Count(0));
}

#[test]
fn a_selection_makes_it_a_subset_that_is_read_in_full() {
    let config = with("select = [\"bash\"]\nsign-key = \"mirror.rsa\"\nretain = \"180d\"").unwrap();
    let repository = &config.repositories()[0];
    assert_eq!(repository.index_kind, IndexKind::Subset);
    assert_eq!(repository.level, Level::Full);
    assert_eq!(repository.selection.retain, Retain::Period(Duration::from_secs(180 * 86400)));
    assert_eq!(
        with("select = [\"a\"]\nsign-key = \"k\"\nretain = 3").unwrap().repositories()[0].selection.retain,
        Retain::Count(3)
    );
    assert_eq!(problem(with("select = [\"bash\"]")), ("sign-key".into(), Problem::NoSignKey));
}

#[test]
fn an_upstream_index_excludes_what_would_change_it() {
    for (line, key) in [
        ("select = [\"bash\"]", "select"),
        ("retain = \"all\"", "retain"),
        ("pinned-by = [\"Dockerfile\"]", "pinned-by"),
        ("sign-key = \"mirror.rsa\"", "sign-key"),
    ] {
        let found = problem(with(&format!("index-kind = \"upstream\"\n{line}")));
        assert_eq!(found, (key.to_owned(), Problem::UpstreamKind), "{line}");
    }
}

#[test]
fn a_name_stays_within_the_tree_and_out_of_the_folders_of_the_mirror() {
    for name in ["../x", "/x", "a//b", "a/./b", "", "a b", ".hidden/x", "a/.b", "x/"] {
        let (key, found) = problem(with(&format!("name = \"{name}\"")));
        assert_eq!((key.as_str(), found), ("name", Problem::Name { found: name.to_owned() }));
    }
    for name in ["keys", "keys/x", "snapshots/x"] {
        let (_, found) = problem(with(&format!("name = \"{name}\"")));
        assert_eq!(found, Problem::Reserved { found: name.to_owned() });
    }
    with("name = \"my-own/keys\"").unwrap();
}

#[test]
fn two_repositories_never_share_a_folder() {
    let second = |name: &str| {
        let text = SMALL.split("[[repository]]").nth(1).unwrap();
        format!("{SMALL}name = \"a/b\"\n[[repository]]{text}name = \"{name}\"\n")
    };
    parse(&second("a/c")).unwrap();
    parse(&second("a/bc")).unwrap();
    for name in ["a/b", "a", "a/b/c"] {
        let (key, found) = problem(parse(&second(name)));
        assert_eq!((key.as_str(), found), ("name", Problem::Overlap { other: "a/b".into() }), "{name}");
    }
}

#[test]
fn misspelt_keys_and_words_are_errors() {
    for line in ["selct = [\"bash\"]", "max_age = \"3d\"", "retain = true"] {
        assert!(matches!(with(line), Err(ConfigError::Syntax { line: 8, .. })), "{line}: {:?}", with(line));
    }
    for (line, key) in [
        ("level = \"deep\"", "level"),
        ("package-signatures = \"none\"", "package-signatures"),
        ("min-digest = \"md5\"", "min-digest"),
        ("rebuilt = \"keep\"", "rebuilt"),
        ("retain = \"some\"", "retain"),
        ("max-age = \"-1d\"", "max-age"),
        ("max-age = \"99999999999999999999d\"", "max-age"),
        ("max-age = \"d\"", "max-age"),
        ("description = \"(\"", "description"),
        ("waive = [\"a-1 sha256:00 code\"]", "waive"),
    ] {
        assert_eq!(problem(with(line)).0, key, "{line}");
    }
}

#[test]
fn nothing_can_be_mirrored_without_keys_architectures_or_repositories() {
    let without = |line: &str| parse(&SMALL.replace(line, ""));
    assert_eq!(problem(without("keys = [\"keys/a.rsa.pub\"]")), ("keys".into(), Problem::NoKeys));
    assert_eq!(problem(parse(&SMALL.replace("[\"aarch64\"]", "[]"))).0, "architectures");
    assert_eq!(problem(parse(&SMALL.replace("aarch64", "noarch"))).1, Problem::Noarch);
    assert_eq!(parse("[mirror]\nto = \"x\"").unwrap_err(), ConfigError::NoRepository);
}

#[test]
fn limits_and_owners_are_checked() {
    let more = |text: &str| parse(&SMALL.replace("[[repository]]", &format!("{text}\n[[repository]]")));
    assert_eq!(problem(more("owners = { bash = \"v3.16/main\" }")).0, "owners");
    more("owners = { bash = \"v3.17/main\" }").unwrap();
    assert_eq!(problem(more("[limits]\nno-such = 1")).0, "limits.no-such");
    let config = more("[limits]\nindex-entries = 5\nscript = \"1M\"").unwrap();
    assert_eq!(config.limits().index_entries, 5);
}

#[test]
fn credentials_in_an_upstream_are_not_in_debug_output() {
    let config = parse(&SMALL.replace("https://", "https://user:hunter2@")).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.repositories()[0].name, "v3.17/main");
    let broken = "[mirror]\nto = \"x\"\n[[repository]]\nupstream = \"https://user:hunter2@host\" broken";
    let error = parse(broken).unwrap_err().to_string();
    assert!(error.starts_with("line 4: ") && !error.contains("hunter2"), "{error}");
}

#[test]
fn folders_are_relative_to_the_configuration() {
    let config = parse(&SMALL.replace("https://example.org/alpine/v3.17/main", "disk/v3.17/main")).unwrap();
    assert_eq!(config.repositories()[0].upstreams.texts(), ["/etc/apkvet/disk/v3.17/main"]);
}

#[test]
fn the_configuration_to_begin_with_is_understood() {
    let text = include_str!("../../../contrib/apkvet.toml");
    let config = Config::parse(text, Path::new("/etc/apkvet")).unwrap();
    let names: Vec<&str> = config.repositories().iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["v3.22/main", "v3.22/community"]);
}
