//! One estimation: heads and densities fitted anew to what is remembered, and the terms of every sample seen.
//!
//! The terms of a sample come from heads and densities fitted to the other [folds](super::folds). Heads are those of [`CalibratedHead::quick`]: in closed form, so that nothing of one epoch
//! enters the next. Densities go on from where they were the epoch before ([`Knife::refit`]), or start anew where
//! other columns vary than then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Device;
use lsmi_candle::EstimatorError;
use lsmi_candle::densities::gauge::Standardizer;
use lsmi_candle::densities::knife::{Knife, KnownParams, Params};
use lsmi_candle::densities::points::Points;
use lsmi_candle::estimator::folds::LabelledRows;
use lsmi_candle::heads::CalibratedHead;
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::Terms;

use super::memory::{Memory, Seen, Table};
use super::{OneModalityTerms, Settings};
use crate::decide::interactions::Interactions;
use crate::error::{GuideError, Result};

/// What modalities are called.
const MODALITIES: [&str; 2] = ["x1", "x2"];
/// Fewest samples of a class outside of one fold: one to fit to and one to calibrate by.
const LEAST: usize = 2;

/// What goes on from one estimation to the next: the densities of each fold, with the columns that they are over.
#[derive(Default)]
pub(super) struct Densities {
    pub(super) columns: [Vec<usize>; 2],
    /// `[folds][2]`
    pub(super) of_folds: Vec<[Knife; 2]>,
}

/// Rows in the coordinates that models take, row-major.
struct Standardised {
    double: Vec<f64>,
    single: Vec<f32>,
    columns: usize,
}

impl Standardised {
    fn new(values: Vec<f64>, columns: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "models are f32 by design")]
        let single = values.iter().map(|value| *value as f32).collect();
        Self { double: values, single, columns }
    }

    fn single(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter().flat_map(|row| &self.single[row * self.columns..][..self.columns]).copied().collect()
    }

    fn double(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().flat_map(|row| &self.double[row * self.columns..][..self.columns]).copied().collect()
    }
}

/// Samples that have a modality, or both.
struct Rows {
    places: Vec<usize>,
    labels: Vec<u32>,
    folds: Vec<usize>,
    groups: Option<Vec<u32>>,
}

impl Rows {
    fn new(memory: &Memory, fold_of: &[usize], rows: Vec<usize>) -> Self {
        Self {
            labels: rows.iter().map(|row| memory.labels[*row]).collect(),
            folds: rows.iter().map(|row| fold_of[*row]).collect(),
            groups: memory.groups.as_ref().map(|groups| rows.iter().map(|row| groups[*row]).collect()),
            places: rows,
        }
    }

    /// Returns the places of those inside a fold and of the others.
    fn divided(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.places.len()).partition(|row| self.folds[*row] == fold)
    }
}

/// Estimates the interactions of all samples seen, and the terms of those that lack a modality; none if `stop` was set
/// meanwhile.
///
/// Samples that lack a modality come after those that have both: head and density of the other one are fitted to them too.
pub(super) fn estimate(
    memory: &Memory,
    fold_of: &[usize],
    settings: &Settings,
    densities: &mut Densities,
    stop: &AtomicBool,
) -> Result<Option<(Interactions, [OneModalityTerms; 2])>> {
    let both = Rows::new(memory, fold_of, memory.rows(Seen::Both));
    let having = [0, 1].map(|modality| {
        let rows = [both.places.clone(), memory.rows(Seen::Only(modality))].concat();
        Rows::new(memory, fold_of, rows)
    });
    check_classes(&both.labels, &both.folds, settings.folds, memory.prior.classes())?;

    let mut kept: [Vec<usize>; 2] = Default::default();
    let mut inputs = Vec::new();
    for (index, table) in memory.tables.iter().enumerate() {
        let rows = &having.get(index).unwrap_or(&both).places;
        let (standardised, columns) = standardise(table, rows, MODALITIES.get(index).copied().unwrap_or("logits"))?;
        if let Some(kept) = kept.get_mut(index) {
            *kept = columns;
        }
        inputs.push(standardised);
    }
    if inputs.len() == 2 {
        inputs.push(join(&inputs[0], &inputs[1], both.places.len()));
    }
    if densities.columns != kept {
        *densities = Densities { columns: kept, of_folds: Vec::new() };
    }

    let of_inputs = [&having[0], &having[1], &both];
    let mut surprisals = having.each_ref().map(|of| vec![0.0; of.places.len()]);
    let mut informations = of_inputs.map(|of| vec![0.0; of.places.len()]);
    for fold in 0..settings.folds {
        for ((input, information), of) in inputs.iter().zip(&mut informations).zip(of_inputs) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let (held, others) = of.divided(fold);
            let of_others: Vec<u32> = others.iter().map(|row| of.labels[*row]).collect();
            let groups = of.groups.as_ref().map(|groups| others.iter().map(|row| groups[*row]).collect::<Vec<u32>>());
            let classes = memory.prior.classes();
            let labelled = LabelledRows { labels: &of_others, classes, groups: groups.as_deref() };
            let head = CalibratedHead::quick(&input.single(&others), input.columns, &labelled, settings.seed)?;
            let points = Points::new(input.single(&held), input.columns, &Device::Cpu)?;
            for (row, posteriors) in held.iter().zip(head.log_posteriors(&points)?.chunks_exact(classes)) {
                let label = of.labels[*row] as usize;
                information[*row] = posteriors[label] - memory.prior.log_probability(label);
            }
        }
        let divided = having.each_ref().map(|of| of.divided(fold));
        let others = divided.each_ref().map(|(_, others)| others.as_slice());
        let fitted = fit_densities(&inputs, others, densities.of_folds.get(fold), settings)?;
        for (((density, input), surprisal), (held, _)) in fitted.iter().zip(&inputs).zip(&mut surprisals).zip(&divided)
        {
            let of_held = density.surprisal(&input.double(held), input.columns)?;
            for (row, value) in held.iter().zip(of_held) {
                surprisal[*row] = value;
            }
        }
        match densities.of_folds.get_mut(fold) {
            Some(before) => *before = fitted,
            None => densities.of_folds.push(fitted),
        }
    }

    let (n, ids) = (both.places.len(), memory.lookup.ids());
    let partial = [0, 1].map(|modality| OneModalityTerms {
        ids: ids.select(&having[modality].places[n..]),
        surprisal: surprisals[modality].split_off(n),
        information: informations[modality].split_off(n),
    });
    let ([h1, h2], [i1, i2, i12]) = (surprisals, informations);
    let terms = Terms::new(ids.select(&both.places), h1, h2, i1, i2, i12)?;
    let interactions = if n == memory.lookup.len() {
        Interactions::by(Arc::clone(&memory.lookup), terms, both.labels, memory.prior.clone())?
    } else {
        Interactions::new(terms, both.labels, memory.prior.clone())?
    };
    let interactions = match &memory.confidence {
        Some(confidence) => interactions.with_confidence(both.places.iter().map(|row| confidence[*row]).collect())?,
        None => interactions,
    };
    Ok(Some((interactions, partial)))
}

