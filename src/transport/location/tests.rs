use super::*;

fn parsed(text: &str) -> Location {
    Location::parse(text).unwrap()
}

#[test]
fn neither_credentials_nor_queries_are_printed() {
    let location = parsed("https://robot:canary@host.example:8443/a/b?token=canary");
    assert_eq!(location.to_string(), "https://host.example:8443/a/b?…");
    assert_eq!(format!("{location:?}"), "Location(https://host.example:8443/a/b?…)");
    assert_eq!(location.credentials().unwrap().password(), "canary");
    assert_eq!(location.url().unwrap().as_str(), "https://host.example:8443/a/b?token=canary");
}

#[test]
fn user_names_and_passwords_are_percent_decoded() {
    let location = parsed("http://ro%40bot:a%3Ab%2F@host/");
    let credentials = location.credentials().unwrap();
    assert_eq!((credentials.user(), credentials.password()), ("ro@bot", "a:b/"));
}

#[test]
fn what_could_mean_another_place_is_refused() {
    for (text, error) in [
        ("ftp://host/a", LocationError::Scheme),
        ("file:///etc/passwd", LocationError::Scheme),
        ("file:/etc/passwd", LocationError::Scheme),
        ("data:text/plain,a", LocationError::Scheme),
        ("https:/host", LocationError::Scheme),
        ("https:///evil", LocationError::Host),
        ("https://a:b@", LocationError::Host),
        ("https://host:port/", LocationError::Host),
        ("https://good@evil/", LocationError::UserInfo),
        ("https://a:b@good@evil/", LocationError::UserInfo),
        ("https://a:%zz@host/", LocationError::UserInfo),
        ("https://good\\@evil/", LocationError::Byte),
        ("https://host/a b", LocationError::Byte),
        ("https://höst/", LocationError::Byte),
        ("https://host/a#b", LocationError::Fragment),
        ("", LocationError::Empty),
    ] {
        assert_eq!(Location::parse(text), Err(error), "{text}");
    }
}

#[test]
fn plus_goes_through_a_url_and_back() {
    let base = parsed("https://host/main/");
    let joined = base.join(&["x86_64", "gtk+3.0-1:2~a-r0.apk"]).unwrap();
    assert_eq!(joined.url().unwrap().path(), "/main/x86_64/gtk%2B3.0-1%3A2~a-r0.apk");
    assert_eq!(joined.file_name().unwrap(), "gtk+3.0-1:2~a-r0.apk");
    let folder = parsed("/srv/main").join(&["x86_64", "libstdc++-1-r0.apk"]).unwrap();
    assert_eq!(folder.path().unwrap(), Path::new("/srv/main/x86_64/libstdc++-1-r0.apk"));
}

#[test]
fn a_segment_is_a_plain_name() {
    for base in ["https://host/a", "/srv/a"] {
        for segment in ["", ".", "..", "a/b", "/etc", "a\0b", "a\\b", "a\nb"] {
            let refused = Problem::Name { segment: segment.to_owned() };
            assert_eq!(parsed(base).join(&[segment]), Err(refused), "{segment:?}");
        }
    }
    assert!(matches!(parsed("https://host/a?b").join(&["c"]), Err(Problem::Name { .. })));
}

#[test]
fn the_name_of_a_file_is_one_that_can_be_written() {
    for (text, name) in [
        ("https://host/a/b.apk?x=/c", Some("b.apk")),
        ("https://host/a%2Fb", None),
        ("https://host/a/", None),
        ("https://host", None),
        ("https://host/.profile", None),
        ("https://host/%2e%2e", None),
        ("https://host/a%00", None),
        ("/srv/a.apk", Some("a.apk")),
    ] {
        assert_eq!(parsed(text).file_name().as_deref(), name, "{text}");
    }
}

#[test]
fn credentials_of_the_environment_reach_what_they_are_good_for_and_nothing_else() {
    let scoped = Credentials::parse_scoped("https://a:b@host/private").unwrap();
    let has =
        |text: &str| parsed(text).with_scoped(&scoped).credentials().map(|found| found.user().to_owned());
    assert_eq!(has("https://host/private/a.apk").as_deref(), Some("a"));
    assert_eq!(has("https://own:c@host/private/a.apk").as_deref(), Some("own"));
    for text in ["https://host/privately", "http://host/private/a", "https://evil/private/a", "/private/a"] {
        assert_eq!(has(text), None, "{text}");
    }
}

#[test]
fn the_scope_is_that_of_the_bare_address() {
    let scope = parsed("https://a:b@Host:443/x/./y?z").scope().unwrap();
    assert_eq!(scope, Scope::parse("https://host/x/y").unwrap());
    assert_eq!(parsed("/srv/a").scope(), Scope::parse("file:/srv/a").ok());
}
