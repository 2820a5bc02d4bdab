//! Compares what fusion networks learn by the stage at which they join the modalities.
//!
//! Early, middle and late fusion networks are trained on the same rows; their logits of x1, of x2 and of both take the
//! place of the heads, and held-out rows are decomposed. Densities are fitted once. By default on simulated families and
//! the emoji; names of families and feature files (`x1_train`, ..., `x1_test`, ...) may be given instead.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- fusion [xor mixed features.npz] [--out DIR]
//! ```
//!
//! With `--out DIR` the data and each network's logits are written, for `lsmi analyze --model`.

#![allow(clippy::cast_possible_truncation, reason = "networks are of 32-bit numbers")]

mod network;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use lsmi_candle::estimator::{Scores, Settings, cross_fit};
use lsmi_candle::features::{ArrayValues, FeatureSet, write_safetensors};
use lsmi_core::{Means, Measure, Reference, adjust};

use self::network::{Network, Stage};
use crate::data::{Data, data, emoji, parts};

const ROWS: usize = 4000;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let mut arguments = arguments.iter().cloned();
    let (mut names, mut out) = (Vec::new(), None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--out" => out = arguments.next().map(PathBuf::from),
            _ => names.push(argument),
        }
    }
    if names.is_empty() {
        names = ["xor", "or", "rdn", "mixed"].map(str::to_owned).to_vec();
        names.push(emoji().to_string_lossy().into_owned());
    }
    println!("means over held-out rows, nats; pm adjusted, ccs raw\n");
    println!(
        "{:<18}{:<9}{:>8}{:>8}{:>8}{:>10}   pm: R     U1     U2      S   ccs: R     U1     U2      S",
        "data", "model", "I1", "I2", "I12", "accuracy"
    );
    for name in &names {
        compare(&data(name, ROWS, 1)?, out.as_deref())?;
    }
    Ok(())
}

/// Prints what the data hold and what each network has learned of it.
fn compare(data: &Data, out: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let Data { name, train, test, classes } = data;
    let fit = cross_fit(train, classes, &Settings::default(), None)?;
    let estimator = fit.estimator;
    print(name, "(data)", &estimator.score(test)?, estimator.reference());
    if let Some(out) = out {
        write(&out.join(format!("{name}-train.safetensors")), train)?;
        write(&out.join(format!("{name}-test.safetensors")), test)?;
    }
    for (stage_name, stage) in Stage::ALL {
        let network = Network::train(stage, train, classes.len(), 1)?;
        let of_network = FeatureSet { logits: network.logits(test)?, ..test.clone() };
        let scores = estimator.with_given_heads(&of_network).score(&of_network)?;
        print(name, stage_name, &scores, estimator.reference());
        if let Some(out) = out {
            write_logits(&out.join(format!("{name}-{stage_name}.safetensors")), &of_network)?;
        }
    }
    Ok(())
}

fn print(data: &str, model: &str, scores: &Scores, reference: &Reference) {
    let means = scores.terms.means();
    let by = |measure: Measure| measure.decompose_with(&scores.terms, &scores.labels, reference).means();
    let adjusted = adjust(&by(Measure::Pm));
    let adjusted = Means { r: adjusted.r, u1: adjusted.u1, u2: adjusted.u2, s: adjusted.s };
    println!(
        "{data:<18}{model:<9}{:>8.3}{:>8.3}{:>8.3}{:>8.1} %{}   {}",
        means.i1,
        means.i2,
        means.i12,
        100.0 * scores.accuracy()[2],
        parts(adjusted),
        parts(by(Measure::Ccs))
    );
}

fn write(path: &Path, samples: &FeatureSet) -> Result<(), Box<dyn Error>> {
    let labels: Vec<i64> = samples.labels.iter().map(|label| i64::from(*label)).collect();
    let arrays = BTreeMap::from([
        ("x1", ArrayValues::Matrix(&samples.x1)),
        ("x2", ArrayValues::Matrix(&samples.x2)),
        ("y", ArrayValues::Integers(&labels)),
    ]);
    Ok(std::fs::write(path, write_safetensors(&arrays, &BTreeMap::new())?)?)
}

fn write_logits(path: &Path, samples: &FeatureSet) -> Result<(), Box<dyn Error>> {
    let names = ["logits1_eval", "logits2_eval", "logits12_eval"];
    let given = names.into_iter().zip(&samples.logits);
    let arrays: BTreeMap<_, _> =
        given.filter_map(|(name, logits)| Some((name, ArrayValues::Matrix(logits.as_ref()?)))).collect();
    Ok(std::fs::write(path, write_safetensors(&arrays, &BTreeMap::new())?)?)
}
