//! Files of candidates: for samples without labels, one row a sample and label that it could have, in nats.
//!
//! The rows of a sample follow each other in the order of the classes. Weighted with `probability` they sum to the
//! sample's row in the file of samples.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write;

use crate::estimator::Estimator;
use serde::Serialize;

use super::ExpectedSplit;
use super::{Format, FormatError};

/// One row: a sample, if its label were `label`.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Candidate<'a> {
    /// The id of the sample.
    id: Cow<'a, str>,
    /// The split it belongs to.
    split: &'a str,
    /// The name of the class.
    label: &'a str,
    /// p(y|x1,x2) by the joint head.
    probability: f64,
    /// Pointwise mutual information of x1 with the label.
    i1: f64,
    /// Pointwise mutual information of x2 with the label.
    i2: f64,
    /// Pointwise mutual information of both together with the label.
    i12: f64,
    /// Redundancy.
    r: f64,
    /// Uniqueness of x1.
    u1: f64,
    /// Uniqueness of x2.
    u2: f64,
    /// Synergy.
    s: f64,
}

/// Writes the candidates of all splits; csv begins with a header.
///
/// # Errors
/// What the output gives; [`FormatError::NotOfCandidates`] for Parquet.
pub fn write(
    output: &mut impl Write,
    format: Format,
    estimator: &Estimator,
    splits: &[ExpectedSplit],
) -> Result<(), Box<dyn Error + Send + Sync>> {
    match format {
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(output);
            each(estimator, splits, |candidate| Ok(writer.serialize(candidate)?))?;
            writer.flush()?;
            Ok(())
        }
        Format::Jsonl => each(estimator, splits, |candidate| {
            serde_json::to_writer(&mut *output, &candidate)?;
            Ok(output.write_all(b"\n")?)
        }),
        Format::Parquet => Err(FormatError::NotOfCandidates { found: format }.into()),
    }
}

fn each(
    estimator: &Estimator,
    splits: &[ExpectedSplit],
    mut write: impl FnMut(Candidate<'_>) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let labels = estimator.classes().names();
    for ExpectedSplit { name, candidates, .. } in splits {
        let parts = (0..labels.len())
            .map(|class| estimator.decompose_candidate(candidates, class))
            .collect::<Result<Vec<_>, _>>()?;
        for (row, id) in candidates.ids.iter().enumerate() {
            for (class, (terms, parts)) in parts.iter().enumerate() {
                write(Candidate {
                    id: id.clone(),
                    split: name,
                    label: &labels[class],
                    probability: candidates.probabilities[row * candidates.classes + class],
                    i1: terms.i1[row],
                    i2: terms.i2[row],
                    i12: terms.i12[row],
                    r: parts.r[row],
                    u1: parts.u1[row],
                    u2: parts.u2[row],
                    s: parts.s[row],
                })?;
            }
        }
    }
    Ok(())
}
