use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::rig::{published, text_of};
use crate::harness::http_fault_server::FaultServer;
use crate::harness::{apkvet, files, shared};

/// Everything below a folder, as a server has it.
fn serve(folder: &Path) -> FaultServer {
    let server = FaultServer::start(&[]);
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for path in std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(folder).unwrap().to_str().unwrap();
                let below = below.replace('+', "%2B");
                server.put(&format!("/repo/{below}"), &std::fs::read(&path).unwrap());
            }
        }
    }
    server
}

/// Whole repositories that others made, mirrored with upstream's index over HTTP.
#[test]
fn real_repositories_are_mirrored_over_http_byte_for_byte() {
    for (name, key, arch) in
        [("melange-repo", "melange.rsa.pub", "x86_64"), ("melange-repo", "melange.rsa.pub", "aarch64")]
    {
        let Some(repository) = shared(&format!("real/{name}")) else { return };
        let server = serve(&repository);
        let directory = tempfile::tempdir().unwrap();
        let key = repository.join(key);
        let arguments = [
            "mirror",
            "sync",
            "--upstream",
            &server.url("/repo"),
            "--name",
            "real",
            "--to",
            "srv",
            "--arch",
            arch,
            "--key",
            key.to_str().unwrap(),
        ];
        let ran = apkvet(directory.path(), &arguments);
        assert_eq!(ran.code, 0, "{name}/{arch}: {} {}", ran.out, ran.err);
        let tree = published(&directory.path().join("srv"));
        for file in files(&repository.join(arch)) {
            let below = format!("real/{arch}/{}", file.file_name().unwrap().to_str().unwrap());
            if let Some(mirrored) = tree.get(&below) {
                assert!(*mirrored == std::fs::read(&file).unwrap(), "{below}");
            }
        }
        let again = apkvet(directory.path(), &arguments);
        assert!(again.out.starts_with("nothing new"), "{}", again.out);
        let check = ["mirror", "check", "srv", "--key", key.to_str().unwrap()];
        let checked = apkvet(directory.path(), &check);
        assert_eq!(checked.code, 0, "{}", checked.out);
    }
}

/// The index of abuild-2025 names 66 packages, of which 51 are there.
#[test]
fn a_real_repository_that_lacks_packages_is_not_published() {
    let Some(repository) = shared("real/abuild-2025") else { return };
    let directory = tempfile::tempdir().unwrap();
    let (from, key) = (repository.to_str().unwrap(), repository.join("builduser-68fcd79c.rsa.pub"));
    let arguments =
        ["mirror", "sync", "--upstream", from, "--name", "real", "--to", "srv", "--arch", "x86_64", "--key"];
    let ran = apkvet(directory.path(), &[&arguments[..], &[key.to_str().unwrap()]].concat());
    assert_eq!(ran.code, 5, "{} {}", ran.out, ran.err);
    assert_eq!(ran.out.matches("[not-found]").count(), 15, "{}", ran.out);
    assert!(!directory.path().join("srv/current").exists());
}

struct Client {
    apk: PathBuf,
    directory: tempfile::TempDir,
}

impl Client {
    /// A fresh root with the lines and the key that `mirror status --client` tells of; none without an `apk`.
    fn of(mirror: &Path, url: &str) -> Option<Self> {
        let Some(apk) = std::env::var_os("APKVET_APK").map(PathBuf::from) else {
            eprintln!("SKIPPED: APKVET_APK names no apk: nothing was installed from the mirror");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        for name in ["keys", "root"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        let told = apkvet(mirror, &["mirror", "status", "--to", "srv", "--client", "--url", url]);
        assert_eq!(told.code, 0, "{}", told.err);
        std::fs::write(directory.path().join("repositories"), &told.out).unwrap();
        for key in files(&mirror.join("srv/current/keys")) {
            std::fs::copy(&key, directory.path().join("keys").join(key.file_name().unwrap())).unwrap();
        }
        let client = Self { apk, directory };
        let made = client.run(&["add", "--initdb", "--no-cache"]);
        assert!(made.status.success(), "{}", said(&made));
        Some(client)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let at = |name: &str| self.directory.path().join(name);
        Command::new(&self.apk)
            .arg("--root")
            .arg(at("root"))
            .args(["--arch", "x86_64", "--repositories-file"])
            .arg(at("repositories"))
            .arg("--keys-dir")
            .arg(at("keys"))
            .args(arguments)
            .output()
            .unwrap()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The program that clients run reads the mirror with the mirror's key alone.
#[test]
fn apk_installs_from_a_subset_by_the_key_of_the_mirror_alone() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let directory = tempfile::tempdir().unwrap();
    let (upstream, keys) = (fixtures.join("repository"), fixtures.join("repository/keys"));
    let sign = fixtures.join("test-keys/FAKE-apkvet-test-mirror.rsa");
    let arguments = [
        "mirror",
        "sync",
        "--upstream",
        upstream.to_str().unwrap(),
        "--name",
        "fake/main",
        "--to",
        "srv",
        "--arch",
        "x86_64",
        "--select",
        "tool",
        "--sign-key",
        sign.to_str().unwrap(),
        "--keys-dir",
        keys.to_str().unwrap(),
    ];
    let ran = apkvet(directory.path(), &arguments);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    let server = serve(&directory.path().join("srv/current").canonicalize().unwrap());
    let Some(client) = Client::of(directory.path(), &server.url("/repo")) else { return };
    let simulated = client.run(&["add", "--simulate", "--no-cache", "tool"]);
    let text = said(&simulated);
    assert!(simulated.status.success() && text.contains("Installing tool (1.1-r0)"), "{text}");
    let out = client.directory.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let fetched = client.run(&["fetch", "--no-cache", "--recursive", "-o", out.to_str().unwrap(), "tool"]);
    assert!(fetched.status.success(), "{}", said(&fetched));
    let index = std::fs::read(directory.path().join("srv/current/fake/main/x86_64/APKINDEX.tar.gz")).unwrap();
    let names: Vec<String> =
        files(&out).iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(names.contains(&"tool-1.1-r0.apk".to_owned()) && text_of(&index).contains("P:tool"), "{names:?}");
    // Without the key nothing is believed.
    std::fs::remove_dir_all(client.directory.path().join("keys")).unwrap();
    std::fs::create_dir(client.directory.path().join("keys")).unwrap();
    assert!(!client.run(&["add", "--simulate", "--no-cache", "tool"]).status.success());
}
