//! From what is written to what is decided.

use std::path::{Component, Path};
use std::time::Duration;

use regex_lite::Regex;

use super::error::{ConfigError, Problem};
use super::listed;
use super::raw::{CountOrWord, OneOrMany, RawConfig, RawMirror, RawRepository};
use super::repository::{
    Closure, IndexKind, MaxAge, PackageSignatures, Rebuilt, Repository, Retain, Selection, UnknownAge,
    Upstreams, Waiver,
};
use super::{Config, MirrorSettings};
use crate::limits::Limits;
use crate::mirror::dated::{Every, SnapshotRule};
use crate::types::Architecture;
use crate::unverified::Level;
use crate::verify::MinDigest;

/// What a request begins with that names a world file.
pub(in crate::mirror) const WORLD: &str = "world:";

/// Folders of the tree that are no repository.
const RESERVED: [&str; 2] = ["keys", "snapshots"];

pub(super) fn config(text: &str, folder: &Path) -> Result<Config, ConfigError> {
    let raw: RawConfig = toml::from_str(text).map_err(|error| syntax(text, &error))?;
    let mirror = mirror(raw.mirror, folder)?;
    let mut limits = Limits::default();
    for (name, value) in &raw.limits {
        let value = match value {
            CountOrWord::Count(count) => count.to_string(),
            CountOrWord::Word(word) => word.clone(),
        };
        limits.set(name, &value).map_err(|error| in_mirror(&format!("limits.{name}"), error.into()))?;
    }
    let numbered = (1..).zip(raw.repository);
    let mut repositories = Vec::new();
    for (number, raw) in numbered {
        for raw in listed::expanded(raw, number, folder)? {
            repositories.push(repository(raw, number, folder)?);
        }
    }
    whole(mirror, repositories, limits)
}

/// The line, and never its text: there may be a password in it.
fn syntax(text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    ConfigError::Syntax { line: before.matches('\n').count() + 1, message: error.message().to_owned() }
}

/// What only all repositories together can show.
pub(super) fn whole(
    mirror: MirrorSettings,
    repositories: Vec<Repository>,
    limits: Limits,
) -> Result<Config, ConfigError> {
    if repositories.is_empty() {
        return Err(ConfigError::NoRepository);
    }
    for (at, repository) in repositories.iter().enumerate() {
        check(repository)?;
        let inside = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
        let others = repositories.iter().take(at);
        let mut overlapping = others
            .filter(|other| inside(&other.name, &repository.name) || inside(&repository.name, &other.name));
        if let Some(other) = overlapping.next() {
            let problem = Problem::Overlap { other: other.name.clone() };
            return Err(in_repository(&repository.name, "name", problem));
        }
    }
    for owner in mirror.owners.values() {
        if !repositories.iter().any(|repository| repository.name == *owner) {
            let problem = Problem::Word { expected: "the name of a repository", found: owner.clone() };
            return Err(in_mirror("owners", problem));
        }
    }
    Ok(Config { mirror, repositories, limits })
}

/// What the values of one repository demand of each other.
fn check(repository: &Repository) -> Result<(), ConfigError> {
    let failed = |key, problem| Err(in_repository(&repository.name, key, problem));
    if !is_path(&repository.name) {
        return failed("name", Problem::Name { found: repository.name.clone() });
    }
    if RESERVED.iter().any(|reserved| repository.name.split('/').next() == Some(reserved)) {
        return failed("name", Problem::Reserved { found: repository.name.clone() });
    }
    if repository.upstreams.texts().is_empty() {
        return failed("upstream", Problem::Empty);
    }
    if repository.architectures.is_empty() {
        return failed("architectures", Problem::Empty);
    }
    if repository.architectures.iter().any(Architecture::is_noarch) {
        return failed("architectures", Problem::Noarch);
    }
    if repository.keys.is_empty() && repository.key_pins.is_none() {
        return failed("keys", Problem::NoKeys);
    }
    if repository.build_index {
        let folders = repository.upstreams.texts();
        if let Some(found) = folders.iter().find(|text| folders.len() > 1 || text.contains("://")) {
            let expected = "one folder of packages, since `build-index` makes its index";
            return failed("upstream", Problem::Word { expected, found: found.clone() });
        }
        if repository.keys.is_empty() {
            return failed("keys", Problem::NoKeys);
        }
    }
    let Selection { requests, retain, pinned_by, .. } = &repository.selection;
    match repository.index_kind {
        IndexKind::Upstream if !requests.is_empty() => failed("select", Problem::UpstreamKind),
        IndexKind::Upstream if *retain != Retain::Count(0) => failed("retain", Problem::UpstreamKind),
        IndexKind::Upstream if !pinned_by.is_empty() => failed("pinned-by", Problem::UpstreamKind),
        IndexKind::Upstream if repository.sign_key.is_some() => failed("sign-key", Problem::UpstreamKind),
        IndexKind::Subset if repository.sign_key.is_none() => failed("sign-key", Problem::NoSignKey),
        IndexKind::Subset if requests.is_empty() => failed("select", Problem::Empty),
        _ => Ok(()),
    }
}

