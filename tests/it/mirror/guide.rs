//! The operator's guide, followed word for word: only the settings are the test's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use apkvet_fixtures::FakeKey;

use super::rig::{Upstream, package, published};
use crate::harness::{apkvet, bounded};

/// The commands of the guide in their order, without the block of settings.
fn commands() -> Vec<String> {
    let guide = include_str!("../../../docs/operator.md");
    let blocks = guide.split("\n```sh\n").skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
}

/// A place for everything that the guide makes, and an upstream.
struct Place {
    directory: tempfile::TempDir,
    port: u16,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = Self { directory, port: free_port() };
        for folder in ["keys", "site", "nginx/conf.d"] {
            std::fs::create_dir_all(place.path(folder)).unwrap();
        }
        std::fs::write(place.path("keys").join(FakeKey::a().name()), FakeKey::a().public_pem()).unwrap();
        let items = [
            package("tool", "1.0-r0", &["lib"]),
            package("lib", "1.2-r0", &[]),
            package("other", "3-r0", &[]),
        ];
        Upstream::of(&items).write(&place.path("upstream"));
        let main = format!(
            "pid {0}/nginx.pid;\nerror_log {0}/error.log;\nevents {{}}\nhttp {{ access_log off; include {0}/nginx/conf.d/*.conf; }}\n",
            place.directory.path().display()
        );
        std::fs::write(place.path("nginx/nginx.conf"), main).unwrap();
        place
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn settings(&self) -> String {
        let root = self.directory.path().display();
        let (port, address) = (self.port, self.address());
        format!(
            "UPSTREAM={root}/upstream KEYS={root}/keys SELECT=tool ARCH=x86_64 SITE={root}/site ROOT={root}/srv \
             PORT={port} ADDRESS={address} NGINX={root}/nginx\n"
        )
    }

    /// Runs commands as a user in the folder of the project does.
    fn run(&self, commands: &str) -> Output {
        let binary = Path::new(env!("CARGO_BIN_EXE_apkvet")).parent().unwrap();
        let path = format!("{}:{}:/usr/sbin", binary.display(), std::env::var("PATH").unwrap_or_default());
        let script = format!("set -eu\n{}{commands}", self.settings());
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(env!("CARGO_MANIFEST_DIR")).env("PATH", path);
        bounded::output(&mut command)
    }
}

/// The server does not outlive the test.
impl Drop for Place {
    fn drop(&mut self) {
        let _ =
            self.run("if [ -s \"$NGINX/../nginx.pid\" ]; then kill \"$(cat \"$NGINX/../nginx.pid\")\"; fi");
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn has(program: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("PATH=$PATH:/usr/sbin; command -v {program}")]).output();
    found.is_ok_and(|output| output.status.success())
}

#[test]
fn the_guide_leads_from_nothing_to_a_client() {
    let missing: Vec<&str> = ["nginx", "openssl"].into_iter().filter(|program| !has(program)).collect();
    if !missing.is_empty() {
        assert!(std::env::var_os("CI").is_none(), "CI has to have {missing:?}");
        eprintln!("SKIPPED: the operator's guide needs {missing:?}");
        return;
    }
    let place = Place::new();
    let blocks = commands();
    assert!(blocks.len() >= 6, "the guide has lost its commands");
    let mut told = String::new();
    for block in &blocks {
        let ran = place.run(block);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(ran.status.success(), "{block}\n{}\n{}", text(&ran.stdout), text(&ran.stderr));
        told.push_str(&text(&ran.stdout));
    }
    assert!(told.contains(&format!("{}/v3.22/main", place.address())), "no line for clients in\n{told}");
    let served = published(&place.path("srv"));
    assert!(served.contains_key("v3.22/main/x86_64/lib-1.2-r0.apk"), "{:?}", served.keys());
    assert!(!served.contains_key("v3.22/main/x86_64/other-3-r0.apk"), "{:?}", served.keys());
    // The inside serves the very same files, and the index that the outside signed.
    let inside = published(&place.path("srv-inside"));
    let files = |tree: &BTreeMap<String, Vec<u8>>| {
        let below = tree.iter().filter(|(path, _)| path.starts_with("v3.22/main/"));
        below.map(|(path, bytes)| (path.clone(), bytes.clone())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(files(&inside), files(&served));
    assert!(place.path("srv/current/snapshots/first/v3.22/main/x86_64/tool-1.0-r0.apk").is_file());
    client(&place);
}

/// What a client does: fetch the index and a package, and hold the package against both.
fn client(place: &Place) {
    let (url, home) = (format!("{}/v3.22/main/x86_64", place.address()), place.path("client"));
    std::fs::create_dir_all(&home).unwrap();
    let keys = home.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::copy(place.path("srv/current/keys/mirror.rsa.pub"), keys.join("mirror.rsa.pub")).unwrap();
    let fetched = |what: &str, trust: &[&str]| {
        let ran = apkvet(&home, &[&["fetch", &format!("{url}/{what}")], trust].concat());
        assert_eq!(ran.code, 0, "{what}: {} {}", ran.out, ran.err);
    };
    fetched("APKINDEX.tar.gz", &["--keys-dir", "keys"]);
    let builder = place.path("keys").join(FakeKey::a().name());
    let trust = ["--keys-dir", "keys", "--key", builder.to_str().unwrap(), "--index", "APKINDEX.tar.gz"];
    fetched("tool-1.0-r0.apk", &trust);
    fetched("lib-1.2-r0.apk", &trust);
    install(place, &keys);
}

/// A real client, if there is one: with the mirror's key alone.
fn install(place: &Place, keys: &Path) {
    let Some(apk) = std::env::var_os("APKVET_APK") else {
        eprintln!("SKIPPED: APKVET_APK names no apk that installs from the mirror");
        return;
    };
    let root = place.path("root");
    let mut command = Command::new(apk);
    command.args(["--root", root.to_str().unwrap(), "--initdb", "--arch", "x86_64", "--no-cache"]);
    command.args(["--keys-dir", keys.to_str().unwrap(), "--repositories-file", "/dev/null"]);
    command.args(["--repository", &format!("{}/v3.22/main", place.address()), "add", "tool"]);
    let ran = command.output().unwrap();
    assert!(
        ran.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
}