fn fit_densities(
    inputs: &[Standardised],
    rows: [&[usize]; 2],
    before: Option<&[Knife; 2]>,
    settings: &Settings,
) -> Result<[Knife; 2]> {
    let fit = |modality: usize| {
        let input = &inputs[modality];
        let values = input.double(rows[modality]);
        if let Some(before) = before {
            return before[modality].refit(&values, input.columns, settings.rounds);
        }
        let usual = KnownParams::new(settings.kernels, settings.covariance);
        let params = Params::Known(KnownParams { starts: 1, rounds: settings.rounds, ..usual });
        Knife::fit(&values, input.columns, &params, settings.seed, &Device::Cpu)
    };
    Ok([fit(0)?, fit(1)?])
}

/// Checks that every class can be fitted and calibrated outside of each fold.
fn check_classes(labels: &[u32], folds: &[usize], count: usize, classes: usize) -> Result<()> {
    let mut inside = vec![vec![0; classes]; count];
    let mut all = vec![0; classes];
    for (label, fold) in labels.iter().zip(folds) {
        inside[*fold][*label as usize] += 1;
        all[*label as usize] += 1;
    }
    for (class, total) in all.iter().enumerate() {
        let found = inside.iter().map(|inside| total - inside[class]).min().unwrap_or(0);
        if found < LEAST {
            return Err(GuideError::FewSamples { class, found, least: LEAST });
        }
    }
    Ok(())
}

/// The rows of a table at mean 0 and variance 1, and the columns that vary.
fn standardise(table: &Table, rows: &[usize], name: &'static str) -> Result<(Standardised, Vec<usize>)> {
    let values = rows.iter().flat_map(|row| table.row(*row)).copied().map(f64::from).collect();
    #[expect(clippy::expect_used, reason = "every row of a table has its width")]
    let matrix = Matrix::new(rows.len(), table.width, values).expect("rows of one width");
    let standardizer = Standardizer::fit(&matrix, name).map_err(EstimatorError::from)?;
    let columns = standardizer.kept().to_vec();
    Ok((Standardised::new(standardizer.apply(&matrix), columns.len()), columns))
}

/// Puts the columns of both modalities of the first rows side by side.
fn join(first: &Standardised, second: &Standardised, rows: usize) -> Standardised {
    let all = first.double.chunks_exact(first.columns).zip(second.double.chunks_exact(second.columns));
    let values = all.take(rows).flat_map(|(first, second)| first.iter().chain(second)).copied().collect();
    Standardised::new(values, first.columns + second.columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_too_rare_is_named() {
        let error = check_classes(&[0, 0, 0, 0, 1, 1], &[0, 1, 0, 1, 0, 1], 2, 2).unwrap_err();
        assert!(matches!(error, GuideError::FewSamples { class: 1, found: 1, least: 2 }), "{error}");
    }
}