fn mirror(raw: RawMirror, folder: &Path) -> Result<MirrorSettings, ConfigError> {
    let mut mirror = MirrorSettings::new(folder.join(raw.to));
    if let Some(grace) = raw.grace {
        mirror.grace = time(&grace).map_err(|problem| in_mirror("mirror.grace", problem))?;
    }
    if let Some(connections) = raw.connections {
        if !(1..=64).contains(&connections) {
            return Err(in_mirror("mirror.connections", Problem::Range { least: 1, most: 64 }));
        }
        mirror.connections = connections;
    }
    if let Some(percent) = raw.shrink_percent {
        if percent > 100 {
            return Err(in_mirror("mirror.shrink-percent", Problem::Range { least: 0, most: 100 }));
        }
        mirror.shrink_percent = percent;
    }
    mirror.owners = raw.owners;
    mirror.ca_file = raw.ca_file.map(|path| folder.join(path));
    mirror.metrics = raw.metrics.map(|path| folder.join(path));
    mirror.hook = hook(raw.hook, folder)?;
    mirror.locks = raw.locks.into_iter().map(|path| folder.join(path)).collect();
    mirror.snapshots = snapshots(raw.snapshots, raw.keep_snapshots)?;
    Ok(mirror)
}

/// A program of a path is relative to the configuration; a mere name is looked up when it is called.
fn hook(mut words: Vec<String>, folder: &Path) -> Result<Vec<String>, ConfigError> {
    if let Some(program) = words.first_mut() {
        if program.is_empty() {
            return Err(in_mirror("mirror.hook", Problem::Empty));
        }
        if program.contains('/') {
            *program = anchored(std::mem::take(program), folder);
        }
    }
    Ok(words)
}

/// The rule by which snapshots are made.
fn snapshots(every: Option<String>, keep: Option<usize>) -> Result<Option<SnapshotRule>, ConfigError> {
    if every.is_none() && keep.is_some() {
        let problem = Problem::Without { other: "snapshots" };
        return Err(in_mirror("mirror.keep-snapshots", problem));
    }
    if keep == Some(0) {
        return Err(in_mirror("mirror.keep-snapshots", Problem::Range { least: 1, most: u64::MAX }));
    }
    let every = every.map(|found| word(Some(found), EVERY, Every::Day)).transpose();
    let every = every.map_err(|problem| in_mirror("mirror.snapshots", problem))?;
    Ok(every.map(|every| SnapshotRule { every, keep }))
}

/// Which repository a problem is told of.
struct Label(String);

impl Label {
    /// Gives a result the place that it is about.
    fn at<T>(&self, key: &'static str, result: Result<T, Problem>) -> Result<T, ConfigError> {
        result.map_err(|problem| in_repository(&self.0, key, problem))
    }
}

