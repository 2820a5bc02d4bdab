//! Analyzes a feature file: from the file to a fit, its means, new rows scored, and samples.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example analyze -- FILE
//! ```
//!
//! Without FILE it analyzes the emoji that are embedded in the command. The command `lsmi analyze` does the same.

#![allow(clippy::print_stdout, reason = "examples print")]

use std::error::Error;
use std::path::{Path, PathBuf};

use lsmi_candle::prelude::*;

/// Samples that are printed of each split.
const SHOWN: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let emoji = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../lsmi-cli/data/emoji/emoji_pca48.safetensors");
    let path = std::env::args().nth(1).map_or_else(emoji, PathBuf::from);
    let table = features::read(&path)?;

    // The terms of training rows come from models that did not see them; other splits are scored by all models together.
    let analysis = analyze(&table, &Settings { repeats: Some(1), ..Settings::default() })?;
    for (split, (name, summary)) in analysis.splits().iter().zip(&analysis.summary().splits) {
        let means = summary.adjusted;
        println!("{name}: R {:.3}  U1 {:.3}  U2 {:.3}  S {:.3} nats", means.r, means.u1, means.u2, means.s);
        let parts = &split.decomposition;
        for (row, id) in parts.ids.iter().enumerate().take(SHOWN) {
            println!("{id}  {:.3}  {:.3}  {:.3}  {:.3}", parts.r[row], parts.u1[row], parts.u2[row], parts.s[row]);
        }
    }

    // The estimator scores new rows, here the first ones of the training data.
    let train = &table.splits[0].features;
    let new = train.select(&(0..SHOWN.min(train.rows())).collect::<Vec<_>>());
    let scores = analysis.estimator().score(&new)?;
    println!("mean I12 of {} rows: {:.3} nats", new.rows(), scores.terms.means().i12);
    Ok(())
}
