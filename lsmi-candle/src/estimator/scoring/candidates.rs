//! Scores rows without labels: the terms of every label that a row could have, and their expectation.
//!
//! Of an unlabelled row the joint head knows how probable each label is. The expectation of an interaction is
//! `E[r] = sum_y p(y|x1,x2) r(y)` with `r(y)` the redundancy that the row would have with label y; of u1, u2 and s alike, so
//! that r + u1 = i1 and the like hold for the expectations too.

use lsmi_core::{ClassPrior, Decomposition, Interaction, SampleIds, Terms};

use super::model_inputs::ModelInputs;
use super::predict::{Predictions, most_probable, rows_at_a_time};
use super::score::{check_finite, filled_up};
use crate::error::Result;
use crate::estimator::Estimator;
use crate::estimator::checks::check_inputs;
use crate::features::Unlabelled;

/// The terms of every candidate label of rows, in the order of the rows, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// The ids of the rows.
    pub ids: SampleIds,
    /// The surprisals of x1 and x2, `[n]`.
    pub surprisals: [Vec<f64>; 2],
    /// The pointwise information of x1, x2 and both about each candidate label, `[n, classes]`, row-major.
    pub information: [Vec<f64>; 3],
    /// The posterior probability of each candidate label under the joint head, `[n, classes]`, row-major.
    pub probabilities: Vec<f64>,
    /// The class that each head finds most probable: x1, x2, both joined.
    pub predictions: [Vec<u32>; 3],
    /// Number of classes.
    pub classes: usize,
}

/// Expected terms and interactions of unlabelled rows under the joint head, in nats.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// h1 and h2, which need no label, and the expectations of i1, i2 and i12.
    pub terms: Terms,
    /// The expectations of r, u1, u2 and s.
    pub decomposition: Decomposition,
}

impl Estimator {
    /// Returns the terms of every candidate label of unlabelled rows.
    ///
    /// # Errors
    /// As [`Estimator::score`].
    pub fn candidates(&self, rows: &Unlabelled) -> Result<Candidates> {
        check_inputs(&rows.inputs(), rows.rows())?;
        self.check_columns(&rows.inputs())?;
        self.candidates_by(rows, None)
    }

    /// Computes the terms of every candidate label by all folds together or, if `assignments` has the folds of each
    /// repeat, of each row by its own folds.
    pub(in crate::estimator) fn candidates_by(
        &self,
        rows: &Unlabelled,
        assignments: Option<&[Vec<u32>]>,
    ) -> Result<Candidates> {
        let mut found = Candidates {
            ids: rows.ids.clone(),
            surprisals: Default::default(),
            information: Default::default(),
            probabilities: Vec::new(),
            predictions: Default::default(),
            classes: self.classes().len(),
        };
        let step = rows_at_a_time(self.classes().len());
        for start in (0..rows.rows()).step_by(step) {
            let range = start..rows.rows().min(start + step);
            let indices = if assignments.is_some() { range.clone().collect() } else { filled_up(range.clone()) };
            let part = rows.select(&indices);
            let inputs = ModelInputs::new(&self.gauge, &part.inputs(), self.description.given_heads);
            let repeats = self.repeats.iter().enumerate().map(|(repeat, folds)| {
                let assignment = assignments.map(|assignments| &assignments[repeat][range.clone()]);
                self.predict(folds, &inputs, assignment)
            });
            let predictions = Predictions::mean(repeats.collect::<Result<Vec<_>>>()?);
            found.extend(self.prior.log_probabilities(), &predictions, range.len());
        }
        let ([h1, h2], [i1, i2, i12]) = (&found.surprisals, &found.information);
        check_finite(&found.ids, 1, &[("h1", h1), ("h2", h2)])?;
        check_finite(&found.ids, found.classes, &[("i1", i1), ("i2", i2), ("i12", i12)])?;
        Ok(found)
    }

