use std::path::Path;

/// The rooms in their order: a module may use only what stands above it.
const ROOMS: &[&str] = &[
    "sabotage",
    "limits",
    "types",
    "fault",
    "container",
    "keys",
    "envelope",
    "package",
    "index",
    "unverified",
    "verify",
    "sign",
    "plan",
    "transport",
    "publish",
    "mirror",
    "audit",
    "cli",
];

fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        rest.get(..end)
    })
}

fn check(path: &Path, room: &str, wrong: &mut Vec<String>) {
    let rank = |name: &str| ROOMS.iter().position(|room| *room == name);
    let own = rank(room).unwrap_or_else(|| panic!("{room} is not in the list of rooms"));
    for import in imports(&std::fs::read_to_string(path).unwrap()) {
        if rank(import).is_some_and(|used| used > own) {
            wrong.push(format!("{} uses {import}", path.display()));
        }
    }
}

fn walk(directory: &Path, room: &str, wrong: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, room, wrong);
        } else {
            check(&path, room, wrong);
        }
    }
}

#[test]
fn no_module_uses_what_stands_below_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            walk(&path, &name, &mut wrong);
        } else if !["lib", "main"].contains(&name.as_str()) {
            check(&path, &name, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
