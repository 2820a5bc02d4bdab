//! Options of `lsmi models`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lsmi_candle::embedding::hub::{Hub, HubConfig, HubError};
use lsmi_candle::embedding::manifests::{ModelError, Registry};

pub(super) const MODELS_EXAMPLES: &str = "\
A model is the name of a manifest, or organisation/model of the Hugging Face hub (with @REVISION for another branch or \
commit than main). Environment: HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE and \
HF_HUB_DOWNLOAD_TIMEOUT as for the hub's Python client, whose cache is shared; LSMI_MODELS names a folder of manifests, \
LSMI_MODELS_LOCK another place for the lock.

Examples:
  lsmi models list
  lsmi models show clip-vit-b32-image
  lsmi models pull minilm-l6-v2 dinov2-small
  lsmi models pull intfloat/e5-small-v2
  lsmi models verify";

const LIST_EXAMPLES: &str = "\
Examples:
  lsmi models list
  lsmi models list --models my-manifests --json";

const SHOW_EXAMPLES: &str = "\
Examples:
  lsmi models show clip-vit-b32-image
  lsmi models show intfloat/e5-small-v2
  lsmi models show path/to/dir --json | jq .uses";

const PULL_EXAMPLES: &str = "\
Examples:
  lsmi models pull minilm-l6-v2 dinov2-small
  lsmi models pull intfloat/e5-small-v2@main --quiet
  lsmi models pull minilm-l6-v2 --again";

const VERIFY_EXAMPLES: &str = "\
Examples:
  lsmi models verify
  lsmi models verify minilm-l6-v2 --json";

/// `lsmi models`.
#[derive(Debug, Args)]
pub(crate) struct HubCommand {
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: HubAction,
}

/// What to do with models.
#[derive(Debug, Subcommand)]
pub(crate) enum HubAction {
    /// List the models there are manifests for, and what else is in the cache
    #[command(after_help = LIST_EXAMPLES)]
    List(ListModels),
    /// Show what is known of a model: its manifest, or what its files here say
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowModel),
    /// Download models, check them and pin what they are
    #[command(after_help = PULL_EXAMPLES)]
    Pull(PullModels),
    /// Hold the files in the cache against manifests, lock and the hub's hashes
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyModels),
}

/// `lsmi models list`.
#[derive(Debug, Args)]
pub(crate) struct ListModels {
    #[command(flatten)]
    pub(crate) place: ModelPlace,
}

/// `lsmi models show`.
#[derive(Debug, Args)]
pub(crate) struct ShowModel {
    /// Name of a manifest, organisation/model in the cache, or a directory
    #[arg(value_name = "MODEL")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: ModelPlace,
}

/// `lsmi models pull`.
#[derive(Debug, Args)]
pub(crate) struct PullModels {
    /// Names of manifests, or organisation/model
    #[arg(value_name = "MODEL", required = true)]
    pub(crate) names: Vec<String>,
    /// Forget what the lock says of these models, and download them anew
    #[arg(long)]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) place: ModelPlace,
}

/// `lsmi models verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyModels {
    /// Names of manifests, or organisation/model [default: all that is in the cache]
    #[arg(value_name = "MODEL")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) place: ModelPlace,
}

/// Where manifests and files of models are, and how the result is told.
#[derive(Debug, Args)]
pub(crate) struct ModelPlace {
    #[command(flatten)]
    from: ModelOrigin,
    /// Print the result as JSON to stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// No progress and no words
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Where manifests and files of models are.
#[derive(Debug, Args)]
pub(crate) struct ModelOrigin {
    /// Folder of more manifests; they win over the built-in ones [default: that of the environment variable `LSMI_MODELS`]
    #[arg(long = "models", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Use only what is in the cache
    #[arg(long)]
    offline: bool,
}

impl ModelPlace {
    /// All manifests.
    pub(crate) fn registry(&self) -> Result<Registry, ModelError> {
        self.from.registry()
    }

    /// The hub of the environment.
    pub(crate) fn hub(&self) -> Result<Hub, HubError> {
        self.from.hub()
    }
}

impl ModelOrigin {
    /// All manifests.
    pub(crate) fn registry(&self) -> Result<Registry, ModelError> {
        match &self.folder {
            Some(folder) => Registry::with_folder(folder),
            None => Registry::from_environment(),
        }
    }

    /// The hub of the environment.
    pub(crate) fn hub(&self) -> Result<Hub, HubError> {
        let config = HubConfig::from_environment()?;
        Ok(Hub::new(HubConfig { offline: self.offline || config.offline, ..config }))
    }
}
