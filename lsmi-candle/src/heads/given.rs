//! The user's own models, whose logits take the place of a head.
//!
//! `p(y|x) = softmax(logits / T)`. The temperature T is 1, the models as they are, or fitted on training rows by log loss
//! (Guo, Pleiss, Sun, Weinberger 2017).

use lsmi_core::statistics::log_sum_exp;

use super::calibration::log_loss;

/// Temperatures considered: `exp(-5)` to `exp(5)`.
const LARGEST_LOG: f64 = 5.0;
/// Steps that close in on the best temperature.
const STEPS: usize = 60;

/// Logits given by the user, at a temperature.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GivenHead {
    /// The divisor of the logits, above 0.
    pub(crate) temperature: f64,
}

impl Default for GivenHead {
    fn default() -> Self {
        Self { temperature: 1.0 }
    }
}

impl GivenHead {
    /// Creates the head with the temperature of the lowest log loss of rows with logits `[n, classes]` and labels.
    pub(crate) fn scaled(logits: &[f64], labels: &[u32]) -> Self {
        let at = |log: f64| Self { temperature: log.exp() };
        let (mut low, mut high) = (-LARGEST_LOG, LARGEST_LOG);
        // The loss is convex in 1 / T and so has a single lowest point in its logarithm.
        for _ in 0..STEPS {
            let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
            if at(left).log_loss(logits, labels) <= at(right).log_loss(logits, labels) {
                high = right;
            } else {
                low = left;
            }
        }
        at(f64::midpoint(low, high))
    }

    /// Returns `log p(y|x)` of every class from logits `[n, classes]`, row-major.
    pub(crate) fn log_posteriors(&self, logits: &[f64], classes: usize) -> Vec<f64> {
        let mut posteriors: Vec<f64> = logits.iter().map(|value| value / self.temperature).collect();
        for row in posteriors.chunks_exact_mut(classes) {
            let normaliser = log_sum_exp(row);
            for value in row {
                *value -= normaliser;
            }
        }
        posteriors
    }

    /// Returns the mean negative log posterior of the labels, in nats.
    pub(crate) fn log_loss(&self, logits: &[f64], labels: &[u32]) -> f64 {
        log_loss(&self.log_posteriors(logits, logits.len() / labels.len()), labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;
    use rand::Rng;

    #[test]
    fn logits_as_they_are_are_a_softmax() {
        let posteriors = GivenHead::default().log_posteriors(&[1.0, 1.0, 800.0, 0.0], 2);
        assert!((posteriors[0] - 0.5f64.ln()).abs() < 1e-15);
        assert!(posteriors[2].abs() < 1e-15 && (posteriors[3] + 800.0).abs() < 1e-9);
    }

    #[test]
    fn the_temperature_of_the_truth_is_recovered() {
        let mut random = stream(0, "given head");
        let (mut logits, mut labels) = (Vec::new(), Vec::new());
        for _ in 0..20_000 {
            let odds: f64 = random.random_range(-2.0..2.0);
            labels.push(u32::from(random.random::<f64>() < 1.0 / (1.0 + (-odds).exp())));
            logits.extend([0.0, 3.0 * odds]);
        }
        // The deviation of log T is about 1 / sqrt(20,000 * mean of odds^2 p (1 - p)) = .015.
        let temperature = GivenHead::scaled(&logits, &labels).temperature;
        assert!((temperature.ln() - 3.0f64.ln()).abs() < 0.06, "{temperature}");
    }
}
