//! Feature files: what is accepted, what is refused with which advice, and what hostile bytes can do (nothing).

#![expect(clippy::unwrap_used, reason = "a test that cannot make its file has failed")]

mod arrow;
mod blocks;
mod build;
mod field;
mod formats;
mod hostile;
mod logits;
mod missing;
mod model_logits;
mod parquet;
mod refusals;
mod rows;
mod sequences;
mod several_labels;
mod splits;
mod tables;
mod unlabelled;
mod written;
