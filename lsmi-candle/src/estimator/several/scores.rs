//! Terms and predictions of rows of several modalities, by their sets.

use std::collections::BTreeMap;
use std::ops::Range;

use lsmi_core::{ClassPrior, SampleIds, Subset, SubsetTerms, Terms};

use super::fit::check_several;
use super::{SeveralEstimator, SeveralModels, parts_of, places};
use crate::error::{EstimatorError, Result};
use crate::estimator::Scores;
use crate::estimator::scoring::{ModelInputs, Predictions, TermColumns, check_finite, score_blocks};
use crate::features::{Groups, SeveralSet};

/// The names of the modalities by their place, for errors.
const MODALITIES: [&str; Subset::MOST_MODALITIES] = ["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"];

/// Terms and predictions of rows of several modalities, in the order of the rows; terms in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct SeveralScores {
    /// The ids of the rows.
    pub ids: SampleIds,
    /// The number of modalities.
    pub modalities: usize,
    /// The terms and predictions from the probabilities averaged over all repeats.
    pub columns: SubsetColumns,
    /// The same from each repeat alone; empty if there is one repeat.
    pub repeats: Vec<SubsetColumns>,
    /// The fold that held each row out (in the first repeat), for training rows.
    pub folds: Option<Vec<u32>>,
    /// The number of each row's group, where some belong together.
    pub groups: Option<Vec<u32>>,
    /// The class index of each row.
    pub labels: Vec<u32>,
}

/// What the models of each set of modalities say of rows, `[n]` each.
#[derive(Debug, Clone, PartialEq)]
pub struct SubsetColumns {
    /// The surprisal h, for the sets with a density.
    pub surprisals: BTreeMap<Subset, Vec<f64>>,
    /// The pointwise information i, for the sets with a head, as are all that follow.
    pub informations: BTreeMap<Subset, Vec<f64>>,
    /// The class that the head finds most probable.
    pub predictions: BTreeMap<Subset, Vec<u32>>,
    /// The posterior probability of that class.
    pub confidences: BTreeMap<Subset, Vec<f64>>,
}

impl SeveralScores {
    /// Returns the terms of all sets of modalities.
    ///
    /// # Errors
    /// [`lsmi_core::Error::MissingTerm`] if a set has no head.
    pub fn terms(&self) -> lsmi_core::Result<SubsetTerms> {
        let SubsetColumns { surprisals, informations, .. } = &self.columns;
        SubsetTerms::new(self.ids.clone(), self.modalities, informations.clone(), surprisals.clone())
    }

    /// Iterates over the pairs of modalities: 12, 13, 23 of three.
    pub fn pairs(&self) -> impl Iterator<Item = Subset> + use<> {
        Subset::all(self.modalities).filter(|subset| subset.len() == 2)
    }

    /// Returns the terms and predictions of two modalities, as an estimator of these two would have them.
    ///
    /// # Errors
    /// [`lsmi_core::Error::MissingTerm`] if the subset is no pair of the modalities.
    pub fn pair(&self, pair: Subset) -> lsmi_core::Result<Scores> {
        let SubsetColumns { predictions, confidences, .. } = &self.columns;
        let missing = || lsmi_core::Error::MissingTerm { term: format!("i{pair}") };
        let sets = heads_of_pair(pair).ok_or_else(missing)?;
        Ok(Scores {
            terms: self.columns.pair_terms(&self.ids, pair)?,
            repeats: self
                .repeats
                .iter()
                .map(|columns| columns.pair_terms(&self.ids, pair))
                .collect::<lsmi_core::Result<_>>()?,
            folds: self.folds.clone(),
            groups: self.groups.clone(),
            labels: self.labels.clone(),
            predictions: sets.map(|set| predictions.get(&set).cloned().unwrap_or_default()),
            confidences: sets.map(|set| confidences.get(&set).cloned().unwrap_or_default()),
        })
    }

    /// Returns the share of rows whose class the head of each set finds most probable.
    pub fn accuracy(&self) -> BTreeMap<Subset, f64> {
        let share = |predictions: &Vec<u32>| {
            let right = predictions.iter().zip(&self.labels).filter(|(prediction, label)| prediction == label).count();
            right as f64 / self.labels.len() as f64
        };
        self.columns.predictions.iter().map(|(subset, predictions)| (*subset, share(predictions))).collect()
    }

    /// Returns the mean negative log posterior of the label under the head of each set, in nats.
    pub fn negative_log_likelihood(&self, prior: &ClassPrior) -> BTreeMap<Subset, f64> {
        let mean = |information: &Vec<f64>| {
            let rows = information.iter().zip(&self.labels);
            let losses: Vec<f64> =
                rows.map(|(information, label)| -information - prior.log_probability(*label as usize)).collect();
            lsmi_core::statistics::mean(&losses)
        };
        self.columns.informations.iter().map(|(subset, information)| (*subset, mean(information))).collect()
    }
}

