//! Tests of the crate from outside, in one binary.

mod batch;
mod bundles;
mod continuous;
#[cfg(feature = "embedding")]
mod encoders;
mod estimator;
mod features;
#[cfg(feature = "embedding")]
mod fuzz_corpus;
mod gates;
#[cfg(feature = "embedding")]
mod golden;
#[cfg(feature = "embedding")]
mod hub;
mod invariance;
mod labels;
mod lags;
#[cfg(feature = "embedding")]
mod manifest_schema;
mod margins;
mod missing;
#[cfg(feature = "embedding")]
mod models;
mod pid_batch;
mod pid_cvx;
#[cfg(feature = "embedding")]
mod pipeline;
#[cfg(feature = "embedding")]
mod preprocess;
mod rare;
mod several;
mod stream;
