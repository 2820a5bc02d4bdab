//! From a table of texts and files to vectors: read, encoded by named models, kept row group by row group.
//!
//! [`Plan::read`] reads the [`table`] once and checks it. [`Plan::embed`] then gives the vectors of all rows in memory, with
//! ids, labels, what made them, and the rows that could not be read; [`Plan::embed_to_file`] writes them to a feature file, with
//! one row group for each thread in memory at most, and goes on from finished ones after an end. Both tell a [`Watch`] how far they are.
//! [`Settings::shard`] takes a part of the table; [`FeatureParts`] joins the feature files of all parts to the bytes of the whole.
//! [`InputTable`] makes the states of rows that enter the blocks of models that are trained. [`BatchEncoder`] makes the vectors of record batches, for engines that hold the table themselves.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use lsmi_candle::device::DeviceChoice;
//! use lsmi_candle::embedding::embedder::{Embedder, Options};
//! use lsmi_candle::embedding::hub::{Hub, HubConfig};
//! use lsmi_candle::embedding::manifests::{Asked, Modality, Registry, resolve};
//! use lsmi_candle::embedding::pipeline::table::{Columns, InputColumn, OptionalColumn};
//! use lsmi_candle::embedding::pipeline::{Encoding, Plan, Settings, Unreadable, Watch};
//!
//! let column = |name: &str, modality| InputColumn { name: name.to_owned(), modality };
//! let optional = |name: &str| OptionalColumn { name: name.to_owned(), is_needed: false };
//! let columns = Columns {
//!     inputs: vec![column("image", Modality::Image), column("text", Modality::Text)],
//!     label: optional("label"),
//!     id: optional("id"),
//! };
//! let plan = Plan::read(Settings { unreadable: Unreadable::Skip, ..Settings::new("memes.csv", columns) })?;
//! let (registry, hub) = (Registry::built_in()?, Hub::new(HubConfig::from_environment()?));
//! let device = DeviceChoice::Auto.open()?;
//! let mut encodings = Vec::new();
//! for (model, column) in [("efficientnet-lite0", "image"), ("minilm-l6-v2", "text")] {
//!     let model = resolve(model, Asked::default(), &registry, &hub, &mut |_| ())?;
//!     let modality = model.description.modality;
//!     let embedder = Arc::new(Embedder::load(&model, &Options::default(), &device)?);
//!     encodings.push(Encoding { modality, column: column.to_owned(), embedder });
//! }
//! let embedded = plan.embed(&encodings, &Watch::default())?;
//! println!("{} rows, {} skipped", embedded.rows.len(), embedded.rows.skipped.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod encode;
mod entries;
mod error;
mod feature_file;
mod folder;
mod group;
mod join;
mod plan;
mod rows;
mod run;
pub mod table;
mod watch;
mod workers;

pub use batch::{BatchEncoder, EmbedBatchError};
pub use encode::Encoding;
pub use entries::InputTable;
pub use error::PipelineError;
pub use folder::{Folder, InputError};
pub use group::Skipped;
pub use join::{FeatureParts, JoinError};
pub use plan::{Plan, Settings, Unreadable};
pub use rows::EmbeddedRows;
pub use run::Embedded;
pub use watch::{Progress, Watch};
