//! A real web server on a loopback port, as `contrib/nginx.conf` sets it up.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// It serves a folder, and ends with its value.
pub(crate) struct Nginx {
    process: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Nginx {
    /// Serves a folder; none, said loudly, where there is no nginx. CI has to have it.
    pub(crate) fn serve(root: &Path) -> Option<Self> {
        let there = Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_ok();
        if !there {
            assert!(std::env::var_os("CI").is_none(), "CI is set, and there is no nginx");
            eprintln!("SKIPPED: there is no nginx: nothing was mirrored from a real server");
            return None;
        }
        // Another process can take the port before nginx does.
        let mut started = (0..5).filter_map(|_| Self::start(root));
        Some(started.next().unwrap_or_else(|| panic!("nginx does not serve {}", root.display())))
    }

    fn start(root: &Path) -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("nginx.conf"), configuration(root, directory.path(), address)).unwrap();
        let mut process = Command::new("nginx")
            .arg("-p")
            .arg(directory.path())
            .arg("-e")
            .arg(path("error.log"))
            .arg("-c")
            .arg(path("nginx.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while process.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(30) {
            if TcpStream::connect(address).is_ok() {
                return Some(Self { process, address, _directory: directory });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = process.kill();
        process.wait().unwrap();
        eprintln!("{}", std::fs::read_to_string(path("error.log")).unwrap_or_default());
        None
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The site that operators are given, with our names in it, and what stands around it.
fn configuration(root: &Path, directory: &Path, address: SocketAddr) -> String {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/nginx.conf");
    let mut site = std::fs::read_to_string(site).unwrap();
    for (theirs, ours) in [
        ("listen 80;", format!("listen {address};")),
        ("listen [::]:80;", String::new()),
        ("root /srv/apk/current;", format!("root {root:?};")),
    ] {
        assert!(site.contains(theirs), "contrib/nginx.conf has no `{theirs}`");
        site = site.replace(theirs, &ours);
    }
    let scratch: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {:?};\n", directory.join(name)))
        .concat();
    // One process alone, that runs as whoever runs the tests: it has to read their folders.
    format!(
        "daemon off;\nmaster_process off;\npid {:?};\nevents {{ }}\nhttp {{\naccess_log off;\n{scratch}{site}}}\n",
        directory.join("pid")
    )
}
