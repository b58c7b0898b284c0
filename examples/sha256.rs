//! Hashes files as `apkvet verify` reads them: `cargo run --release --example sha256 -- FILE...`.
//!
//! Nothing that verifies by SHA-256 can be faster; `benches/compare` sets it beside the level of identity.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;

#[expect(clippy::print_stdout, reason = "this is what the program says")]
fn main() -> anyhow::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        let mut file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut hasher = Hasher::new();
        loop {
            let count = file.read(&mut buffer).with_context(|| format!("cannot read {}", path.display()))?;
            if count == 0 {
                break;
            }
            hasher.update(buffer.get(..count).unwrap_or_default());
        }
        let digest: String = hasher.finish().iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{digest}  {}", path.display());
    }
    Ok(())
}

/// The back end that `apkvet` itself has in this build.
#[cfg(feature = "aws-lc")]
struct Hasher(aws_lc_rs::digest::Context);

#[cfg(feature = "aws-lc")]
impl Hasher {
    fn new() -> Self {
        Self(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256))
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

/// The back end that `apkvet` itself has in this build.
#[cfg(not(feature = "aws-lc"))]
struct Hasher(sha2::Sha256);

#[cfg(not(feature = "aws-lc"))]
impl Hasher {
    fn new() -> Self {
        Self(sha2::Digest::new())
    }

    fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.0, bytes);
    }

    fn finish(self) -> Vec<u8> {
        sha2::Digest::finalize(self.0).to_vec()
    }
}
