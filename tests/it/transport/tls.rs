//! Against `openssl s_server`, where there is one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::places::sent_on;
use super::*;
use apkvet::transport::{Authorities, Class};

/// A server with a certificate that its own key signed; ends with its value.
struct TlsServer {
    child: Child,
    port: u16,
    certificate: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> Option<Command> {
    let mut command = Command::new("openssl");
    command.args(arguments).current_dir(folder).stdin(Stdio::piped()).stderr(Stdio::null());
    Some(command)
}

/// Serves files that hold whole answers, heads included.
fn tls_server(files: &[(&str, &[u8])]) -> Option<TlsServer> {
    let folder = tempfile::tempdir().unwrap();
    let make = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE";
    let make: Vec<&str> = make.split_whitespace().collect();
    let made = openssl(folder.path(), &make)?.stdout(Stdio::null()).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no openssl: TLS was not tested");
        return None;
    }
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let serve = ["s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-HTTP"];
    let mut child = openssl(folder.path(), &serve)?.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| line.unwrap().strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok()).unwrap();
    // What it prints later must not fill its pipe.
    std::thread::spawn(move || lines.count());
    let certificate = std::fs::read(folder.path().join("cert.pem")).unwrap();
    Some(TlsServer { child, port, certificate, _folder: folder })
}

fn good() -> Vec<u8> {
    [b"HTTP/1.0 200 OK\r\nContent-Length: 1500\r\n\r\n".as_slice(), &body()].concat()
}

#[test]
fn a_private_authority_is_trusted_alone_or_beside_the_others_and_not_without_being_named() {
    let Some(server) = tls_server(&[("file", &good())]) else { return };
    let url = format!("https://127.0.0.1:{}/file", server.port);
    let demand = Demand::new(&[], 2000).sized(1500);
    for (authorities, trusted) in [
        (Authorities::Only(server.certificate.clone()), true),
        (Authorities::Add(server.certificate.clone()), true),
        (Authorities::System, false),
    ] {
        let mut bench = Bench::patient();
        bench.settings.authorities = authorities;
        let (done, sink) = bench.fetch(std::slice::from_ref(&url), &demand);
        if trusted {
            assert!(done.is_ok() && sink == body(), "{done:?}");
        } else {
            assert!(matches!(problem(&done), Problem::Tls { .. } | Problem::NoAuthorities), "{done:?}");
            assert_eq!(done.unwrap_err().class(), Class::Network);
            assert!(sink.is_empty());
        }
    }
}

#[test]
fn a_certificate_of_another_host_is_not_trusted_and_not_asked_for_twice() {
    let Some(server) = tls_server(&[("file", &good())]) else { return };
    let mut bench = Bench::patient();
    bench.settings.authorities = Authorities::Only(server.certificate.clone());
    let url = format!("https://127.0.0.2:{}/file", server.port);
    // The server listens at one address alone; a forward brings the other one to it.
    let Ok(listener) = std::net::TcpListener::bind(("127.0.0.2", server.port)) else { return };
    let port = server.port;
    std::thread::spawn(move || forward(&listener, port));
    let (done, _) = bench.fetch(&[url], &Demand::new(&[], 2000));
    assert!(matches!(problem(&done), Problem::Tls { .. }), "{done:?}");
    assert_eq!(bench.waited(), Duration::ZERO);
}

fn forward(listener: &std::net::TcpListener, port: u16) {
    for stream in listener.incoming() {
        let (Ok(stream), Ok(inner)) = (stream, std::net::TcpStream::connect(("127.0.0.1", port))) else {
            continue;
        };
        let (mut from, mut to) = (stream.try_clone().unwrap(), inner.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut from, mut to) = (inner, stream);
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    }
}

#[test]
fn http_leads_to_an_https_server_that_somebody_vouches_for() {
    let Some(server) = tls_server(&[("file", &good())]) else { return };
    let plain = FaultServer::start(&[]);
    let to = format!("https://127.0.0.1:{}/file", server.port);
    plain.misbehave(move |_| Some(sent_on(&to)));
    for (authorities, trusted) in
        [(Authorities::Only(server.certificate.clone()), true), (Authorities::System, false)]
    {
        let mut bench = Bench::patient();
        bench.settings.authorities = authorities;
        let (done, sink) = bench.fetch(&[plain.url("/file")], &Demand::new(&[], 2000).sized(1500));
        assert_eq!(done.is_ok() && sink == body(), trusted, "{done:?}");
        if !trusted {
            assert!(matches!(problem(&done), Problem::Tls { .. } | Problem::NoAuthorities), "{done:?}");
        }
    }
}

#[test]
fn https_never_leads_back_to_http() {
    let plain = FaultServer::start(&[("/file", &body())]);
    let away = format!("HTTP/1.0 302 Found\r\nContent-Length: 0\r\nLocation: {}\r\n\r\n", plain.url("/file"));
    let Some(server) = tls_server(&[("file", away.as_bytes())]) else { return };
    let mut bench = Bench::patient();
    bench.settings.authorities = Authorities::Only(server.certificate.clone());
    let (done, _) =
        bench.fetch(&[format!("https://127.0.0.1:{}/file", server.port)], &Demand::new(&[], 2000));
    assert_eq!(problem(&done), Problem::Redirect { reason: "it leads from https to http" });
    assert!(plain.asked().is_empty());
}