impl SubsetColumns {
    fn new(ids: &SampleIds, models: &SeveralModels, columns: TermColumns) -> Result<Self> {
        let TermColumns { surprisal, information, predictions, confidences } = columns;
        for (term, all) in [("h", &surprisal), ("i", &information)] {
            for values in all {
                check_finite(ids, 1, &[(term, values)])?;
            }
        }
        let heads = || models.heads.keys().copied();
        Ok(Self {
            surprisals: models.densities.keys().copied().zip(surprisal).collect(),
            informations: heads().zip(information).collect(),
            predictions: heads().zip(predictions).collect(),
            confidences: heads().zip(confidences).collect(),
        })
    }

    fn pair_terms(&self, ids: &SampleIds, pair: Subset) -> lsmi_core::Result<Terms> {
        let missing = |term: &str, set: Subset| lsmi_core::Error::MissingTerm { term: format!("{term}{set}") };
        let [one, two, both] = heads_of_pair(pair).ok_or_else(|| missing("i", pair))?;
        let h = |set: Subset| self.surprisals.get(&set).cloned().ok_or_else(|| missing("h", set));
        let i = |set: Subset| self.informations.get(&set).cloned().ok_or_else(|| missing("i", set));
        Terms::new(ids.clone(), h(one)?, h(two)?, i(one)?, i(two)?, i(both)?)
    }
}

/// Returns the sets of each modality of a pair, and of both; `None` if it is no pair.
pub(super) fn heads_of_pair(pair: Subset) -> Option<[Subset; 3]> {
    let members = places(pair);
    let [first, second] = members[..] else { return None };
    let single = |member: usize| Subset::from_members([member]).ok();
    Some([single(first)?, single(second)?, pair])
}

impl SeveralEstimator {
    /// Returns the terms and predictions of new rows, by the models of all folds together.
    ///
    /// # Errors
    /// As [`Estimator::score`](crate::estimator::Estimator::score); modalities are named by their place.
    pub fn score(&self, rows: &SeveralSet) -> Result<SeveralScores> {
        check_several(rows, self.classes().len())?;
        let (expected, found) = (self.modalities(), rows.modalities.len());
        if expected != found {
            let expected = format!("that of the fit, {expected}");
            crate::estimator::checks::wrong("the number of modalities", found.to_string(), expected)?;
        }
        for ((modality, expected), x) in MODALITIES.into_iter().zip(&self.description.dims).zip(&rows.modalities) {
            if *expected != x.columns() {
                return Err(EstimatorError::Dimensions { modality, expected: *expected, found: x.columns() });
            }
        }
        self.score_rows(rows, None)
    }

    /// Scores rows by all folds together or, where `assignments` has the folds of each repeat, each row by its own folds.
    pub(super) fn score_rows(&self, rows: &SeveralSet, assignments: Option<&[Vec<u32>]>) -> Result<SeveralScores> {
        let predict = |indices: &[usize], range: Range<usize>| {
            let inputs = ModelInputs::of_several(&self.gauge, &rows.select(indices).modalities);
            let repeats = self.repeats.iter().enumerate().map(|(repeat, folds)| {
                let assignment = assignments.map(|assignments| &assignments[repeat][range.clone()]);
                Predictions::by_folds(folds, inputs.rows(), assignment, |models, rows| {
                    self.predict_by(models, &inputs, rows)
                })
            });
            repeats.collect()
        };
        let (whole, repeats) = score_blocks(&rows.labels, &self.prior, assignments.is_some(), &predict)?;
        // All folds have models of the same sets.
        let models = &self.repeats[0][0];
        let of_repeats = repeats.into_iter().map(|columns| SubsetColumns::new(&rows.ids, models, columns));
        Ok(SeveralScores {
            ids: rows.ids.clone(),
            modalities: self.modalities(),
            columns: SubsetColumns::new(&rows.ids, models, whole)?,
            repeats: of_repeats.collect::<Result<_>>()?,
            folds: assignments.map(|assignments| assignments[0].clone()),
            groups: rows.groups.as_ref().filter(|groups| !groups.are_single_rows()).map(Groups::numbers),
            labels: rows.labels.clone(),
        })
    }

    fn predict_by(&self, models: &SeveralModels, inputs: &ModelInputs, rows: &[usize]) -> Result<Predictions> {
        let mut log_densities = Vec::with_capacity(models.densities.len());
        for (subset, density) in &models.densities {
            let modalities: Vec<_> = subset.members().map(|member| (member, &self.gauge[member].coordinates)).collect();
            log_densities.push(inputs.log_density(&modalities, density, rows, &self.device)?);
        }
        let mut posteriors: BTreeMap<Subset, Vec<f64>> = BTreeMap::new();
        for (subset, pool) in &models.heads {
            let parts: Vec<&[f64]> =
                parts_of(*subset).iter().map(|part| posteriors.get(part).map_or(&[][..], Vec::as_slice)).collect();
            let found = pool.log_posteriors(&inputs.features(&places(*subset)), rows, &parts, &self.device)?;
            posteriors.insert(*subset, found);
        }
        Ok(Predictions { log_densities, log_posteriors: posteriors.into_values().collect() })
    }
}
