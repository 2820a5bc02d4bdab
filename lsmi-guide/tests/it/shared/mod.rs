//! Samples of a family whose terms are known.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use lsmi_candle::features::FeatureSet;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{FamilyName, Settings};
use lsmi_core::random::stream;
use lsmi_core::{SampleIds, Terms};

/// Samples with their exact terms; ids are not the row numbers.
pub(crate) fn samples(name: FamilyName, rows: usize, dims: usize, seed: u64) -> (FeatureSet, Terms) {
    let family = name.build(&Settings { dims, classes: 2, ..Settings::default() }).unwrap();
    let draw = family.sample(rows, &mut stream(seed, "samples of a test"));
    let ids = SampleIds::from_names((0..rows).map(|row| format!("sample {}", rows - row))).unwrap();
    let exact = family.terms(&draw).unwrap();
    let terms = Terms::new(ids.clone(), exact.h1, exact.h2, exact.i1, exact.i2, exact.i12).unwrap();
    let matrix = |values| Matrix::new(rows, dims, values).unwrap();
    let (x1, x2) = (matrix(draw.x1), matrix(draw.x2));
    (FeatureSet { ids, x1, x2, labels: draw.labels, logits: [None, None, None], groups: None }, terms)
}
