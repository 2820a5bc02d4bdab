//! Generative heads: a mixture over features whose components each hold a distribution over classes.
//!
//! `p(x, y) = sum_k w_k p(x|k) p(y|k)`, so `p(y|x) = sum_k p(k|x) p(y|k)`. With one component a class, fixed by the
//! labels, this is discriminant analysis in closed form: linear with one shrunk covariance for all, quadratic with a
//! covariance a class, shrunk towards the common one (Friedman 1989). With free components of one covariance, expectation
//! maximisation over features and labels together finds clusters that share a label in ways no linear rule can express (an
//! exclusive or, say). Components are normal, or Student's where tails are heavy.

use candle_core::Tensor;
use lsmi_core::random::ChaCha8Rng;
use lsmi_core::statistics::log_sum_exp;

use super::rows::Rows;
use crate::error::Result;
use crate::mixture::{Covariance, Evidence, Fit, Mixture, Settings, Shape, Start, fit};

const SETTINGS: Settings = Settings { rounds: 200, tolerance: 1e-5 };
/// Rows with the overall class frequencies that each component is taken to have seen before the data.
const PRIOR_ROWS: f64 = 1.0;

/// A mixture with a distribution over classes in each component.
#[derive(Debug, Clone)]
pub struct GenerativeHead {
    mixture: Mixture,
    /// `p(y|k)`, `[K, classes]`, row-major.
    class_probabilities: Vec<f64>,
}

impl GenerativeHead {
    /// A head from its mixture and `p(y|k)`, `[K, classes]`, row-major.
    pub fn new(mixture: Mixture, class_probabilities: Vec<f64>) -> Self {
        Self { mixture, class_probabilities }
    }

    /// The mixture over features.
    pub fn mixture(&self) -> &Mixture {
        &self.mixture
    }

    /// `p(y|k)`, `[K, classes]`, row-major.
    pub fn class_probabilities(&self) -> &[f64] {
        &self.class_probabilities
    }

    /// Discriminant analysis: one component a class; linear with a tied covariance, quadratic with full ones.
    pub(super) fn discriminant(rows: &Rows<'_>, covariance: Covariance) -> Result<Self> {
        let mut responsibilities = vec![0.0; rows.labels.len() * rows.classes];
        for (row, label) in responsibilities.chunks_exact_mut(rows.classes).zip(rows.labels) {
            row[*label as usize] = 1.0;
        }
        let start = Start::Given { components: rows.classes, responsibilities };
        Self::ascend(rows, covariance.into(), start, &Labels::new(rows.labels, rows.classes))
    }

    /// Linear discriminant analysis with heavy tails: expectation maximisation from the normal one.
    pub(super) fn heavy_tailed(rows: &Rows<'_>, freedom: f64) -> Result<Self> {
        let Self { mixture, class_probabilities } = Self::discriminant(rows, Covariance::Tied)?;
        Self { mixture: mixture.with_freedom(Some(freedom))?, class_probabilities }.continued(rows)
    }

    /// A mixture of `components` free components of one covariance: Student's with so many degrees of freedom, or normal.
    pub(super) fn clustered(
        rows: &Rows<'_>,
        components: usize,
        freedom: Option<f64>,
        random: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let start = Start::Clusters { components, random };
        let shape = Shape { covariance: Covariance::Tied, freedom };
        Self::ascend(rows, shape, start, &Labels::new(rows.labels, rows.classes))
    }

    /// The head fitted on, to more rows than it was fitted to.
    pub(super) fn continued(self, rows: &Rows<'_>) -> Result<Self> {
        let mut evidence = Labels::new(rows.labels, rows.classes);
        evidence.set_probabilities(self.class_probabilities);
        let shape = self.mixture.shape();
        Self::ascend(rows, shape, Start::From(self.mixture), &evidence)
    }

    fn ascend(rows: &Rows<'_>, shape: Shape, start: Start<'_>, evidence: &Labels<'_>) -> Result<Self> {
        let Fit { mixture, evidence } = fit(rows.sample, shape, start, evidence, SETTINGS)?;
        Ok(Self { mixture, class_probabilities: evidence.probabilities })
    }

