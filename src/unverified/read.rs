//! Reads a file once, front to back: signature members, the signed member, the data member.
//!
//! Nothing is judged by signature here; what is structurally wrong is collected with its rank.

use std::io::{self, Read};

use crate::container::{
    Cap, Caps, Content, GzipError, Inflater, Member, MemberError, MemberSink, RatioCap, Rest, Scratch,
    Source, read_member, sniff,
};
use crate::envelope::{Lead, SignatureMember, SignedHasher, lead};
use crate::fault::{Fault, Note, Rank, Verdict};
use crate::index::{FaultClass, IndexBody, IndexMember, TextFault, rule};
use crate::limits::{DATA_RATIO_FREE, INDEX_RATIO_FREE, LimitReached, Limits};
use crate::package::{Control, ControlError, ControlMember, DataFacts, Listing};
use crate::types::{Digest, Sha256, Sha256Hasher};

use super::options::{Level, ReadOptions};
use super::sinks::{ControlSink, Hashed};
use super::stages::{Beside, Checks, DataChecks, Gatherer};
use super::stored::{Begun, Stored};
use super::{Facts, FileDigest, IndexClaims, MemberFact, PackageClaims, Role, Subject, Unverified, content};

/// Reads a file to its end, or to where it cannot be a package or an index any more.
///
/// Units: memory does not grow with the file, but for what the options ask to be kept.
/// Trust: none; the result claims, [`Subject`] says what.
///
/// # Errors
/// - Those of the reader. Everything that is wrong with the bytes is in the result.
pub fn read<R: Read>(reader: R, options: &ReadOptions, scratch: &mut Scratch) -> io::Result<Subject> {
    read_with(reader, options, scratch, None)
}

/// Reads a file as [`read`] does, with the checks of a data member, or of an index, beside its inflation; the result
/// is the same.
///
/// # Errors
/// - Those of the reader, as with [`read`], and one if `beside` did not have all inflated and checked.
pub fn read_beside<R: Read>(
    reader: R,
    options: &ReadOptions,
    scratch: &mut Scratch,
    beside: &mut dyn Beside,
) -> io::Result<Subject> {
    read_with(reader, options, scratch, Some(beside))
}

fn read_with<'a, R: Read>(
    reader: R,
    options: &'a ReadOptions,
    scratch: &mut Scratch,
    beside: Option<&'a mut dyn Beside>,
) -> io::Result<Subject> {
    let mut reading = Reading::new(reader, options, scratch);
    reading.beside = beside;
    let part = reading.up_to_data()?;
    reading.read_on(part)
}

/// Reads a package in identity as far as its data member, for that to be hashed beside others ([`Abreast`]); what
/// is no package with data, and what is asked for in full, is read to the end.
///
/// # Errors
/// - Those of the reader, as with [`read`].
///
/// [`Abreast`]: super::Abreast
pub fn begin<R: Read>(reader: R, options: &ReadOptions, scratch: &mut Scratch) -> io::Result<Begun<R>> {
    let mut reading = Reading::new(reader, options, scratch);
    match reading.up_to_data()? {
        Part::Data(control) if options.level == Level::Identity && !reading.source.fill()?.is_empty() => {
            let (facts, rest) = reading.pause();
            Ok(Begun::Data(Stored::new(facts, control, rest, scratch)))
        }
        part => Ok(Begun::Whole(reading.read_on(part)?)),
    }
}

/// A reader that hashes what passes through.
#[derive(Debug)]
pub(super) struct Tee<R> {
    reader: R,
    digest: Option<Sha256Hasher>,
}

impl<R> Tee<R> {
    /// The digest of all that passed, if it was asked for.
    pub(super) fn finish(self) -> Option<Digest<Sha256>> {
        self.digest.map(Sha256Hasher::finish)
    }
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if let (Some(digest), Some(bytes)) = (&mut self.digest, buffer.get(..count)) {
            digest.update(bytes);
        }
        Ok(count)
    }
}

/// What the signed member turned out to hold.
enum Outcome {
    Package(Option<PackageClaims>),
    Index(Option<IndexClaims>),
    Unknown,
}

/// How far a file was read.
enum Part {
    /// Up to the data member of a package.
    Data(Result<Control, ControlError>),
    /// As far as it can be.
    Whole(Outcome),
}

/// How much of a member must be buffered to see its first entry.
const HEAD: usize = 8 << 10;

