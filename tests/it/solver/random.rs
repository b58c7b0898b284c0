//! Small universes full of conflicts, made from a number.

use apkvet::index::Index;

use crate::harness::index;

const NAMES: &[&str] = &[
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u",
    "alpha", "Beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
];
const VERSIONS: &[&str] = &["1", "2", "3", "1.1", "2-r1"];
const VIRTUAL: &[&str] = &["v", "w", "x", "so:y", "/bin/z"];

/// How large a universe is, and how hostile.
#[derive(Clone, Copy)]
struct Style {
    names: usize,
    entries: usize,
    /// One atom in so many has a version.
    versions: usize,
    /// One atom in so many is a conflict.
    conflicts: usize,
    /// One package in so many has `i:`.
    conditions: usize,
    /// One name in so many is provided, and not that of a package.
    virtuals: usize,
    /// Whether there is a package of every name.
    complete: bool,
}

const STYLES: &[Style] = &[
    Style { names: 7, entries: 14, versions: 2, conflicts: 6, conditions: 3, virtuals: 3, complete: false },
    Style { names: 7, entries: 12, versions: 6, conflicts: 30, conditions: 2, virtuals: 5, complete: true },
    Style { names: 12, entries: 24, versions: 10, conflicts: 60, conditions: 2, virtuals: 8, complete: true },
    Style {
        names: 31,
        entries: 80,
        versions: 12,
        conflicts: 200,
        conditions: 3,
        virtuals: 8,
        complete: true,
    },
];

/// Repositories with their tags, and words that are asked for.
pub(super) struct Case {
    pub(super) repositories: Vec<(Option<&'static str>, Vec<String>)>,
    pub(super) worlds: Vec<Vec<String>>,
}

impl Case {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let tags: &[Option<&str>] = match dice.below(4) {
            0 => &[None, Some("t")],
            1 => &[None, None],
            _ => &[None],
        };
        let style = dice.pick(STYLES);
        let repository = |tag: &Option<&'static str>| (*tag, entries(&mut dice, style));
        let mut repositories: Vec<_> = tags.iter().map(repository).collect();
        if let [(_, first), (_, second)] = &mut repositories[..] {
            let label = |entry: &String| entry.split('|').next().unwrap().to_owned();
            for entry in first {
                if dice.one_in(4) && second.iter().all(|other| label(other) != label(entry)) {
                    second.push(entry.clone());
                }
            }
        }
        let tagged = tags.contains(&Some("t"));
        let worlds = (0..4).map(|_| world(&mut dice, style, tagged)).collect();
        Self { repositories, worlds }
    }

    pub(super) fn indexes(&self) -> Vec<Index> {
        self.repositories.iter().map(|(_, entries)| index(entries)).collect()
    }
}

/// Numbers that look random; the same for the same seed (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap() % end
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

fn any_name(dice: &mut Dice, style: Style) -> &'static str {
    if dice.one_in(style.virtuals) { dice.pick(VIRTUAL) } else { dice.pick(&NAMES[..style.names]) }
}

fn atom(dice: &mut Dice, name: &str) -> String {
    let version = dice.pick(VERSIONS);
    let operator = dice.pick(&["=", "=", ">", "<", "~", ">=", "<=", ">~"]);
    format!("{name}{operator}{version}")
}

fn list(dice: &mut Dice, letter: &str, most: usize, style: Style) -> Option<String> {
    let count = dice.below(most + 1);
    let mut atoms = Vec::new();
    for _ in 0..count {
        let name = any_name(dice, style);
        let mark = if dice.one_in(style.conflicts) { "!" } else { "" };
        let atom = if dice.one_in(style.versions) { atom(dice, name) } else { name.to_owned() };
        atoms.push(format!("{mark}{atom}"));
    }
    (!atoms.is_empty()).then(|| format!("|{letter}:{}", atoms.join(" ")))
}

/// Each virtual name is mostly provided in one way, as real ones are.
fn provides(dice: &mut Dice, style: Style) -> Option<String> {
    let count = dice.below(4).saturating_sub(1);
    let mut provides = Vec::new();
    for _ in 0..count {
        let place = dice.below(VIRTUAL.len());
        let real = dice.one_in(8);
        let name = if real { dice.pick(&NAMES[..style.names]) } else { VIRTUAL[place] };
        let versioned = place.is_multiple_of(2) != dice.one_in(10);
        provides.push(if versioned { format!("{name}={}", dice.pick(VERSIONS)) } else { name.to_owned() });
    }
    (!provides.is_empty()).then(|| format!("|p:{}", provides.join(" ")))
}

fn entries(dice: &mut Dice, style: Style) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    let all = if style.complete { style.names } else { 0 };
    let more = 1 + dice.below(style.entries);
    let names: Vec<&str> =
        NAMES[..all].iter().copied().chain((0..more).map(|_| dice.pick(&NAMES[..style.names]))).collect();
    for name in names {
        let mut entry = format!("{name} {}", dice.pick(VERSIONS));
        // One directory holds one file of a name.
        if entries.iter().any(|other| other.split('|').next() == Some(&entry)) {
            continue;
        }
        entry.extend(list(dice, "D", 3, style));
        entry.extend(provides(dice, style));
        if dice.one_in(style.conditions) {
            entry.extend(list(dice, "i", 2, style));
        }
        if dice.one_in(3) {
            entry += &format!("|k:{}", dice.pick(&[1, 2, 100]));
        }
        match dice.below(60) {
            0 => entry += "|A:aarch64",
            1 => entry += "|A:noarch",
            2 => entry += "|D:b=1_",
            3 => entry += "|i:b=1_",
            4..7 => entry += "|I:0",
            _ => {}
        }
        entries.push(entry);
    }
    entries
}

fn world(dice: &mut Dice, style: Style, tagged: bool) -> Vec<String> {
    let mut words: Vec<(&str, String)> = Vec::new();
    for _ in 0..=dice.below(3) {
        let name = any_name(dice, style);
        if words.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let tag = if tagged && dice.one_in(3) { "@t" } else { "" };
        let mark = if dice.one_in(8) { "!" } else { "" };
        let named = format!("{name}{tag}");
        let atom = if dice.one_in(style.versions) { atom(dice, &named) } else { named };
        words.push((name, format!("{mark}{atom}")));
    }
    words.into_iter().map(|(_, word)| word).collect()
}
