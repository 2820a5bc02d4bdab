//! Generative heads: a mixture over features whose components each hold a distribution over classes.
//!
//! `p(x, y) = sum_k w_k p(x|k) p(y|k)`, so `p(y|x) = sum_k p(k|x) p(y|k)`. With one component a class, fixed by the
//! labels, this is discriminant analysis in closed form: linear with one shrunk covariance for all, quadratic with a
//! covariance a class, shrunk towards the common one (Friedman 1989). With free components of one covariance, expectation
//! maximisation over features and labels together finds clusters that share a label in ways no linear rule can express (an
//! exclusive or, say). Components are normal, or Student's where tails are heavy.

use std::borrow::Cow;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use lsmi_core::random::ChaCha8Rng;

use crate::densities::mixture::{
    BLOCK, Covariance, Evidence, Fit, Lanes, Limits, Mixture, Pass, STARTS, Shape, Start, fit,
};
use crate::densities::points::{Points, single};
use crate::error::Result;
use crate::heads::rows::Rows;
use crate::numbers::simd_math::{ln, vectorised};

const LIMITS: Limits = Limits { starts: STARTS, rounds: 200, tolerance: 1e-5 };
/// The weight, in rows, of the overall class frequencies that each component starts from.
const PRIOR_ROWS: f64 = 1.0;

/// A mixture with a distribution over classes in each component.
#[derive(Debug, Clone)]
pub(crate) struct GenerativeHead {
    mixture: Mixture,
    /// `p(y|k)`, `[K, classes]`, row-major.
    class_probabilities: Vec<f64>,
}

impl GenerativeHead {
    /// Creates a head from its mixture and `p(y|k)`, `[K, classes]`, row-major.
    pub(crate) fn new(mixture: Mixture, class_probabilities: Vec<f64>) -> Self {
        Self { mixture, class_probabilities }
    }

    /// Returns the mixture over features.
    pub(crate) fn mixture(&self) -> &Mixture {
        &self.mixture
    }

    /// Returns `p(y|k)`, `[K, classes]`, row-major.
    pub(crate) fn class_probabilities(&self) -> &[f64] {
        &self.class_probabilities
    }

    /// Fits discriminant analysis: one component for each class; linear with a tied covariance, quadratic with full
    /// ones.
    pub(in crate::heads) fn discriminant(rows: &Rows<'_>, covariance: Covariance) -> Result<Self> {
        let start = Start::Given { components: rows.classes, assignment: rows.labels };
        Self::ascend(rows, covariance.into(), start, &Labels::new(rows.labels, rows.classes))
    }

    /// Fits linear discriminant analysis with heavy tails, by expectation maximisation from the normal one.
    pub(in crate::heads) fn heavy_tailed(rows: &Rows<'_>, freedom: f64) -> Result<Self> {
        let Self { mixture, class_probabilities } = Self::discriminant(rows, Covariance::Tied)?;
        Self { mixture: mixture.with_freedom(Some(freedom))?, class_probabilities }.continued(rows)
    }

    /// Fits a mixture of `components` free components of one covariance: Student's with `freedom` degrees of freedom,
    /// or normal.
    pub(in crate::heads) fn clustered(
        rows: &Rows<'_>,
        components: usize,
        freedom: Option<f64>,
        random: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let start = Start::Clusters { components, random };
        let shape = Shape { covariance: Covariance::Tied, freedom };
        Self::ascend(rows, shape, start, &Labels::new(rows.labels, rows.classes))
    }

    /// Returns the head fitted on, to more rows than it was fitted to.
    pub(in crate::heads) fn continued(self, rows: &Rows<'_>) -> Result<Self> {
        let mut evidence = Labels::new(rows.labels, rows.classes);
        evidence.set_probabilities(self.class_probabilities);
        let shape = self.mixture.shape();
        Self::ascend(rows, shape, Start::From(self.mixture), &evidence)
    }

    fn ascend(rows: &Rows<'_>, shape: Shape, start: Start<'_>, evidence: &Labels<'_>) -> Result<Self> {
        let Fit { mixture, evidence } = fit(rows.sample, shape, start, evidence, LIMITS)?;
        Ok(Self { mixture, class_probabilities: evidence.probabilities })
    }

    /// Returns `log p(y|x)` of every class: `[n, classes]`, row-major.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub(crate) fn log_posteriors(&self, rows: &Points) -> Result<Vec<f64>> {
        let components = self.mixture.components();
        let classes = self.class_probabilities.len() / components;
        let probabilities = single(&self.class_probabilities);
        let probabilities = MatRef::from_row_major_slice(&probabilities, components, classes);
        let (mut posteriors, mut logarithms) = (vec![[0.0f32; BLOCK]; classes], vec![[0.0; BLOCK]; classes]);
        let mut all = Vec::with_capacity(rows.rows() * classes);
        let mut pass = Pass::new(&self.mixture, rows)?;
        while let Some(range) = pass.next() {
            pass.normalise();
            matmul(
                MatMut::from_row_major_slice_mut(posteriors.as_flattened_mut(), classes, BLOCK),
                Accum::Replace,
                probabilities.transpose(),
                MatRef::from_row_major_slice(pass.responsibilities.as_flattened(), components, BLOCK),
                1.0,
                Par::Seq,
            );
            // Every p(y|k) is positive and responsibilities sum to one, so no logarithm is of zero.
            vectorised(
                #[inline(always)]
                || {
                    for (logarithms, posteriors) in logarithms.iter_mut().zip(&posteriors) {
                        for lane in 0..BLOCK {
                            logarithms[lane] = ln(f64::from(posteriors[lane]));
                        }
                    }
                },
            );
            for lane in 0..range.len() {
                all.extend(logarithms.iter().map(|of_class| of_class[lane]));
            }
        }
        Ok(all)
    }
}

