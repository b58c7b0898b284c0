//! Writes a repository for measuring: `cargo run --release --example corpus -- --count 1000 --seed 1 DIR`.
//!
//! `DIR/x86_64` holds the packages and their index, `DIR/keys` the public halves of the fake keys that signed
//! them. The same options give the same bytes on every machine.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use apkvet_fixtures::{Corpus, FakeKey, Label};
use clap::{Parser, ValueEnum};

/// Write a repository of made-up packages, signed with fake keys, with sizes like those of Alpine's main
#[derive(Debug, Parser)]
#[command(name = "corpus")]
struct Arguments {
    /// Where to; it is created
    directory: PathBuf,
    /// Number of packages
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// Everything is derived from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Half of the packages are smaller (`K`, `M` and `G` multiply by 1024, here and below)
    #[arg(long, value_parser = size, default_value = "30K")]
    median: usize,
    /// Mean of the sizes, before they are cut to --min and --max
    #[arg(long, value_parser = size, default_value = "400K")]
    mean: usize,
    /// No package is smaller
    #[arg(long, value_parser = size, default_value = "1600")]
    min: usize,
    /// No package is larger, but for the big ones
    #[arg(long, value_parser = size, default_value = "40M")]
    max: usize,
    /// How many of the packages are big
    #[arg(long, default_value_t = 0)]
    big: usize,
    /// The smallest size of a big one
    #[arg(long, value_parser = size, default_value = "50M")]
    big_min: usize,
    /// The largest size of a big one
    #[arg(long, value_parser = size, default_value = "100M")]
    big_max: usize,
    /// Refuse to write more than this
    #[arg(long, value_parser = size, default_value = "3G")]
    total_cap: usize,
    /// Sizes of the keys that sign in turn: 2048, 4096 or both
    #[arg(long, value_delimiter = ',', default_value = "2048")]
    bits: Vec<usize>,
    /// The label of the signatures
    #[arg(long, value_enum, default_value_t = LabelArg::Rsa)]
    label: LabelArg,
    /// Threads [default: number of cores]
    #[arg(short, long)]
    jobs: Option<usize>,
    /// Write no index
    #[arg(long)]
    no_index: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LabelArg {
    /// SHA-1, as most of Alpine's own are
    Rsa,
    Rsa256,
    Rsa512,
}

fn size(text: &str) -> anyhow::Result<usize> {
    let (digits, shift) = match text.to_ascii_uppercase().as_bytes().last() {
        Some(b'K') => (text.get(..text.len() - 1), 10),
        Some(b'M') => (text.get(..text.len() - 1), 20),
        Some(b'G') => (text.get(..text.len() - 1), 30),
        _ => (Some(text), 0),
    };
    let number: usize =
        digits.unwrap_or_default().parse().context("expected a number, or one with K, M or G")?;
    number.checked_mul(1 << shift).context("that is more than there are addresses")
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let corpus = corpus(&arguments)?;
    let planned: usize = corpus.sizes().iter().sum();
    ensure!(planned <= arguments.total_cap, "this would write {planned} bytes, more than --total-cap");
    write(&arguments, &corpus)
}

fn corpus(arguments: &Arguments) -> anyhow::Result<Corpus> {
    ensure!(
        arguments.min <= arguments.max && arguments.big_min <= arguments.big_max,
        "a minimum is above its maximum"
    );
    ensure!(arguments.median > 0, "--median takes a number from 1");
    let key = |bits: &usize| match bits {
        2048 => Ok(FakeKey::a()),
        4096 => Ok(FakeKey::c()),
        _ => bail!("there are fake keys of 2048 and of 4096 bits, and none of {bits}"),
    };
    Ok(Corpus {
        count: arguments.count,
        seed: arguments.seed,
        median: arguments.median,
        mean: arguments.mean,
        min: arguments.min,
        max: arguments.max,
        big: arguments.big,
        big_sizes: (arguments.big_min, arguments.big_max),
        keys: arguments.bits.iter().map(key).collect::<Result<_, _>>()?,
        label: match arguments.label {
            LabelArg::Rsa => Label::Rsa,
            LabelArg::Rsa256 => Label::Rsa256,
            LabelArg::Rsa512 => Label::Rsa512,
        },
        ..Corpus::default()
    })
}

fn write(arguments: &Arguments, corpus: &Corpus) -> anyhow::Result<()> {
    let (packages, keys) = (arguments.directory.join(&corpus.architecture), arguments.directory.join("keys"));
    for directory in [&packages, &keys] {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    for key in &corpus.keys {
        fs::write(keys.join(key.name()), key.public_pem())?;
    }
    let threads =
        arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let mut entries = vec![String::new(); corpus.count];
    let (mut sizes, mut installed) = (Vec::new(), 0);
    corpus.build(threads, |number, built| -> anyhow::Result<()> {
        let path = packages.join(&built.file);
        fs::write(&path, &built.bytes).with_context(|| format!("cannot write {}", path.display()))?;
        sizes.push(built.bytes.len());
        installed += built.installed;
        if let Some(entry) = entries.get_mut(number) {
            *entry = built.entry;
        }
        Ok(())
    })?;
    if !arguments.no_index {
        fs::write(packages.join("APKINDEX.tar.gz"), corpus.index(&entries))?;
    }
    report(&mut sizes, installed);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the program says")]
fn report(sizes: &mut [usize], installed: usize) {
    sizes.sort_unstable();
    let at =
        |tenths: usize| sizes.get(sizes.len().saturating_sub(1) * tenths / 10).copied().unwrap_or_default();
    println!(
        "{} packages, {} bytes, {installed} installed; median {}, nine tenths below {}, largest {}",
        sizes.len(),
        sizes.iter().sum::<usize>(),
        at(5),
        at(9),
        at(10)
    );
}
