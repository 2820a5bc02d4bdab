//! Content hashes: which data an estimator was fitted on, whatever file they came in.

use sha2::{Digest, Sha256};

use super::{FeatureFile, FeatureSet};
use crate::matrix::Matrix;

/// Hashed first, so that a change of what is hashed changes every hash.
const VERSION: &[u8] = b"lsmi features 1";

pub(super) fn of_file(file: &FeatureFile) -> String {
    let mut hash = Sha256::new_with_prefix(VERSION);
    strings(&mut hash, file.classes.names().iter().map(String::as_str));
    strings(&mut hash, file.splits.iter().map(|split| split.name.as_str()));
    for split in &file.splits {
        set(&mut hash, &split.features);
    }
    hexadecimal(hash)
}

pub(super) fn of_set(features: &FeatureSet) -> String {
    let mut hash = Sha256::new_with_prefix(VERSION);
    set(&mut hash, features);
    hexadecimal(hash)
}

fn set(hash: &mut Sha256, features: &FeatureSet) {
    for modality in [&features.x1, &features.x2] {
        matrix(hash, modality);
    }
    length(hash, features.labels.len());
    for label in &features.labels {
        hash.update(label.to_le_bytes());
    }
    length(hash, features.ids.len());
    for row in 0..features.ids.len() {
        text(hash, &features.ids.get(row));
    }
}

fn matrix(hash: &mut Sha256, matrix: &Matrix) {
    length(hash, matrix.rows());
    length(hash, matrix.columns());
    for value in matrix.values() {
        hash.update(value.to_le_bytes());
    }
}

fn strings<'s>(hash: &mut Sha256, texts: impl ExactSizeIterator<Item = &'s str>) {
    length(hash, texts.len());
    texts.for_each(|item| text(hash, item));
}

/// Lengths go before contents, so that no two contents run together into the same bytes.
fn text(hash: &mut Sha256, text: &str) {
    length(hash, text.len());
    hash.update(text);
}

fn length(hash: &mut Sha256, length: usize) {
    hash.update((length as u64).to_le_bytes());
}

fn hexadecimal(hash: Sha256) -> String {
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