    /// Returns the expectation of terms and interactions over candidate labels, by the estimator's measure.
    ///
    /// # Errors
    /// An error of terms that do not fit together, which those of [`Estimator::candidates`] always do.
    pub fn expect(&self, candidates: &Candidates) -> Result<Expected> {
        let rows = candidates.ids.len();
        let zeros = || vec![0.0; rows];
        let mut terms = [zeros(), zeros(), zeros()];
        let mut parts = [zeros(), zeros(), zeros(), zeros()];
        for class in 0..candidates.classes {
            let of_class = self.decompose_candidate(candidates, class)?;
            let of_terms = [&of_class.0.i1, &of_class.0.i2, &of_class.0.i12];
            let of_parts = Interaction::ALL.map(|part| of_class.1.values(part));
            for row in 0..rows {
                let probability = candidates.probabilities[row * candidates.classes + class];
                for (sum, values) in terms.iter_mut().zip(of_terms) {
                    sum[row] += probability * values[row];
                }
                for (sum, values) in parts.iter_mut().zip(of_parts) {
                    sum[row] += probability * values[row];
                }
            }
        }
        let ([h1, h2], [i1, i2, i12], [r, u1, u2, s]) = (candidates.surprisals.clone(), terms, parts);
        let ids = candidates.ids.clone();
        Ok(Expected {
            terms: Terms::new(ids.clone(), h1, h2, i1, i2, i12)?,
            decomposition: Decomposition { ids, r, u1, u2, s },
        })
    }

    /// Returns the terms and interactions that rows have if their label is `class`.
    ///
    /// # Errors
    /// An error of terms that do not fit together, which those of [`Estimator::candidates`] always do.
    ///
    /// # Panics
    /// If there is no such class.
    pub fn decompose_candidate(&self, candidates: &Candidates, class: usize) -> Result<(Terms, Decomposition)> {
        assert!(class < candidates.classes, "class {class} of {}", candidates.classes);
        let of_class =
            |values: &Vec<f64>| values.iter().skip(class).step_by(candidates.classes).copied().collect::<Vec<_>>();
        let [i1, i2, i12] = candidates.information.each_ref().map(of_class);
        let [h1, h2] = candidates.surprisals.clone();
        let terms = Terms::new(candidates.ids.clone(), h1, h2, i1, i2, i12)?;
        #[expect(clippy::cast_possible_truncation, reason = "labels are 32 bits wide, so there are no more classes")]
        let labels = vec![class as u32; terms.len()];
        let parts = self.measure().decompose_with(&terms, &labels, self.reference());
        Ok((terms, parts))
    }
}

impl Candidates {
    /// Returns `log p(y|.)` of every class under head 0 (x1), 1 (x2) or 2 (both), `[n, classes]`, row-major; `prior` is
    /// the one that the information is relative to.
    ///
    /// # Panics
    /// If there is no such head.
    pub fn log_posteriors(&self, head: usize, prior: &ClassPrior) -> Vec<f64> {
        let log_prior = prior.log_probabilities().iter().cycle();
        self.information[head].iter().zip(log_prior).map(|(information, prior)| information + prior).collect()
    }

    /// Appends the terms of the first `count` rows.
    fn extend(&mut self, log_prior: &[f64], rows: &Predictions, count: usize) {
        for (surprisals, density) in self.surprisals.iter_mut().zip(&rows.log_densities) {
            surprisals.extend(density[..count].iter().map(|value| -value));
        }
        for (head, posteriors) in rows.log_posteriors.iter().enumerate() {
            let posteriors = &posteriors[..count * self.classes];
            let prior = log_prior.iter().cycle();
            self.information[head].extend(posteriors.iter().zip(prior).map(|(posterior, prior)| posterior - prior));
            self.predictions[head].extend(posteriors.chunks_exact(self.classes).map(most_probable));
        }
        self.probabilities.extend(rows.log_posteriors[2][..count * self.classes].iter().map(|value| value.exp()));
    }
}