pub(super) fn repository(
    raw: RawRepository,
    number: usize,
    folder: &Path,
) -> Result<Repository, ConfigError> {
    let upstreams = raw.upstream.map(OneOrMany::into_vec).unwrap_or_default();
    let name = raw.name.or_else(|| default_name(upstreams.first()?));
    let label = Label(name.clone().unwrap_or_else(|| number.to_string()));
    let selects = raw.build_index || !(raw.select.is_empty() && raw.pinned_by.is_empty());
    let index_kind = if selects { IndexKind::Subset } else { IndexKind::Upstream };
    let index_kind = label.at("index-kind", word(raw.index_kind, INDEX_KINDS, index_kind))?;
    let level = match index_kind {
        IndexKind::Subset => Level::Full,
        IndexKind::Upstream => Level::Identity,
    };
    // Whoever builds a repository wants all of it, unless told otherwise.
    let everything = (raw.build_index && raw.select.is_empty()).then(|| "*".to_owned());
    let selection = Selection {
        requests: raw.select.into_iter().chain(everything).map(|request| world(request, folder)).collect(),
        closure: label.at("closure", word(raw.closure, CLOSURES, Closure::Providers))?,
        retain: label.at("retain", retain(raw.retain))?,
        pinned_by: raw.pinned_by.into_iter().map(|text| anchored(text, folder)).collect(),
    };
    let architecture = |text: &String| Architecture::parse(text.as_bytes()).map_err(Problem::from);
    let architectures = raw.architectures.iter().map(architecture).collect();
    let unknown = label.at("max-age-unknown", word(raw.max_age_unknown, UNKNOWN_AGES, UnknownAge::Refuse))?;
    let max_age = raw.max_age.map(|text| time(&text).map(|age| MaxAge { age, unknown })).transpose();
    let signatures = word(raw.package_signatures, PACKAGE_SIGNATURES, PackageSignatures::Required);
    let below = |path| folder.join(path);
    let name = label.at("name", name.ok_or(Problem::Empty))?;
    Ok(Repository {
        set: raw.set.unwrap_or_else(|| default_set(&name)),
        tag: label.at("tag", raw.tag.map(tag).transpose())?,
        name,
        upstreams: Upstreams::new(upstreams.into_iter().map(|text| anchored(text, folder)).collect()),
        architectures: label.at("architectures", architectures)?,
        keys: raw.keys.into_iter().map(below).collect(),
        key_pins: raw.key_pins.map(below),
        package_signatures: label.at("package-signatures", signatures)?,
        level: label.at("level", word(raw.level, LEVELS, level))?,
        min_digest: label.at("min-digest", word(raw.min_digest, DIGESTS, MinDigest::AcceptSha1))?,
        index_kind,
        sign_key: raw.sign_key.map(below),
        build_index: raw.build_index,
        selection,
        rebuilt: label.at("rebuilt", word(raw.rebuilt, REBUILT, Rebuilt::Refuse))?,
        description: label.at("description", expression(raw.description))?,
        max_age: label.at("max-age", max_age)?,
        waivers: label.at("waive", raw.waive.iter().map(|text| waiver(text)).collect())?,
        auth_file: raw.auth_file.map(below),
    })
}

/// The last two segments of the first upstream: `v3.17/main` of `https://host/alpine/v3.17/main`.
fn default_name(upstream: &str) -> Option<String> {
    let path = upstream
        .split_once("://")
        .map_or(upstream, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).rev();
    let (last, before) = (segments.next()?, segments.next());
    Some(before.map_or_else(|| last.to_owned(), |before| format!("{before}/{last}")))
}

/// The name without its last segment: `v3.17` of `v3.17/main`.
fn default_set(name: &str) -> String {
    name.rsplit_once('/').map_or("", |(set, _)| set).to_owned()
}

fn tag(text: String) -> Result<String, Problem> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    if !text.is_empty() && text.bytes().all(good) {
        return Ok(text);
    }
    Err(Problem::Word { expected: "a tag of letters, digits and `._+-`, without `@`", found: text })
}

/// The file of a world is relative to the configuration.
fn world(request: String, folder: &Path) -> String {
    let Some(file) = request.strip_prefix(WORLD) else { return request };
    let path = folder.join(file).into_os_string().into_string();
    path.map_or(request, |path| format!("{WORLD}{path}"))
}

/// A folder as upstream is relative to the configuration; a URL is not.
pub(super) fn anchored(text: String, folder: &Path) -> String {
    if text.contains("://") {
        return text;
    }
    folder.join(&text).into_os_string().into_string().unwrap_or(text)
}

/// Whether a name is a path that stays where it is put.
pub(in crate::mirror) fn is_path(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    let segment = |segment: &str| !segment.is_empty() && segment.bytes().all(good);
    // An architecture is a folder of its own below the name, and hidden files are no repositories.
    name.len() <= 200
        && name.split('/').all(segment)
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
        && !name.split('/').any(|segment| segment.starts_with('.'))
}