/// Labels as evidence on a row's component.
#[derive(Clone)]
struct Labels<'a> {
    of_rows: Cow<'a, [u32]>,
    frequencies: Vec<f64>,
    /// `p(y|k)`, `[K, classes]`.
    probabilities: Vec<f64>,
    log_probabilities: Vec<f64>,
    /// Rows of each label in each component since the last maximisation, `[K, classes]`.
    counts: Vec<f64>,
}

impl<'a> Labels<'a> {
    fn new(labels: &'a [u32], classes: usize) -> Self {
        let mut frequencies = vec![0.0; classes];
        for label in labels {
            frequencies[*label as usize] += 1.0 / labels.len() as f64;
        }
        Self {
            of_rows: Cow::Borrowed(labels),
            frequencies,
            probabilities: Vec::new(),
            log_probabilities: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Sets `p(y|k)`, `[K, classes]`, row-major.
    fn set_probabilities(&mut self, probabilities: Vec<f64>) {
        self.log_probabilities = probabilities.iter().map(|probability| probability.ln()).collect();
        self.probabilities = probabilities;
    }
}

impl Evidence for Labels<'_> {
    fn add_log_likelihoods(&self, start: usize, joint: &mut [Lanes<f64>]) {
        let labels = &self.of_rows[start..];
        let components = joint.iter_mut().zip(self.log_probabilities.chunks_exact(self.frequencies.len()));
        for (joint, log_probabilities) in components {
            for (value, label) in joint.iter_mut().zip(labels) {
                *value += log_probabilities[*label as usize];
            }
        }
    }

    fn observe(&mut self, start: usize, responsibilities: &[Lanes<f32>]) {
        let (labels, classes) = (&self.of_rows[start..], self.frequencies.len());
        self.counts.resize(responsibilities.len() * classes, 0.0);
        let components = responsibilities.iter().zip(self.counts.chunks_exact_mut(classes));
        for (responsibilities, counts) in components {
            for (responsibility, label) in responsibilities.iter().zip(labels) {
                counts[*label as usize] += f64::from(*responsibility);
            }
        }
    }

    fn maximize(&mut self, components: usize) {
        let prior = self.frequencies.iter().map(|frequency| PRIOR_ROWS * frequency);
        let mut counts: Vec<f64> = prior.cycle().take(components * self.frequencies.len()).collect();
        for (count, seen) in counts.iter_mut().zip(std::mem::take(&mut self.counts)) {
            *count += seen;
        }
        for component in counts.chunks_exact_mut(self.frequencies.len()) {
            let total: f64 = component.iter().sum();
            for count in component {
                *count /= total;
            }
        }
        self.set_probabilities(counts);
    }

    fn of_rows(&self, rows: &[usize]) -> Self {
        Self { of_rows: rows.iter().map(|row| self.of_rows[*row]).collect(), ..self.clone() }
    }

    fn having_learned(&self, from: Self) -> Self {
        Self { of_rows: self.of_rows.clone(), ..from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::mixture::Sample;
    use crate::heads::calibration::log_loss;
    use candle_core::Device;
    use lsmi_core::families::{FamilyName, Settings as FamilySettings};
    use lsmi_core::random::stream;

    fn joint(name: FamilyName, rows: usize, seed: u64) -> (Sample, Vec<u32>, Vec<f64>) {
        let family = name.build(&FamilySettings { dims: 4, classes: 3, ..Default::default() }).unwrap();
        let draw = family.sample(rows, &mut stream(seed, "draw"));
        let terms = family.terms(&draw).unwrap();
        let values = draw
            .x1
            .chunks_exact(4)
            .zip(draw.x2.chunks_exact(4))
            .flat_map(|(x1, x2)| single(&[x1, x2].concat()))
            .collect();
        (Sample::new(values, 8, &Device::Cpu).unwrap(), draw.labels, terms.i12)
    }

    #[test]
    fn free_components_learn_an_exclusive_or() {
        let (sample, labels, _) = joint(FamilyName::Xor, 1000, 0);
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let clustered = GenerativeHead::clustered(&rows, 4, None, &mut stream(0, "head")).unwrap();
        let discriminant = GenerativeHead::discriminant(&rows, Covariance::Tied).unwrap();
        let (fresh, labels, exact) = joint(FamilyName::Xor, 1000, 1);
        let loss = |head: &GenerativeHead| log_loss(&head.log_posteriors(&fresh.points).unwrap(), &labels);
        let truth = 2.0f64.ln() - exact.iter().sum::<f64>() / 1000.0;
        assert!(loss(&clustered) < truth + 0.02, "{} against {truth}", loss(&clustered));
        assert!(loss(&discriminant) > 0.6, "no line separates an exclusive or");
    }

    #[test]
    fn discriminant_analysis_is_exact_for_normal_classes() {
        let (sample, labels, _) = joint(FamilyName::Gauss, 3000, 0);
        let rows = Rows { sample: &sample, labels: &labels, classes: 3 };
        let head = GenerativeHead::discriminant(&rows, Covariance::Tied).unwrap();
        let (fresh, labels, exact) = joint(FamilyName::Gauss, 3000, 1);
        let posteriors = head.log_posteriors(&fresh.points).unwrap();
        // Responsibilities are f32.
        assert!(
            posteriors.chunks_exact(3).all(|row| (row.iter().map(|value| value.exp()).sum::<f64>() - 1.0).abs() < 1e-6)
        );
        // About 30 parameters from 3,000 rows cost 30 / 6,000 = .005 nats.
        let truth = 3.0f64.ln() - exact.iter().sum::<f64>() / 3000.0;
        assert!((log_loss(&posteriors, &labels) - truth).abs() < 0.02);
    }
}
