//! Which tree: that of a configuration, or the one at a root.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::args::WaitArgs;
use super::settings::{Make, of_file, store};
use crate::cli::failure::Failure;
use crate::limits::Limits;
use crate::mirror::Config;
use crate::publish::{Look, Tree};

/// Which tree.
#[derive(Args, Clone, Debug)]
pub(super) struct TargetArgs {
    /// The configuration of the mirror
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    pub(super) config: Option<PathBuf>,
    /// The root of the tree
    #[arg(long, value_name = "DIR")]
    pub(super) to: Option<PathBuf>,
}

/// A tree, and what its configuration says, if there is one.
pub(super) struct Target {
    pub(super) config: Option<Config>,
    pub(super) to: PathBuf,
}

impl TargetArgs {
    pub(super) fn target(&self) -> Result<Target, Failure> {
        let config = self.config.as_deref().map(of_file).transpose()?;
        let to = config.as_ref().map(|config| config.mirror().to.clone()).or_else(|| self.to.clone());
        let to = to.ok_or_else(|| Failure::usage(anyhow!("expected --config FILE or --to DIR")))?;
        Ok(Target { config, to })
    }
}

impl Target {
    /// The tree for reading.
    pub(super) fn look(&self) -> Result<Look, Failure> {
        Ok(Tree::look(store(&self.to, Make::Nothing)?))
    }

    /// The tree, under its lock.
    pub(super) fn open(&self, wait: WaitArgs) -> Result<Tree, Failure> {
        Tree::open(store(&self.to, Make::Nothing)?, wait.wait()).map_err(Failure::of_publish)
    }

    pub(super) fn limits(&self) -> Limits {
        self.config.as_ref().map_or_else(Limits::default, |config| config.limits().clone())
    }
}