type Words<T> = (&'static str, &'static [(&'static str, T)]);

const INDEX_KINDS: Words<IndexKind> =
    ("`subset` or `upstream`", &[("subset", IndexKind::Subset), ("upstream", IndexKind::Upstream)]);
const CLOSURES: Words<Closure> =
    ("`providers` or `solved`", &[("providers", Closure::Providers), ("solved", Closure::Solved)]);
const LEVELS: Words<Level> =
    ("`full` or `identity`", &[("full", Level::Full), ("identity", Level::Identity)]);
const DIGESTS: Words<MinDigest> =
    ("`sha1` or `sha256`", &[("sha1", MinDigest::AcceptSha1), ("sha256", MinDigest::Sha256)]);
const EVERY: Words<Every> = (
    "`daily`, `weekly` or `monthly`",
    &[("daily", Every::Day), ("weekly", Every::Week), ("monthly", Every::Month)],
);
const REBUILT: Words<Rebuilt> =
    ("`refuse` or `keep-old`", &[("refuse", Rebuilt::Refuse), ("keep-old", Rebuilt::KeepOld)]);
const UNKNOWN_AGES: Words<UnknownAge> =
    ("`refuse` or `warn`", &[("refuse", UnknownAge::Refuse), ("warn", UnknownAge::Warn)]);
const PACKAGE_SIGNATURES: Words<PackageSignatures> = (
    "`required`, `known` or `index`",
    &[
        ("required", PackageSignatures::Required),
        ("known", PackageSignatures::Known),
        ("index", PackageSignatures::Index),
    ],
);

fn word<T: Copy>(found: Option<String>, (expected, words): Words<T>, default: T) -> Result<T, Problem> {
    let Some(found) = found else { return Ok(default) };
    let known = words.iter().find(|(word, _)| *word == found);
    known.map(|(_, value)| *value).ok_or(Problem::Word { expected, found })
}

/// A time as it is written: a number and one of `s`, `m`, `h`, `d`, `w`.
///
/// # Errors
/// - [`Problem::Time`] for anything else.
pub fn time(text: &str) -> Result<Duration, Problem> {
    let parsed = text.split_at_checked(text.len().saturating_sub(1)).and_then(|(number, unit)| {
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            "w" => 7 * 24 * 60 * 60,
            _ => return None,
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| number.parse::<u64>().ok()).flatten()?.checked_mul(seconds)
    });
    parsed.map(Duration::from_secs).ok_or_else(|| Problem::Time { found: text.to_owned() })
}

fn retain(raw: Option<CountOrWord>) -> Result<Retain, Problem> {
    match raw {
        None => Ok(Retain::Count(0)),
        Some(CountOrWord::Count(count)) => Ok(Retain::Count(count)),
        Some(CountOrWord::Word(word)) if word == "all" => Ok(Retain::All),
        Some(CountOrWord::Word(word)) => time(&word)
            .map(Retain::Period)
            .map_err(|_| Problem::Word { expected: "`all`, a count, or a time such as `180d`", found: word }),
    }
}

fn expression(raw: Option<String>) -> Result<Option<Regex>, Problem> {
    raw.map(|text| Regex::new(&text).map_err(|error| Problem::Expression(error.to_string()))).transpose()
}

/// `name-version sha256:HEX code`
fn waiver(text: &str) -> Result<Waiver, Problem> {
    let failed = || Problem::Waiver { found: text.to_owned() };
    let words: Vec<&str> = text.split_whitespace().collect();
    let [package, digest, code] = words.as_slice() else { return Err(failed()) };
    let hex = digest.strip_prefix("sha256:").ok_or_else(failed)?;
    let is_hex =
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_hex || !word(package) || !word(code) {
        return Err(failed());
    }
    let own = |text: &str| text.to_owned();
    Ok(Waiver { package: own(package), sha256: own(hex), code: own(code) })
}

fn in_mirror(key: &str, problem: Problem) -> ConfigError {
    ConfigError::Mirror { key: key.to_owned(), problem }
}

pub(super) fn in_repository(repository: &str, key: &'static str, problem: Problem) -> ConfigError {
    ConfigError::Repository { repository: crate::types::escape(repository).to_string(), key, problem }
}
