//! Pretrained encoders: which there are, where their files come from, and how they are used.
//!
//! A model is named by a [`Manifest`] (those of `models/` are built in, a [`Registry`] adds a folder's), by a directory, or
//! as `organisation/model` of the hub. [`resolve`] turns any of these into checked files and a [`Description`]: from the
//! manifest where there is one, else from the model's own configurations.
//!
//! ```no_run
//! use lsmi_candle::hub::{Hub, HubConfig};
//! use lsmi_candle::models::{Modality, Registry, resolve};
//!
//! let hub = Hub::new(HubConfig::from_environment()?);
//! let model = resolve("minilm-l6-v2", Some(Modality::Text), &Registry::built_in()?, &hub, &mut |_| ())?;
//! assert_eq!(model.description.embedding_width, 384);
//! println!("{}", model.file("tokenizer.json")?.display());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod architecture;
mod configuration;
mod describe;
mod error;
mod image_processor;
mod manifest;
mod registry;
mod resolve;

pub use architecture::Architecture;
pub use describe::Description;
pub use error::ModelError;
pub use manifest::{
    AudioPreprocessing, Filter, ImagePreprocessing, Manifest, ManifestFile, Modality, Pooling, Preprocessing, Resize,
    TextPreprocessing,
};
pub use registry::Registry;
pub use resolve::{Meant, Origin, Resolved, meant, pull_repository, resolve};
