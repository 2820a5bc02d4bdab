//! Calibration: how far a head's evidence can be believed.
//!
//! A head's evidence for a class is `log p(y|x) - log p(y)`, its pointwise information. Calibration scales it by one
//! factor found on held-out rows, `p_b(y|x) = p(y) exp(b evidence) / Z`: temperature scaling (Guo et al. 2017) around the
//! class frequencies instead of the uniform distribution, so that a head that learned nothing (b = 0) gives exactly no
//! information. As the held-out rows are few and several heads compete on them, the factor is shrunk (positive-part
//! shrinkage, James, Stein 1961) by what chance gains, for which the price of a parameter is taken, log n for twice the gain
//! in log likelihood (Schwarz 1978): a head must be seen to know something before it is believed to. A floor then mixes in
//! the class frequencies with the weight of a single row: a head that saw no mistake among n rows is not certain that there
//! are none (Laplace's rule of succession).

use lsmi_core::statistics::log_sum_exp;

/// The largest factor considered.
const LARGEST: f64 = std::f64::consts::E;
/// The deviation of the logarithm of a factor above 1 that is expected before any row is seen: where rows are too few or
/// too well separated to tell, evidence is not inflated.
const DEVIATION: f64 = 0.5;
/// Halvings of the interval that holds the best factor.
const STEPS: usize = 60;

/// The calibration of one head.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Logarithms of the class frequencies of the rows that the head was fitted to.
    pub(crate) log_frequencies: Vec<f64>,
    /// The factor of the evidence.
    pub(crate) factor: f64,
    /// The weight of the class frequencies in the mixture.
    pub(crate) floor: f64,
}

impl Calibration {
    /// Finds the factor that minimises the log loss of held-out rows, from their log posteriors `[n, classes]` and labels.
    pub(crate) fn fit(log_frequencies: &[f64], posteriors: &[f64], labels: &[u32], rows_of_the_fit: usize) -> Self {
        let floor = 1.0 / (rows_of_the_fit as f64 + 2.0);
        let at = |factor| Self { log_frequencies: log_frequencies.to_vec(), factor, floor };
        let objective = |factor: f64| {
            let mut calibrated = posteriors.to_vec();
            at(factor).scale(&mut calibrated);
            let penalty = if factor > 1.0 { 0.5 * (factor.ln() / DEVIATION).powi(2) } else { 0.0 };
            log_loss(&calibrated, labels) * labels.len() as f64 + penalty
        };
        // The log loss is convex in the factor and so is the penalty up to e, which is where the interval ends: ternary
        // steps close in on the minimum.
        let (mut low, mut high) = (0.0, LARGEST);
        for _ in 0..STEPS {
            let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if objective(left) <= objective(right) { high = right } else { low = left }
        }
        let best = f64::midpoint(low, high);
        let statistic = 2.0 * (objective(0.0) - objective(best));
        let chance = (labels.len() as f64).ln();
        at(if statistic > chance { best * (1.0 - chance / statistic) } else { 0.0 })
    }

    /// Calibrates log posteriors `[n, classes]` in place.
    pub(crate) fn apply(&self, posteriors: &mut [f64]) {
        self.scale(posteriors);
        let (keep, floor) = ((1.0 - self.floor).ln(), self.floor.ln());
        for row in posteriors.chunks_exact_mut(self.log_frequencies.len()) {
            for (value, frequency) in row.iter_mut().zip(&self.log_frequencies) {
                *value = log_sum_exp(&[keep + *value, floor + frequency]);
            }
        }
    }

    fn scale(&self, posteriors: &mut [f64]) {
        for row in posteriors.chunks_exact_mut(self.log_frequencies.len()) {
            for (value, frequency) in row.iter_mut().zip(&self.log_frequencies) {
                *value = frequency + self.factor * (*value - frequency);
            }
            let normaliser = log_sum_exp(row);
            for value in row {
                *value -= normaliser;
            }
        }
    }
}

/// Mean negative log posterior of the labels, in nats, from log posteriors `[n, classes]`.
pub(crate) fn log_loss(posteriors: &[f64], labels: &[u32]) -> f64 {
    let classes = posteriors.len() / labels.len();
    let total: f64 =
        labels.iter().zip(posteriors.chunks_exact(classes)).map(|(label, row)| -row[*label as usize]).sum();
    total / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;
    use rand::Rng;

    /// Two classes, log odds `odds` of the second one in every row, labels drawn from log odds `factor * odds`.
    fn rows(count: usize, factor: f64) -> (Vec<f64>, Vec<u32>) {
        let mut random = stream(0, "calibration");
        let (mut posteriors, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let odds: f64 = random.random_range(-3.0..3.0);
            posteriors.extend([-(1.0 + odds.exp()).ln(), odds - (1.0 + odds.exp()).ln()]);
            let probability = 1.0 / (1.0 + (-factor * odds).exp());
            labels.push(u32::from(random.random::<f64>() < probability));
        }
        (posteriors, labels)
    }

    #[test]
    fn the_factor_of_the_truth_is_recovered() {
        for truth in [0.0, 0.4, 1.0] {
            let (posteriors, labels) = rows(20_000, truth);
            let calibration = Calibration::fit(&[0.5f64.ln(); 2], &posteriors, &labels, 1000);
            // The factor's deviation is about 1 / sqrt(20,000 * mean of odds^2 p (1 - p)) = .01.
            assert!((calibration.factor - truth).abs() < 0.04, "{} for {truth}", calibration.factor);
        }
    }

    #[test]
    fn a_head_that_knows_nothing_is_not_believed() {
        let (posteriors, labels) = rows(20_000, 0.0);
        let factors = labels
            .chunks(200)
            .zip(posteriors.chunks(400))
            .map(|(labels, posteriors)| Calibration::fit(&[0.5f64.ln(); 2], posteriors, labels, 1000).factor);
        let believed = factors.filter(|factor| *factor > 0.0).count();
        // A factor above 0 gains by chance in every second of the hundred sets, by more than log 200 / 2 nats in one.
        assert!(believed <= 5, "{believed}");
    }

    #[test]
    fn separated_rows_do_not_inflate_the_evidence_without_bound() {
        let posteriors: Vec<f64> = (0..200).flat_map(|_| [0.999f64.ln(), 0.001f64.ln()]).collect();
        let calibration = Calibration::fit(&[0.5f64.ln(); 2], &posteriors, &[0; 200], 1000);
        assert!(calibration.factor < 1.5, "{}", calibration.factor);
    }

    #[test]
    fn calibrated_posteriors_are_distributions_with_a_floor() {
        let calibration = Calibration { log_frequencies: vec![0.2f64.ln(), 0.8f64.ln()], factor: 2.0, floor: 0.01 };
        let mut posteriors = vec![-1e-30, -1000.0, 0.5f64.ln(), 0.5f64.ln()];
        calibration.apply(&mut posteriors);
        for row in posteriors.chunks_exact(2) {
            assert!((row[0].exp() + row[1].exp() - 1.0).abs() < 1e-12);
        }
        assert!((posteriors[1].exp() - 0.008).abs() < 1e-12);
    }
}