    /// `log p(y|x)` of every class: `[n, classes]`, row-major, from rows `[n, d]`.
    ///
    /// # Errors
    /// A candle error where the rows have other dimensions or the device fails.
    pub fn log_posteriors(&self, rows: &Tensor) -> Result<Vec<f64>> {
        let components = self.mixture.components();
        let classes = self.class_probabilities.len() / components;
        let joint = self.mixture.log_joint(rows)?;
        let mut posteriors = vec![0.0; joint.len() / components * classes];
        for (joint, posterior) in joint.chunks_exact(components).zip(posteriors.chunks_exact_mut(classes)) {
            let normaliser = log_sum_exp(joint);
            for (value, probabilities) in joint.iter().zip(self.class_probabilities.chunks_exact(classes)) {
                let responsibility = (value - normaliser).exp();
                for (sum, probability) in posterior.iter_mut().zip(probabilities) {
                    *sum += responsibility * probability;
                }
            }
            // Every p(y|k) is positive and responsibilities sum to one, so no logarithm is of zero.
            for value in posterior {
                *value = value.ln();
            }
        }
        Ok(posteriors)
    }
}

/// Labels as evidence on a row's component.
#[derive(Clone)]
struct Labels<'a> {
    of_rows: &'a [u32],
    frequencies: Vec<f64>,
    probabilities: Vec<f64>,
    log_probabilities: Vec<f64>,
}

impl<'a> Labels<'a> {
    fn new(labels: &'a [u32], classes: usize) -> Self {
        let mut frequencies = vec![0.0; classes];
        for label in labels {
            frequencies[*label as usize] += 1.0 / labels.len() as f64;
        }
        Self { of_rows: labels, frequencies, probabilities: Vec::new(), log_probabilities: Vec::new() }
    }

    /// Sets `p(y|k)`, `[K, classes]`, row-major.
    fn set_probabilities(&mut self, probabilities: Vec<f64>) {
        self.log_probabilities = probabilities.iter().map(|probability| probability.ln()).collect();
        self.probabilities = probabilities;
    }
}

impl Evidence for Labels<'_> {
    fn maximize(&mut self, responsibilities: &[f64], components: usize) {
        let classes = self.frequencies.len();
        let prior = self.frequencies.iter().map(|frequency| PRIOR_ROWS * frequency);
        let mut counts: Vec<f64> = prior.cycle().take(components * classes).collect();
        for (row, label) in responsibilities.chunks_exact(components).zip(self.of_rows) {
            for (component, responsibility) in row.iter().enumerate() {
                counts[component * classes + *label as usize] += responsibility;
            }
        }
        for component in counts.chunks_exact_mut(classes) {
            let total: f64 = component.iter().sum();
            for count in component {
                *count /= total;
            }
        }
        self.set_probabilities(counts);
    }

    fn log_likelihood(&self, row: usize, component: usize) -> f64 {
        self.log_probabilities[component * self.frequencies.len() + self.of_rows[row] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::calibration::log_loss;
    use crate::mixture::Sample;
    use candle_core::Device;
    use lsmi_core::families::{FamilyName, Settings as FamilySettings};
    use lsmi_core::random::stream;

    fn joint(name: FamilyName, rows: usize, seed: u64) -> (Sample, Vec<u32>, Vec<f64>) {
        let family = name.build(&FamilySettings { dims: 4, classes: 3, ..Default::default() }).unwrap();
        let draw = family.sample(rows, &mut stream(seed, "draw"));
        let terms = family.terms(&draw).unwrap();
        let values =
            draw.x1.chunks_exact(4).zip(draw.x2.chunks_exact(4)).flat_map(|(x1, x2)| [x1, x2].concat()).collect();
        (Sample::new(values, 8, &Device::Cpu).unwrap(), draw.labels, terms.i12)
    }

    #[test]
    fn free_components_learn_an_exclusive_or() {
        let (sample, labels, _) = joint(FamilyName::Xor, 1000, 0);
        let rows = Rows { sample: &sample, labels: &labels, classes: 2 };
        let clustered = GenerativeHead::clustered(&rows, 4, None, &mut stream(0, "head")).unwrap();
        let discriminant = GenerativeHead::discriminant(&rows, Covariance::Tied).unwrap();
        let (fresh, labels, exact) = joint(FamilyName::Xor, 1000, 1);
        let loss = |head: &GenerativeHead| log_loss(&head.log_posteriors(&fresh.tensor).unwrap(), &labels);
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
        let posteriors = head.log_posteriors(&fresh.tensor).unwrap();
        assert!(
            posteriors.chunks_exact(3).all(|row| (row.iter().map(|value| value.exp()).sum::<f64>() - 1.0).abs() < 1e-9)
        );
        // About 30 parameters from 3,000 rows cost 30 / 6,000 = .005 nats.
        let truth = 3.0f64.ln() - exact.iter().sum::<f64>() / 3000.0;
        assert!((log_loss(&posteriors, &labels) - truth).abs() < 0.02);
    }
}