struct Reading<'a, 'b, R> {
    source: Source<'b, Tee<R>>,
    inflater: &'b mut Inflater,
    options: &'a ReadOptions,
    /// Where the checks of a data member, or of an index, take place; here if there is no other place.
    beside: Option<&'a mut dyn Beside>,
    facts: Facts,
}

impl<'a, 'b, R: Read> Reading<'a, 'b, R> {
    fn new(reader: R, options: &'a ReadOptions, scratch: &'b mut Scratch) -> Self {
        let digest = (options.file_digest == FileDigest::Compute).then(Sha256Hasher::new);
        let Scratch { input, inflater, .. } = scratch;
        inflater.begin_file();
        let source = Source::new(Tee { reader, digest }, input);
        Self { source, inflater, options, beside: None, facts: Facts::default() }
    }

    fn up_to_data(&mut self) -> io::Result<Part> {
        if let Some(fault) = content::fault(sniff_head(self.source.peek(HEAD)?)) {
            self.facts.findings.fault(fault);
            return Ok(Part::Whole(Outcome::Unknown));
        }
        let Some(lead) = self.signatures()? else { return Ok(Part::Whole(Outcome::Unknown)) };
        match lead {
            Lead::Plain => Ok(Part::Whole(Outcome::Index(self.index()?))),
            Lead::Unknown => {
                // No archive at all: that is said before any lack of signatures.
                if let Some(control) = self.control()? {
                    self.package(control, Rank::Framing)?;
                }
                Ok(Part::Whole(Outcome::Unknown))
            }
            _ => Ok(self.control()?.map_or(Part::Whole(Outcome::Package(None)), Part::Data)),
        }
    }

    fn read_on(mut self, part: Part) -> io::Result<Subject> {
        let outcome = match part {
            Part::Data(control) => Outcome::Package(self.package(control, Rank::Control)?),
            Part::Whole(outcome) => outcome,
        };
        Ok(self.finish(outcome))
    }

    /// Stops here, for somebody else to go on.
    fn pause(mut self) -> (Facts, Rest<Tee<R>>) {
        self.facts.budget.bytes_inflated = self.inflater.handed_on();
        (self.facts, self.source.into_rest())
    }

    /// Reads all signature members, and tells what follows. None: the file cannot be read further.
    fn signatures(&mut self) -> io::Result<Option<Lead>> {
        let mut used = (0, 0);
        for member in 0.. {
            let head = self.source.peek(HEAD)?;
            if head.is_empty() {
                let at = self.source.offset();
                let message = format!("the file is cut at byte {at}: nothing follows the signatures");
                self.framing("truncated", message);
                return Ok(None);
            }
            let before = self.inflater.handed_on();
            let lead = lead(head, self.inflater);
            // Looking costs as well, and nothing has vouched for these bytes.
            if checked!("signature-look") {
                used.1 += self.inflater.handed_on() - before;
            }
            match lead {
                Lead::Signature
                    if checked!("signature-members") && member >= self.options.limits.signature_members =>
                {
                    let limit = Limits::reached("signature-members", self.options.limits.signature_members);
                    self.framing("limit-signature", limit);
                    return Ok(None);
                }
                Lead::Signature => {
                    if !self.signature_member(&mut used)? {
                        return Ok(None);
                    }
                }
                Lead::Empty if checked!("empty-member") => {
                    let at = self.source.offset();
                    self.framing("empty-member", format!("the gzip member at byte {at} is empty"));
                    return Ok(None);
                }
                lead => return Ok(Some(lead)),
            }
        }
        Ok(None)
    }

    /// Reads one signature member; false if the file cannot be read further.
    fn signature_member(&mut self, used: &mut (u64, u64)) -> io::Result<bool> {
        let limits = &self.options.limits;
        let caps = Caps {
            stored: Cap::new("signature-compressed", limits.signature_compressed).less(used.0),
            inflated: Cap::new("signature-inflated", limits.signature_inflated).less(used.1),
            ratio: None,
        };
        let number = self.facts.members.len();
        let mut sink = SignatureMember::new(limits, number, self.facts.signatures.len());
        match read_member(&mut self.source, self.inflater, &caps, &mut sink) {
            Ok(member) => {
                if checked!("signature-together") {
                    used.0 += member.span.end - member.span.start;
                    used.1 += member.inflated;
                }
                self.member(Role::Signatures, &member);
            }
            Err(MemberError::Io(error)) => return Err(error),
            Err(MemberError::Gzip(error)) => {
                self.gzip(&error, Rank::Framing);
                return Ok(false);
            }
            Err(MemberError::Limit(limit)) => {
                self.framing("limit-signature", limit);
                return Ok(false);
            }
        }
        match sink.finish() {
            Ok(signatures) => {
                self.facts.signatures.extend(signatures);
                Ok(true)
            }
            Err(error) => {
                self.framing(error.code(), &error);
                Ok(false)
            }
        }
    }

