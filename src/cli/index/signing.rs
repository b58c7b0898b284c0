//! The key that signs an index: the flags, and what they load.

#[cfg(not(feature = "aws-lc"))]
pub(super) use absent::{Signer, SigningArgs};
#[cfg(feature = "aws-lc")]
pub(super) use present::{Signer, SigningArgs};

#[cfg(feature = "aws-lc")]
mod present {
    use std::path::PathBuf;

    use clap::{Args, ValueEnum};

    use crate::cli::failure::Failure;
    use crate::index::IndexBytes;
    use crate::sign::{SignCommand, SignDigests, SignError, SigningKey, sign_index};
    use crate::verify::{Keyring, TrustedKey};

    /// The flags that say who signs.
    #[derive(Args, Debug)]
    #[command(next_help_heading = "Signing")]
    pub(in crate::cli::index) struct SigningArgs {
        /// Sign with this private key (PEM, RSA); mirror.rsa signs as mirror.rsa.pub
        #[arg(long, value_name = "FILE")]
        sign_key: Option<PathBuf>,
        /// The digests that are signed; SHA-1 is for clients that know nothing else, and takes the program openssl
        #[arg(long, value_enum, default_value_t = DigestsArg::Sha256, requires = "sign_key")]
        sign_digest: DigestsArg,
        /// Let this program sign: it reads the digest and writes the raw signature; {digest} becomes sha256 or sha1.
        /// --sign-key is then the public half
        #[arg(long, value_name = "COMMAND", requires = "sign_key")]
        sign_command: Option<String>,
    }

    /// Which digests.
    #[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
    enum DigestsArg {
        /// SHA-256, label RSA256
        Sha256,
        /// SHA-1, label RSA
        Sha1,
        /// Both, SHA-256 first
        Both,
    }

    /// Who signs, loaded.
    #[derive(Debug)]
    pub(in crate::cli::index) struct Signer {
        key: SigningKey,
        digests: SignDigests,
    }

    impl SigningArgs {
        /// Loads the key, if one is named.
        pub(in crate::cli::index) fn load(&self) -> Result<Option<Signer>, Failure> {
            let Some(path) = &self.sign_key else { return Ok(None) };
            let key = match &self.sign_command {
                Some(command) => {
                    SignCommand::parse(command).and_then(|command| SigningKey::behind(command, path))
                }
                None => SigningKey::read(path),
            };
            let digests = match self.sign_digest {
                DigestsArg::Sha256 => SignDigests::Sha256,
                DigestsArg::Sha1 => SignDigests::Sha1,
                DigestsArg::Both => SignDigests::Both,
            };
            Ok(Some(Signer { key: key.map_err(failure)?, digests }))
        }
    }

    impl Signer {
        /// The key in a file, over SHA-256.
        #[cfg(feature = "network")]
        pub(in crate::cli::index) fn read(path: &std::path::Path) -> Result<Self, Failure> {
            let key = SigningKey::read(path).map_err(failure)?;
            Ok(Self { key, digests: SignDigests::Sha256 })
        }

        /// The whole signed index.
        pub(in crate::cli::index) fn sign(&self, body: &IndexBytes) -> Result<Vec<u8>, Failure> {
            sign_index(body, &self.key, self.digests).map_err(failure)
        }

        /// What signs: labels and key name, for people.
        pub(in crate::cli::index) fn describe(&self) -> String {
            let labels = self.digests.as_slice().iter().map(|digest| digest.label().to_string());
            format!("{} ({})", self.key.name(), labels.collect::<Vec<_>>().join(", "))
        }

        /// A keyring of the key alone, for what it signed before.
        pub(in crate::cli::index) fn keyring(&self) -> Keyring {
            let mut keyring = Keyring::default();
            let (name, key) = (self.key.name().as_str(), self.key.public_key().clone());
            keyring.add_unless_taken(TrustedKey::new(name, "--sign-key", key));
            keyring
        }
    }

    /// What cannot be read or run is an error of this machine, everything else one of usage.
    fn failure(error: SignError) -> Failure {
        match error {
            SignError::Read { .. } | SignError::Command { .. } | SignError::CommandFailed { .. } => {
                Failure::local(error)
            }
            error => Failure::usage(error),
        }
    }
}

#[cfg(not(feature = "aws-lc"))]
mod absent {
    use clap::Args;

    use crate::cli::failure::Failure;
    use crate::index::IndexBytes;
    use crate::verify::Keyring;

    /// This build has nothing that signs.
    #[derive(Args, Debug)]
    pub(in crate::cli::index) struct SigningArgs {}

    /// Nobody.
    #[derive(Debug)]
    pub(in crate::cli::index) enum Signer {}

    impl SigningArgs {
        pub(in crate::cli::index) const fn load(&self) -> Result<Option<Signer>, Failure> {
            Ok(None)
        }
    }

    impl Signer {
        pub(in crate::cli::index) const fn sign(&self, _: &IndexBytes) -> Result<Vec<u8>, Failure> {
            match *self {}
        }

        pub(in crate::cli::index) const fn describe(&self) -> String {
            match *self {}
        }

        pub(in crate::cli::index) const fn keyring(&self) -> Keyring {
            match *self {}
        }
    }
}
