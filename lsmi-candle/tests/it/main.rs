//! Tests of the crate from outside, in one binary.

mod batch;
mod encoders;
mod estimator;
mod features;
mod fuzz_corpus;
mod gates;
mod golden;
mod hub;
mod invariance;
mod margins;
mod models;
mod pid_batch;
mod pid_cvx;
mod preprocess;
mod stream;
