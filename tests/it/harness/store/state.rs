//! What a store in memory holds: what programs see, and what is on stable storage.
//!
//! A power loss keeps any subset of the changes of names that were not synced, in any order; a file that was not
//! synced keeps its new content, its old one, nothing, the first half, or zeros.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use apkvet::publish::{Kind, Stat, StorePath};

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Content {
    pub(super) bytes: Arc<Vec<u8>>,
    pub(super) mode: u32,
    pub(super) mtime: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Dir { entries: BTreeMap<String, u64>, mode: u32 },
    File(Content),
    Link(String),
}

/// A change of names: all of it is on stable storage, or nothing.
#[derive(Clone, Debug)]
pub(super) struct Change {
    entries: Vec<(u64, String, Option<u64>)>,
    synced_with: u64,
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(super) nodes: BTreeMap<u64, Node>,
    durable_dirs: BTreeMap<u64, BTreeMap<String, u64>>,
    durable_files: BTreeMap<u64, Content>,
    changes: Vec<Change>,
    pub(super) waiting: Vec<u64>,
    /// Files whose pages a failed sync has lost: what is read is not what is on the disk, for ever.
    lost: BTreeSet<u64>,
    /// How many syncs there were up to here.
    pub(crate) syncs: u64,
}

/// How many choices a power loss has at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Choices {
    /// Changes of names, each kept or not.
    pub(crate) changes: usize,
    /// Files that were not synced, and how many contents each may have.
    pub(crate) files: Vec<(u64, usize)>,
}

impl Choices {
    /// How many ways there are; too many to count is the largest number.
    pub(crate) fn count(&self) -> usize {
        let names = 1_usize.checked_shl(u32::try_from(self.changes).unwrap()).unwrap_or(usize::MAX);
        let names = if self.changes > 40 { usize::MAX } else { names };
        self.files.iter().fold(names, |count, (_, contents)| count.saturating_mul(*contents))
    }
}

pub(super) const ROOT: u64 = 0;

pub(super) fn error(kind: io::ErrorKind) -> io::Error {
    kind.into()
}