    /// Reads the data; what is wrong with control has the given rank.
    fn package(
        &mut self,
        control: Result<Control, ControlError>,
        rank: Rank,
    ) -> io::Result<Option<PackageClaims>> {
        if self.source.fill()?.is_empty() && checked!("data-missing") {
            self.no_data(&control);
            return Ok(self.facts.claims(control, None, rank));
        }
        let datahash = control.as_ref().ok().map(|control| control.info.datahash());
        let data = self.data(datahash)?;
        Ok(self.facts.claims(control, data, rank))
    }

    /// Reads the control member. None: the file cannot be read further.
    fn control(&mut self) -> io::Result<Option<Result<Control, ControlError>>> {
        let limits = &self.options.limits;
        let caps = Caps {
            stored: Cap::new("control-compressed", limits.control_compressed),
            inflated: Cap::new("control-inflated", limits.control_inflated),
            ratio: None,
        };
        let hasher = SignedHasher::new(&self.facts.signatures, true);
        let mut sink = ControlSink { hasher, control: ControlMember::new(limits) };
        let read = read_member(&mut self.source, self.inflater, &caps, &mut sink);
        let Some(member) = self.signed_member(read, Role::Control)? else { return Ok(None) };
        self.facts.signed = Some((member.span, sink.hasher.finish()));
        Ok(Some(sink.control.finish()))
    }

    fn no_data(&mut self, control: &Result<Control, ControlError>) {
        let fault = match control {
            Err(ControlError::PlainName { .. } | ControlError::Name { .. }) => Fault::new(
                Rank::Framing,
                Verdict::Malformed,
                "not-three-members",
                "control and data lie in one gzip member; a package has them in two, and a datahash over the second",
            )
            .with_remedy("have the package built with abuild, melange or nfpm"),
            _ => Fault::new(
                Rank::Integrity,
                Verdict::Integrity,
                "data-missing",
                "there is no data member, though a package must have one",
            )
            .with_remedy("the file was cut or stripped: fetch it again from a source that you trust"),
        };
        self.facts.findings.fault(fault);
    }

    /// Reads the data member and what follows it, and compares the hash.
    fn data(&mut self, datahash: Option<Digest<Sha256>>) -> io::Result<Option<DataFacts>> {
        let start = self.source.offset();
        let listing = if self.options.list_files { Listing::Keep } else { Listing::Skip };
        let mut checks = DataChecks::new(&self.options.limits, listing);
        let mut facts = None;
        let mut inflated = None;
        if self.options.level == Level::Full {
            let read = self.inflate_data(&mut checks);
            let whole = self.data_member(read)?;
            inflated = whole.as_ref().map(|member| member.inflated);
            let (seen, findings) = if whole.is_some() { checks.data.finish() } else { checks.data.abandon() };
            facts = Some(seen);
            self.facts.findings.absorb(findings);
            if whole.is_some() && !self.at_end("data")? {
                self.member_fact(Role::Data, start, inflated);
                return Ok(facts);
            }
        }
        self.drain(&mut checks.sha256)?;
        self.member_fact(Role::Data, start, inflated);
        self.facts.compare(datahash, checks.sha256.finish());
        Ok(facts)
    }

    /// Inflates the data member, and has the checks take all of it.
    fn inflate_data(&mut self, checks: &mut DataChecks) -> Result<Member, MemberError> {
        let limits = &self.options.limits;
        let ratio = RatioCap { name: "data-ratio", ratio: limits.data_ratio, free: DATA_RATIO_FREE };
        let caps = Caps {
            stored: Cap::new("data-inflated", u64::MAX),
            inflated: Cap::new("data-inflated", limits.data_inflated),
            ratio: Some(ratio),
        };
        self.inflate(&caps, None, checks)
    }

