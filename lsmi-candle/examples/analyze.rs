//! Analyzes a feature file: reads it, fits an estimator to its training rows and prints the decomposition of every sample.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example analyze -- FILE
//! ```
//!
//! Without FILE it analyzes the emoji that are embedded in the command. The command `lsmi analyze` does the same and more.

#![allow(clippy::print_stdout, reason = "examples print")]

use std::error::Error;
use std::path::{Path, PathBuf};

use lsmi_candle::estimator::{Scores, Settings, cross_fit};
use lsmi_candle::features::{Keys, read};
use lsmi_core::{Measure, Reference};

/// Samples that are printed of each split.
const SHOWN: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let emoji = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../lsmi-cli/data/emoji/emoji_pca48.safetensors");
    let path = std::env::args().nth(1).map_or_else(emoji, PathBuf::from);
    let data = read(&path, &Keys::default())?;

    // The terms of training rows come from models that did not see them.
    let train = &data.splits[0];
    let fit = cross_fit(&train.features, &data.classes, &Settings::default(), None)?;
    let (measure, reference) = (fit.estimator.measure(), fit.estimator.reference());
    print(&train.name, &fit.scores, measure, reference);

    // Other rows are scored by the models of all folds together.
    for split in &data.splits[1..] {
        print(&split.name, &fit.estimator.score(&split.features)?, measure, reference);
    }
    Ok(())
}

/// Prints the means of a split and its first samples, in nats.
fn print(split: &str, scores: &Scores, measure: Measure, reference: &Reference) {
    let parts = measure.decompose_with(&scores.terms, &scores.labels, reference);
    let means = parts.means();
    println!("{split}: R {:.3}  U1 {:.3}  U2 {:.3}  S {:.3}", means.r, means.u1, means.u2, means.s);
    for (row, id) in parts.ids.iter().enumerate().take(SHOWN) {
        println!("{id}  {:.3}  {:.3}  {:.3}  {:.3}", parts.r[row], parts.u1[row], parts.u2[row], parts.s[row]);
    }
}
