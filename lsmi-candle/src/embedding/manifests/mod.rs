//! Pretrained encoders: which there are, where their files come from, and how they are used.
//!
//! A model is named by a [`Manifest`] (those of `models/` are built in, a [`Registry`] adds a folder's), by a directory, or
//! as `organisation/model` of the hub. [`resolve`] turns any of these into checked files and a [`Description`]: from the
//! manifest where there is one, else from the model's own configurations.
//!
//! ```no_run
//! use lsmi_candle::embedding::hub::{Hub, HubConfig};
//! use lsmi_candle::embedding::manifests::{Asked, Modality, Registry, resolve};
//!
//! let hub = Hub::new(HubConfig::from_environment()?);
//! let asked = Asked::of(Modality::Text);
//! let model = resolve("minilm-l6-v2", asked, &Registry::built_in()?, &hub, &mut |_| ())?;
//! assert_eq!(model.description.embedding_width, Some(384));
//! println!("{}", model.file("tokenizer.json")?.display());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod configuration;
mod describe;
mod error;
mod files;
mod known;
mod manifest;
mod named;
mod preparation;
mod registry;
mod resolve;
mod sentence;
mod text;

pub use crate::embedding::encoders::{Architecture, Modality};
pub use describe::{Asked, Description};
pub use error::{ModelError, Remedy};
pub use known::{Known, KnownFile, Use, known, known_in_cache};
pub use manifest::{Elsewhere, Manifest, ManifestFile, Preprocessing, TextPreprocessing};
pub use named::{ModelRef, model_ref};
pub use registry::Registry;
pub use resolve::{Origin, Resolved, of_directory, pull_repository, resolve};
pub use sentence::{Dense, Prompts, Step};