    /// Inflates a member, and has the sink take all of it: beside the inflation if there is a place for that.
    ///
    /// The stored bytes go to the hasher, here, if there is one, and to the sink otherwise.
    fn inflate(
        &mut self,
        caps: &Caps,
        mut hasher: Option<&mut SignedHasher>,
        sink: &mut (impl MemberSink + Send),
    ) -> Result<Member, MemberError> {
        let Self { source, inflater, .. } = self;
        let Some(beside) = &mut self.beside else {
            return read_member(source, inflater, caps, &mut Hashed { hasher, sink });
        };
        let mut checks = Checks::new(sink);
        let (reading, mut read) = (checks.reading(), None);
        beside.run(&mut checks, &mut |hand_on| {
            // The source is at the end of the member then: there is nothing to inflate a second time.
            if read.is_none() {
                let mut gatherer = Gatherer::new(&reading, hand_on);
                let mut sink = Hashed { hasher: hasher.as_deref_mut(), sink: &mut gatherer };
                let member = read_member(source, inflater, caps, &mut sink);
                read = Some((member, gatherer.finish()));
            }
        });
        match read {
            // Whoever does not inflate at all has read nothing that could be proven.
            None => Err(MemberError::Io(io::Error::other("the member was not inflated"))),
            Some((Ok(_), chunks)) if checked!("member-beside") && !checks.have_taken(chunks) => {
                Err(MemberError::Io(io::Error::other("the member was not checked as it was inflated")))
            }
            Some((read, _)) => read,
        }
    }

    /// Sorts out how the reading of a data member ended; the member if it is whole.
    fn data_member(&mut self, read: Result<Member, MemberError>) -> io::Result<Option<Member>> {
        match read {
            Ok(member) => Ok(Some(member)),
            Err(MemberError::Io(error)) => Err(error),
            Err(MemberError::Gzip(error @ GzipError::Truncated { .. })) => {
                self.gzip(&error, Rank::Framing);
                Ok(None)
            }
            Err(MemberError::Gzip(error)) => {
                self.gzip(&error, Rank::DataFormat);
                Ok(None)
            }
            Err(MemberError::Limit(limit)) => {
                self.limit(limit);
                Ok(None)
            }
        }
    }

    fn index(&mut self) -> io::Result<Option<IndexClaims>> {
        let limits = &self.options.limits;
        let ratio = RatioCap { name: "index-ratio", ratio: limits.index_ratio, free: INDEX_RATIO_FREE };
        let caps = Caps {
            stored: Cap::new("index-text", limits.index_text),
            // Headers, description and end blocks beside the text.
            inflated: Cap::new("index-text", limits.index_text.saturating_add(1 << 20)),
            ratio: Some(ratio),
        };
        let mut hasher = SignedHasher::new(&self.facts.signatures, false);
        let mut index = IndexMember::new(limits, self.options.index_text);
        // Hashing and inflating take as long together as the text takes.
        let read = self.inflate(&caps, Some(&mut hasher), &mut index);
        let Some(member) = self.signed_member(read, Role::Index)? else { return Ok(None) };
        self.facts.signed = Some((member.span, hasher.finish()));
        if !self.at_end("index")? {
            return Ok(None);
        }
        match index.finish() {
            Ok(body) => Ok(Some(self.index_claims(body))),
            Err(error) => {
                let (rank, verdict) = if error.is_policy() {
                    (Rank::Policy, Verdict::Policy)
                } else {
                    (Rank::Control, Verdict::Malformed)
                };
                self.facts.findings.fault(Fault::new(rank, verdict, error.code(), &error));
                Ok(None)
            }
        }
    }

    fn index_claims(&mut self, mut body: IndexBody) -> IndexClaims {
        if body.stray_signature {
            let message = "a signature stands at the end of the index, where no reader looks for one";
            if self.facts.signatures.is_empty() {
                self.facts.findings.note(Note::new("signature-at-end", message));
            } else {
                self.facts.findings.fault(Fault::new(
                    Rank::Control,
                    Verdict::Malformed,
                    "signature-at-end",
                    message,
                ));
            }
        }
        // The faults that decide come first, in case there are more than are kept.
        let faults = std::mem::take(&mut body.report.faults);
        faults.into_iter().for_each(|fault| self.facts.findings.fault(text_fault(&fault)));
        for note in std::mem::take(&mut body.report.notes) {
            self.facts.findings.note(Note::new(note.code, located(note.line, &note.entry, &note.message)));
        }
        IndexClaims { body }
    }

    /// Sorts out how the reading of the signed member ended. None: the file cannot be read further.
    fn signed_member(&mut self, read: Result<Member, MemberError>, role: Role) -> io::Result<Option<Member>> {
        match read {
            Ok(member) => {
                self.member(role, &member);
                Ok(Some(member))
            }
            Err(MemberError::Io(error)) => Err(error),
            Err(MemberError::Gzip(error)) => {
                self.gzip(&error, Rank::Framing);
                Ok(None)
            }
            Err(MemberError::Limit(limit)) => {
                self.limit(limit);
                Ok(None)
            }
        }
    }

