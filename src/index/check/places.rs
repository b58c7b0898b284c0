//! Where clients will look for the files: architectures and file names.

use std::collections::BTreeMap;

use crate::index::finding::{Finding, Findings};
use crate::index::{Index, Record, rule};
use crate::types::{Architecture, escape};

/// The longest file name that file systems take. Units: bytes.
const FILE_NAME_MAX: usize = 255;

/// Looks at the architectures of all entries together, so that an index of another architecture is
/// one finding and not thousands.
pub(super) fn check_index(index: &Index, folder: Option<&Architecture>, findings: &mut Findings) {
    let mut architectures: BTreeMap<&str, (u64, Record<'_>)> = BTreeMap::new();
    for record in index.records() {
        if let Some(architecture) = record.architecture() {
            architectures.entry(architecture).or_insert((0, record)).0 += 1;
        }
    }
    let mut tell = |rule, first: &Record<'_>, message| {
        let (line, entry) = (Some(first.line_of(b'A')), first.label());
        findings.push(Finding { rule, line, entry, message });
    };
    if let Some((count, first)) = architectures.remove(Architecture::NOARCH) {
        let message =
            format!("{count} entries say `A:noarch`: clients look for their files in the folder `noarch`");
        tell(rule::ARCHITECTURE_NOARCH, &first, message);
    }
    if let Some(folder) = folder {
        for (architecture, (count, first)) in &architectures {
            if *architecture != folder.as_str() && folder.as_str() != Architecture::NOARCH {
                let architecture = escape(architecture);
                let message = format!("{count} entries are for {architecture}, the folder is {folder}");
                tell(rule::ARCHITECTURE_FOLDER, first, message);
            }
        }
    }
    if let (true, Some((_, first))) = (architectures.len() > 1, architectures.values().next()) {
        let names: Vec<String> = architectures.keys().take(8).map(|name| escape(name).to_string()).collect();
        let message =
            format!("the index has entries of {} architectures: {}", architectures.len(), names.join(", "));
        tell(rule::ARCHITECTURE_MIXED, first, message);
    }
}

/// Looks at the file name of one entry.
pub(super) fn check_record(record: &Record<'_>, findings: &mut Findings) {
    let length = record.file_name().len();
    if length > FILE_NAME_MAX {
        let message =
            format!("the file name of the package has {length} bytes, file systems take {FILE_NAME_MAX}");
        findings.about(rule::FILE_NAME_LONG, record, b'P', message);
    }
}
