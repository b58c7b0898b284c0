use super::*;

fn atoms(text: &str) -> Vec<String> {
    Named::parse(text).versions.into_iter().map(|named| named.atom).collect()
}

#[test]
fn reads_the_packages_of_a_dockerfile_over_continued_lines() {
    let text = "FROM alpine:3.17\n\
        ARG NGINX=1.22.1-r0\n\
        RUN apk update && \\\n  # the shell\n  apk --no-cache add \\\n    bash=5.2.15-r0 \\\n    \"curl~7.87\" \\\n    nginx=${NGINX} jq \\\n  && rm -rf /x=1\n";
    let named = Named::parse(text);
    assert_eq!(atoms(text), ["bash=5.2.15-r0", "curl~7.87", "nginx=1.22.1-r0"]);
    assert_eq!(named.versions[0].line, 3);
    assert_eq!(named.unread, []);
}

#[test]
fn options_and_their_values_are_no_packages() {
    let text = "RUN apk add -t .build=1 --repository=https://x/y -X https://a/b=c gcc>12 !clang\n";
    assert_eq!(atoms(text), ["gcc>12"]);
}

#[test]
fn reads_the_json_form_and_scripts() {
    assert_eq!(atoms("FROM x\nRUN [\"apk\", \"add\", \"bash=5.2-r0\"]\n"), ["bash=5.2-r0"]);
    assert_eq!(atoms("#!/bin/sh\nset -e\nV=1.2-r0\n/sbin/apk add foo=$V | tee log\n"), ["foo=1.2-r0"]);
}

#[test]
fn a_variable_without_value_is_told_of() {
    let named = Named::parse("FROM x\nARG V\nRUN apk add foo=$V bar=${W:-2.0-r1}\n");
    assert_eq!(named.versions.iter().map(|named| named.atom.as_str()).collect::<Vec<_>>(), ["bar=2.0-r1"]);
    let unread = Unread { word: "foo=$V".into(), line: 3, why: WhyUnread::Variable };
    assert_eq!(named.unread, [unread]);
}

#[test]
fn a_word_that_is_no_atom_is_told_of() {
    let named = Named::parse("FROM x\nRUN apk add foo=\n");
    assert_eq!(named.unread, [Unread { word: "foo=".into(), line: 2, why: WhyUnread::Atom }]);
}

#[test]
fn reads_world_files() {
    assert_eq!(
        atoms("alpine-base\nbash=5.2.15-r0\npython3~3.10 zlib\n!foo=1\n"),
        ["bash=5.2.15-r0", "python3~3.10"]
    );
}

#[test]
fn a_dockerfile_that_installs_nothing_names_nothing() {
    assert_eq!(atoms("FROM scratch\nENV A=1\nCOPY a=b /\nRUN apk del foo=1\n"), [""; 0]);
}

#[test]
fn variables_that_refer_to_themselves_do_not_grow_without_bound() {
    let line = "A=$A$A$A$A$A$A$A$A\n".repeat(200);
    let text = format!("A=xxxxxxxx\n{line}apk add a=$A\n");
    assert!(Named::parse(&text).versions.iter().all(|named| named.atom.len() <= 2 * 4096));
}
