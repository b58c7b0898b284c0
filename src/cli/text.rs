//! Human output about files.

use std::io;

use super::output::{Output, Style};
use super::record::FileRecord;

/// One line a file, the remedy below it, and with `-v` everything else that is known.
pub(super) fn file(output: &mut Output, record: &FileRecord) -> io::Result<()> {
    let (word, style) = match record.verdict {
        None => ("ERROR", Style::Bad),
        Some("verified") => ("OK", Style::Good),
        Some("untrusted" | "unsigned") => ("UNTRUSTED", Style::Warning),
        Some(_) => ("BAD", Style::Bad),
    };
    let word = output.paint(style, &format!("{word:<9}"));
    let (sentence, code) = sentence(record);
    output.line(&format!("{word}  {}  {sentence} [{code}]", record.path))?;
    if let Some(remedy) = record.reason.as_ref().and_then(|reason| reason.remedy.as_ref()) {
        output.line(&format!("           fix: {remedy}"))?;
    }
    if output.verbosity() > 0 { details(output, record) } else { Ok(()) }
}

fn sentence(record: &FileRecord) -> (String, &str) {
    if let Some(error) = &record.error {
        return (error.message.clone(), error.code);
    }
    if let Some(reason) = &record.reason {
        let verdict = record.verdict.unwrap_or_default();
        let code = if verdict == reason.code { String::new() } else { format!("{verdict}: ") };
        return (format!("{code}{}", reason.message), reason.code);
    }
    let what = match (&record.package, &record.index) {
        (Some(package), _) => format!("{} {} ({})", package.name, package.version, package.arch),
        (_, Some(index)) => {
            let description = index.description.as_deref().filter(|text| !text.is_empty());
            let of = description.map(|text| format!(" of {text}")).unwrap_or_default();
            format!("index{of}, {} entries", index.entries)
        }
        _ if record.holds() => "file".to_owned(),
        _ => record.kind.to_owned(),
    };
    let by = record.evidence.as_ref().map(|evidence| {
        if evidence.via == "digest" {
            return ", with the demanded digest".to_owned();
        }
        let keys: Vec<String> = evidence.keys.iter().map(|key| key.name.clone()).collect();
        let via = if evidence.via == "signature" { "" } else { ", as the index says" };
        format!(", signed by {}{via}", keys.join(" and "))
    });
    (what + &by.unwrap_or_default(), "verified")
}

fn details(output: &mut Output, record: &FileRecord) -> io::Result<()> {
    let mut line = |text: String| {
        let text = output.paint(Style::Dim, &format!("           {text}"));
        output.line(&text)
    };
    if let Some(evidence) = &record.evidence {
        let [start, end] = evidence.span;
        for key in &evidence.keys {
            line(format!("key: {} {} bits, from {}", key.fingerprint, key.bits, key.file))?;
        }
        line(format!("covered: bytes {start} to {end}, {}; via {}", evidence.algorithm, evidence.via))?;
    }
    for signature in &record.signatures {
        line(format!("signature: {} by {}: {}", signature.algorithm, signature.key_name, signature.status))?;
    }
    if let Some(identity) = &record.identity {
        line(format!("identity: {identity}"))?;
    }
    for note in &record.notes {
        line(format!("note: {} [{}]", note.message, note.code))?;
    }
    Ok(())
}
