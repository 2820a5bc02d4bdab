//! The binary from outside: what it prints, what it writes, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod bad_input;
mod browser;
mod check;
mod compare;
mod configuration;
mod continuous;
mod demo;
mod diff;
mod discrete;
mod embed;
mod field;
mod fit_stream;
mod formats;
mod generate;
mod groups;
mod guide_align;
mod guide_clean;
mod guide_distill;
mod guide_ensemble;
mod guide_unfreeze;
mod help;
mod hub;
#[cfg(unix)]
mod interrupt;
mod join;
mod label_free;
mod labels;
mod library;
mod logits;
mod manners;
mod missing_modality;
mod models;
mod null;
mod options;
mod pages;
mod place;
mod ratings;
mod report;
mod report_kinds;
mod round_trip;
mod sequences;
#[path = "../../../lsmi-candle/tests/it/hub/server.rs"]
#[expect(dead_code, reason = "the tests of the library need more of it")]
mod server;
mod several;
mod stream;
mod uncertainty;
mod usage;