    /// Whether the file ends here; if it does not, that is a fault.
    fn at_end(&mut self, last: &str) -> io::Result<bool> {
        let at = self.source.offset();
        let rest = self.source.fill()?;
        if rest.is_empty() || !checked!("trailing-bytes") {
            return Ok(true);
        }
        if rest.starts_with(&[0x1f]) && last == "data" {
            let fault = Fault::new(
                Rank::Framing,
                Verdict::Malformed,
                "data-in-several-members",
                format!("another gzip member follows the data member, at byte {at}; apk reads one"),
            );
            self.facts.findings.fault(fault.with_remedy("built by an old melange: have it rebuilt"));
        } else {
            self.framing("trailing-bytes", format!("bytes follow the {last} member, at byte {at}"));
        }
        Ok(false)
    }

    /// Hashes everything up to the end of the file.
    fn drain(&mut self, sha256: &mut Sha256Hasher) -> io::Result<()> {
        loop {
            let bytes = self.source.fill()?;
            if bytes.is_empty() {
                return Ok(());
            }
            sha256.update(bytes);
            let count = bytes.len();
            self.source.consume(count);
        }
    }

    fn member(&mut self, role: Role, member: &Member) {
        let fact = MemberFact { role, span: member.span.clone(), inflated: Some(member.inflated) };
        self.facts.members.push(fact);
    }

    fn member_fact(&mut self, role: Role, start: u64, inflated: Option<u64>) {
        let span = start..self.source.offset();
        self.facts.members.push(MemberFact { role, span, inflated });
    }

    fn framing(&mut self, code: &'static str, message: impl std::fmt::Display) {
        self.facts.findings.fault(Fault::new(Rank::Framing, Verdict::Malformed, code, message));
    }

    fn gzip(&mut self, error: &GzipError, rank: Rank) {
        let fault = Fault::new(rank, Verdict::Malformed, error.code(), error);
        let fault = match error {
            GzipError::Truncated { .. } => fault.with_remedy("the download was cut: fetch the file again"),
            _ => fault,
        };
        self.facts.findings.fault(fault);
    }

    fn limit(&mut self, limit: LimitReached) {
        let code = match limit.name {
            "control-compressed" | "control-inflated" => "limit-control",
            "data-ratio" => "limit-data-ratio",
            "data-inflated" => "limit-data-inflated",
            "index-ratio" => "limit-index-ratio",
            _ => "limit-index-text",
        };
        let remedy = format!("if the file is honest, raise it with --limit {}=VALUE", limit.name);
        self.facts.findings.fault(Fault::new(Rank::Policy, Verdict::Policy, code, limit).with_remedy(remedy));
    }

    fn finish(mut self, outcome: Outcome) -> Subject {
        // Only a file that was read to its end has a known size and digest.
        let at_end = matches!(self.source.fill(), Ok([]));
        self.facts.budget.bytes_read = self.source.bytes_read();
        self.facts.budget.bytes_inflated = self.inflater.handed_on();
        if at_end {
            self.facts.size = Some(self.source.offset());
            self.facts.sha256 = self.source.into_reader().finish();
        }
        let facts = self.facts;
        match outcome {
            Outcome::Package(claims) => Subject::Package(Unverified { facts, claims }),
            Outcome::Index(claims) => Subject::Index(Unverified { facts, claims }),
            Outcome::Unknown => Subject::Unknown(Unverified { facts, claims: None }),
        }
    }
}

fn text_fault(fault: &TextFault) -> Fault {
    let (rank, verdict) = match fault.class {
        FaultClass::Malformed => (Rank::Control, Verdict::Malformed),
        FaultClass::Policy => (Rank::Policy, Verdict::Policy),
    };
    let made = Fault::new(rank, verdict, fault.code, located(fault.line, &fault.entry, &fault.message));
    match rule::find(fault.code) {
        Some(rule) => made.with_remedy(rule.remedy),
        None => made,
    }
}

fn located(line: u64, entry: &str, message: &str) -> String {
    if entry.is_empty() {
        format!("APKINDEX line {line}: {message}")
    } else {
        format!("APKINDEX line {line} ({entry}): {message}")
    }
}

fn sniff_head(head: &[u8]) -> Content {
    sniff(head.get(..512).unwrap_or(head))
}
