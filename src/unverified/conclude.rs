//! What is said of a package once its members were read.

use super::{Facts, PackageClaims};
use crate::fault::{Fault, Rank, Verdict};
use crate::package::{Control, ControlError, DataFacts};
use crate::types::{Digest, Sha256};

impl Facts {
    /// What a package claims, if its control member holds.
    pub(super) fn claims(
        &mut self,
        control: Result<Control, ControlError>,
        data: Option<DataFacts>,
        rank: Rank,
    ) -> Option<PackageClaims> {
        match control {
            Ok(control) => Some(PackageClaims { control, data }),
            Err(error) => {
                let (rank, verdict) = match error {
                    ControlError::Checksum { .. } => (Rank::Integrity, Verdict::Integrity),
                    _ => (rank, Verdict::Malformed),
                };
                self.findings.fault(Fault::new(rank, verdict, error.code(), &error));
                None
            }
        }
    }

    /// Compares the hash of the data member with what the control member names.
    pub(super) fn compare(&mut self, expected: Option<Digest<Sha256>>, found: Digest<Sha256>) {
        if let Some(expected) = expected.filter(|expected| checked!("datahash") && *expected != found) {
            let message = format!(
                "the data member is not the one that the control member names: datahash says {expected}, the bytes have {found}"
            );
            self.findings.fault(
                Fault::new(Rank::Integrity, Verdict::Integrity, "datahash-mismatch", message).with_remedy(
                    "the data was damaged or exchanged: fetch the file again from a source that you trust",
                ),
            );
        }
    }
}
