//! Content hashes: which data an estimator was fitted on, whatever file they came in.

use lsmi_core::SampleIds;
use sha2::{Digest, Sha256};

use super::file::{FeatureFile, UnlabelledFile};
use super::partial::PartialRows;
use super::{FeatureSet, Inputs, Unlabelled};
use crate::features::groups::Groups;
use crate::features::keys::LOGITS;
use crate::features::several::SeveralSet;
use crate::files::hexadecimal;
use crate::numbers::matrix::Matrix;

/// Hashed first, so that a change of what is hashed changes every hash.
const VERSION: &[u8] = b"lsmi features 1";

/// The same for samples of several modalities.
const VERSION_SEVERAL: &[u8] = b"lsmi several features 1";

/// The same for samples without labels.
const VERSION_UNLABELLED: &[u8] = b"lsmi unlabelled features 1";

pub(super) fn of_file(file: &FeatureFile) -> String {
    let mut hash = Sha256::new_with_prefix(VERSION);
    strings(&mut hash, file.classes.names().iter().map(String::as_str));
    strings(&mut hash, file.splits.iter().map(|split| split.name.as_str()));
    for split in &file.splits {
        set(&mut hash, &split.features);
        file.partial_of(&split.name).into_iter().for_each(|rows| partial(&mut hash, rows));
    }
    hexadecimal(&hash.finalize())
}

pub(super) fn of_set(features: &FeatureSet) -> String {
    let mut hash = Sha256::new_with_prefix(VERSION);
    set(&mut hash, features);
    hexadecimal(&hash.finalize())
}

pub(in crate::features) fn of_several(samples: &SeveralSet) -> String {
    let SeveralSet { names: _, ids, modalities, labels, groups } = samples;
    let mut hash = Sha256::new_with_prefix(VERSION_SEVERAL);
    length(&mut hash, modalities.len());
    for modality in modalities {
        matrix(&mut hash, modality);
    }
    labels_and_ids(&mut hash, Some(labels), ids);
    for number in groups.iter().flat_map(Groups::numbers) {
        hash.update(number.to_le_bytes());
    }
    hexadecimal(&hash.finalize())
}

pub(super) fn of_set_with_partial(features: &FeatureSet, rows: &PartialRows) -> String {
    let mut hash = Sha256::new_with_prefix(VERSION);
    set(&mut hash, features);
    partial(&mut hash, rows);
    hexadecimal(&hash.finalize())
}

pub(super) fn of_unlabelled_file(file: &UnlabelledFile) -> String {
    let mut hash = Sha256::new_with_prefix(VERSION_UNLABELLED);
    strings(&mut hash, file.splits.iter().map(|split| split.name.as_str()));
    for split in &file.splits {
        inputs(&mut hash, split.features.inputs(), None);
        file.partial_of(&split.name).into_iter().for_each(|rows| partial(&mut hash, rows));
    }
    hexadecimal(&hash.finalize())
}

pub(super) fn of_unlabelled(samples: &Unlabelled) -> String {
    let mut hash = Sha256::new_with_prefix(VERSION_UNLABELLED);
    inputs(&mut hash, samples.inputs(), None);
    hexadecimal(&hash.finalize())
}

fn set(hash: &mut Sha256, features: &FeatureSet) {
    inputs(hash, features.inputs(), Some(&features.labels));
    // Nothing is added where there are none, so that hashes stay what they were.
    for number in features.groups.iter().flat_map(Groups::numbers) {
        hash.update(number.to_le_bytes());
    }
}

/// Adds the rows that lack a modality. Nothing at all stands for none.
fn partial(hash: &mut Sha256, rows: &PartialRows) {
    for (name, only) in ["only x1", "only x2"].into_iter().zip(&rows.only) {
        text(hash, name);
        matrix(hash, &only.x);
        length(hash, only.labels.len());
        for label in &only.labels {
            hash.update(label.to_le_bytes());
        }
        for (id, place) in only.ids.iter().zip(&only.places) {
            text(hash, &id);
            length(hash, *place);
        }
        for number in only.groups.iter().flat_map(Groups::numbers) {
            hash.update(number.to_le_bytes());
        }
    }
}

fn inputs(hash: &mut Sha256, inputs: Inputs<'_>, labels: Option<&[u32]>) {
    for modality in [inputs.x1, inputs.x2] {
        matrix(hash, modality);
    }
    labels_and_ids(hash, labels, inputs.ids);
    // Nothing at all stands for no logits, so that data without them keep the hash they had before there were any.
    for (name, logits) in LOGITS.into_iter().zip(inputs.logits) {
        if let Some(logits) = logits {
            text(hash, name);
            matrix(hash, logits);
        }
    }
}

fn labels_and_ids(hash: &mut Sha256, labels: Option<&[u32]>, ids: &SampleIds) {
    if let Some(labels) = labels {
        length(hash, labels.len());
        for label in labels {
            hash.update(label.to_le_bytes());
        }
    }
    length(hash, ids.len());
    for id in ids.iter() {
        text(hash, &id);
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