impl State {
    pub(super) fn new() -> Self {
        let root = Node::Dir { entries: BTreeMap::new(), mode: 0o755 };
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            durable_dirs: BTreeMap::new(),
            durable_files: BTreeMap::new(),
            changes: Vec::new(),
            waiting: Vec::new(),
            lost: BTreeSet::new(),
            syncs: 0,
        }
    }

    pub(super) fn entries(&self, dir: u64) -> io::Result<&BTreeMap<String, u64>> {
        match &self.nodes[&dir] {
            Node::Dir { entries, .. } => Ok(entries),
            _ => Err(error(io::ErrorKind::NotADirectory)),
        }
    }

    pub(super) fn find(&self, path: &StorePath) -> io::Result<u64> {
        path.segments().try_fold(ROOT, |dir, name| {
            self.entries(dir)?.get(name).copied().ok_or_else(|| error(io::ErrorKind::NotFound))
        })
    }

    pub(super) fn parent<'p>(&self, path: &'p StorePath) -> io::Result<(u64, &'p str)> {
        let dir = self.find(&path.parent().ok_or_else(|| error(io::ErrorKind::InvalidInput))?)?;
        self.entries(dir)?;
        Ok((dir, path.name().unwrap()))
    }

    pub(super) fn insert(&mut self, path: &StorePath, node: Node) -> io::Result<u64> {
        let (dir, name) = self.parent(path)?;
        if self.entries(dir)?.contains_key(name) {
            return Err(error(io::ErrorKind::AlreadyExists));
        }
        let id = self.nodes.keys().next_back().unwrap() + 1;
        self.nodes.insert(id, node);
        self.change(vec![(dir, name.to_owned(), Some(id))], dir);
        Ok(id)
    }

    pub(super) fn change(&mut self, entries: Vec<(u64, String, Option<u64>)>, synced_with: u64) {
        for (dir, name, id) in &entries {
            let Node::Dir { entries, .. } = self.nodes.get_mut(dir).unwrap() else { panic!() };
            match id {
                Some(id) => entries.insert(name.clone(), *id),
                None => entries.remove(name),
            };
        }
        self.changes.push(Change { entries, synced_with });
    }

    pub(super) fn sync(&mut self, id: u64) {
        if let Node::File(content) = &self.nodes[&id] {
            if !self.lost.contains(&id) {
                self.durable_files.insert(id, content.clone());
            }
            return;
        }
        let mut rest: Vec<Change> = Vec::new();
        for change in std::mem::take(&mut self.changes) {
            if change.synced_with != id {
                rest.push(change);
                continue;
            }
            // What was done to the same names before does not matter any more.
            for (dir, name, _) in &change.entries {
                rest.iter_mut()
                    .for_each(|earlier| earlier.entries.retain(|entry| (&entry.0, &entry.1) != (dir, name)));
            }
            apply(&mut self.durable_dirs, &change);
        }
        rest.retain(|change| !change.entries.is_empty());
        self.changes = rest;
    }

    /// A sync that fails: the pages of a file are thrown away, and later syncs have nothing to do.
    pub(super) fn lose(&mut self, id: u64) {
        if let Node::File(content) = &self.nodes[&id] {
            let zeros = Content { bytes: Arc::new(vec![0; content.bytes.len()]), ..content.clone() };
            self.durable_files.entry(id).or_insert(zeros);
            self.lost.insert(id);
        }
    }

    /// What a power loss may choose from now.
    pub(crate) fn choices(&self) -> Choices {
        let unsynced = self.nodes.iter().filter_map(|(id, node)| match (node, self.durable_files.get(id)) {
            (Node::File(_), _) if self.lost.contains(id) => None,
            (Node::File(content), Some(durable)) => (content != durable).then_some((*id, 2)),
            (Node::File(content), None) => Some((*id, if content.bytes.is_empty() { 2 } else { 4 })),
            _ => None,
        });
        Choices { changes: self.changes.len(), files: unsynced.collect() }
    }

    /// What is there after a power loss.
    pub(crate) fn after_loss(&self, kept: &[bool], contents: &[usize]) -> Self {
        let mut dirs = self.durable_dirs.clone();
        for (change, _) in self.changes.iter().zip(kept).filter(|(_, kept)| **kept) {
            apply(&mut dirs, change);
        }
        let chosen: BTreeMap<u64, usize> =
            self.choices().files.iter().zip(contents).map(|((id, _), content)| (*id, *content)).collect();
        let mut state = Self::new();
        let mut open = vec![ROOT];
        while let Some(id) = open.pop() {
            let node = match &self.nodes[&id] {
                Node::Dir { mode, .. } => {
                    let entries = dirs.get(&id).cloned().unwrap_or_default();
                    open.extend(entries.values());
                    state.durable_dirs.insert(id, entries.clone());
                    Node::Dir { entries, mode: *mode }
                }
                Node::File(content) => {
                    let durable = self.durable_files.get(&id);
                    let content = match chosen.get(&id) {
                        None => durable.unwrap().clone(),
                        Some(choice) => torn(content, durable, *choice),
                    };
                    state.durable_files.insert(id, content.clone());
                    Node::File(content)
                }
                Node::Link(target) => Node::Link(target.clone()),
            };
            state.nodes.insert(id, node);
        }
        state
    }

    /// What is there after a power loss that keeps nothing that was not synced.
    pub(crate) fn after_full_loss(&self) -> Self {
        let choices = self.choices();
        self.after_loss(&vec![false; choices.changes], &vec![1; choices.files.len()])
    }

    /// Equal for equal trees.
    pub(crate) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut open = vec![(String::new(), ROOT)];
        while let Some((path, id)) = open.pop() {
            path.hash(&mut hasher);
            match &self.nodes[&id] {
                Node::Dir { entries, mode } => {
                    mode.hash(&mut hasher);
                    open.extend(entries.iter().map(|(name, id)| (format!("{path}/{name}"), *id)));
                }
                Node::File(content) => (id, content).hash(&mut hasher),
                Node::Link(target) => target.hash(&mut hasher),
            }
        }
        hasher.finish()
    }
}

fn apply(dirs: &mut BTreeMap<u64, BTreeMap<String, u64>>, change: &Change) {
    for (dir, name, id) in &change.entries {
        let entries = dirs.entry(*dir).or_default();
        match id {
            Some(id) => entries.insert(name.clone(), *id),
            None => entries.remove(name),
        };
    }
}

fn torn(content: &Content, durable: Option<&Content>, choice: usize) -> Content {
    let bytes = match (choice, durable) {
        (0, _) => return content.clone(),
        (_, Some(durable)) => return durable.clone(),
        (1, None) => Vec::new(),
        (2, None) => vec![0; content.bytes.len()],
        _ => content.bytes[..content.bytes.len() / 2].to_vec(),
    };
    Content { bytes: Arc::new(bytes), ..content.clone() }
}

/// What a node is.
pub(super) fn stat(state: &State, id: u64) -> Stat {
    let (kind, mode, size, mtime) = match &state.nodes[&id] {
        Node::Dir { mode, .. } => (Kind::Dir, *mode, 0, 1),
        Node::Link(_) => (Kind::Link, 0o777, 0, 1),
        Node::File(content) => {
            (Kind::File, content.mode, u64::try_from(content.bytes.len()).unwrap(), content.mtime)
        }
    };
    Stat { kind, mode, size, mtime, changed: (0, 0), id: (1, id), links: 1, ours: true }
}
