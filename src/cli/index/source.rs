//! Indexes as the commands read them: judged first, and then looked into whatever the verdict is.

use std::path::Path;

use anyhow::anyhow;
use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::pool::Worker;
use crate::cli::read::read;
use crate::cli::record::FileRecord;
use crate::cli::subjects::Subject;
use crate::cli::threads::cores;
use crate::cli::trust::{Trust, TrustArgs};
use crate::cli::verify::{DigestArg, set_limit};
use crate::index::{Index, TextReport};
use crate::limits::Limits;
use crate::unverified::{self, Keep, Level, ReadOptions};
use crate::verify::{
    KeyNames, Keyring, MinDigest, Policy, Proof, verify_index, verify_package, verify_unknown,
};

/// The flags that say what is trusted and how much a file may cost.
#[derive(Args, Debug)]
pub(super) struct JudgeArgs {
    /// The weakest digest that a signature may rest on
    #[arg(long, value_enum, default_value_t = DigestArg::Sha1)]
    min_digest: DigestArg,
    /// Set a limit, for example index-text=1G (repeatable)
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    limits: Vec<String>,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
}

/// What judges files, loaded.
#[derive(Debug)]
pub(super) struct Judge {
    trust: Trust,
    policy: Policy,
    limits: Limits,
    /// How many threads an index that is read alone may have.
    threads: usize,
}

/// An index that was read and judged.
#[derive(Debug)]
pub(super) struct JudgedIndex {
    pub(super) record: FileRecord,
    /// What is in it; none if that could not be read.
    pub(super) content: Option<Content>,
    /// Whether a good signature is all that it lacks.
    pub(super) lacks_only_signature: bool,
}

/// The text of an index and its entries, proven only if the verdict is `verified`.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) report: TextReport,
    pub(super) index: Index,
}

impl Judge {
    /// Loads what the flags name.
    pub(super) fn load(args: &JudgeArgs, output: &mut Output) -> Result<Self, Failure> {
        let mut limits = Limits::default();
        for limit in &args.limits {
            set_limit(&mut limits, limit)?;
        }
        let trust = Trust::load(&args.trust, output)?;
        let policy = Policy {
            min_digest: match args.min_digest {
                DigestArg::Sha1 => MinDigest::AcceptSha1,
                DigestArg::Sha256 => MinDigest::Sha256,
            },
            key_names: if args.trust.any_key_name { KeyNames::Any } else { KeyNames::AsSigned },
            fingerprints: args.trust.fingerprints.clone(),
            pinned: trust.pinned.clone(),
        };
        Ok(Self { trust, policy, limits, threads: cores() })
    }

    /// Lets an index that is read alone have so many threads, instead of one for each core.
    pub(super) fn on(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The same for keys, a digest and limits that a configuration names.
    #[cfg(feature = "network")]
    pub(super) fn of(
        trust: &TrustArgs,
        min_digest: MinDigest,
        limits: Limits,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let trust = Trust::load(trust, output)?;
        let policy = Policy { min_digest, pinned: trust.pinned.clone(), ..Policy::default() };
        Ok(Self { trust, policy, limits, threads: cores() })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn proof(&self) -> Proof<'_> {
        Proof { keyring: &self.trust.keyring, policy: &self.policy, known: &self.trust.known }
    }

    /// Reads and judges an index, keeping its text.
    pub(super) fn index(&self, subject: &Subject) -> JudgedIndex {
        self.judged(subject, &self.proof())
    }

    /// Reads and judges an index that only these keys can have signed.
    pub(super) fn index_signed_by(&self, keyring: &Keyring, subject: &Subject) -> JudgedIndex {
        let policy = Policy { min_digest: self.policy.min_digest, ..Policy::default() };
        self.judged(subject, &Proof { keyring, policy: &policy, known: &self.trust.known })
    }

    fn judged(&self, subject: &Subject, proof: &Proof<'_>) -> JudgedIndex {
        let options =
            ReadOptions { limits: self.limits.clone(), index_text: Keep::Text, ..Default::default() };
        let nothing = |record| JudgedIndex { record, content: None, lacks_only_signature: false };
        let path = subject.shown();
        match read(subject, &options, &mut Worker::alone(self.threads)) {
            Err(error) => nothing(FileRecord::unread(path, Level::Full, &error)),
            Ok(unverified::Subject::Package(package)) => {
                let judged = verify_package(package, proof);
                nothing(FileRecord::package(path, Level::Full, &judged))
            }
            Ok(unverified::Subject::Unknown(file)) => {
                nothing(FileRecord::unknown(path, Level::Full, &verify_unknown(file, proof)))
            }
            Ok(unverified::Subject::Index(index)) => {
                let judged = verify_index(index, proof);
                let record = FileRecord::index(path, Level::Full, &judged);
                let lacks_only_signature = judged.lacks_signature_alone();
                let content = judged.into_claims().map(|claims| Content::of(claims.body.report));
                JudgedIndex { record, content, lacks_only_signature }
            }
        }
    }

    /// Reads an index for a command that only looks into it: what is not verified is told, and looked at all the same.
    pub(super) fn look(&self, path: &Path, output: &mut Output) -> Result<JudgedIndex, Failure> {
        let subject = subject(path);
        let judged = self.index(&subject);
        let JudgedIndex { record, content, .. } = &judged;
        if let Some(error) = &record.error {
            return Err(Failure::local(anyhow!("cannot read {}: {}", record.path, error.message)));
        }
        if content.is_none() {
            let (message, code) = match &record.reason {
                Some(reason) => (reason.message.as_str(), reason.code),
                None => ("it is a package", "not-an-index"),
            };
            return Err(Failure::refused(anyhow!(
                "{} cannot be read as an index: {message} [{code}]",
                record.path
            )));
        }
        if let Some(reason) = &record.reason {
            let (message, code) = (&reason.message, reason.code);
            output.warning(&format!("{} is not verified: {message} [{code}]", record.path));
        }
        Ok(judged)
    }
}

impl Content {
    fn of(mut report: TextReport) -> Self {
        // A text with faults is looked at as well as it goes; its faults are told beside it.
        let index = Index::looked_into(&mut report);
        Self { report, index }
    }
}

/// A path as the commands take it: `-` is standard input.
pub(super) fn subject(path: &Path) -> Subject {
    if path.as_os_str() == "-" {
        return Subject::StandardInput;
    }
    Subject::File { path: path.to_owned(), size: path.metadata().map_or(0, |metadata| metadata.len()) }
}
