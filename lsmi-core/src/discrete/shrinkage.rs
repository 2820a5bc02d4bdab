//! Shrinkage of estimated probabilities towards independence, by the method of James and Stein.
//!
//! ```text
//! p = λ t + (1 - λ) f,   f the shares of the samples, t the product of the shares of every variable's states
//! λ = sum of (Var f - Cov(t, f)) / sum of (t - f)²,   between 0 and 1
//! ```
//!
//! over all combinations of the states that occur. λ is where the expected squared error is least, with estimates in the
//! place of the unknown variances: of n samples, `Var f = f (1 - f) / (n - 1)` and, t being a product of shares m of the
//! variables v, to first order `Cov(t, f) = f / (n - 1) * sum over v of (1 - m_v) * (product of the other m)`.
//!
//! Hausser and Strimmer, "Entropy Inference and the James-Stein Estimator" (Journal of Machine Learning Research 10, 2009),
//! shrink towards the uniform distribution. The product keeps what is well known, the shares of the single variables, and
//! is where nothing tells anything about anything; that it is estimated itself is what the covariance is for (Schäfer and
//! Strimmer, "A Shrinkage Approach to Large-Scale Covariance Matrix Estimation", 2005, equation 7).

use super::{
    counts::Counts,
    error::{Result, check_cells},
    joint::Joint,
    outcome::Outcome,
};

/// The largest number of combinations of states.
const MOST_CELLS: u128 = 10_000_000;

/// A distribution drawn towards independence.
#[derive(Debug, Clone)]
pub struct Shrunken<const SOURCES: usize = 2> {
    /// The distribution, over all combinations of states that occur.
    pub joint: Joint<SOURCES>,
    /// The intensity λ: 0 leaves the shares of the samples as they are, 1 leaves independence alone.
    pub intensity: f64,
}

impl<const SOURCES: usize> Counts<SOURCES> {
    /// Returns the distribution of the samples, drawn towards independence as the module says.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyCells`](super::Error::TooManyCells) if there are more than ten million combinations of states.
    pub fn shrunken(&self) -> Result<Shrunken<SOURCES>> {
        let bytes = size_of::<Outcome<SOURCES>>() + size_of::<f64>();
        check_cells("shrinkage", self.states().combinations(), bytes, MOST_CELLS)?;
        let joint = self.joint();
        let shares = Shares::new(&joint);
        let intensity = intensity(&joint, &shares, self.total());
        if intensity == 0.0 {
            return Ok(Shrunken { joint, intensity });
        }
        let mut outcomes = Vec::new();
        let mut probabilities = Vec::new();
        let mut seen = joint.outcomes().iter().zip(joint.probabilities()).peekable();
        let mut outcome = Outcome { sources: [0; SOURCES], target: 0 };
        loop {
            let target = shares.product(&outcome);
            let share = seen.next_if(|(next, _)| **next == outcome).map_or(0.0, |(_, share)| *share);
            let probability = intensity * target + (1.0 - intensity) * share;
            // States that the table names but no sample has come with resamples.
            if probability > 0.0 {
                outcomes.push(outcome);
                probabilities.push(probability);
            }
            if !shares.advance(&mut outcome) {
                break;
            }
        }
        Ok(Shrunken { joint: Joint::new(self.shared_states(), outcomes, probabilities), intensity })
    }
}

/// The shares of the states of every variable.
struct Shares<const SOURCES: usize> {
    sources: [Vec<f64>; SOURCES],
    target: Vec<f64>,
}

impl<const SOURCES: usize> Shares<SOURCES> {
    fn new(joint: &Joint<SOURCES>) -> Self {
        let mut sources = joint.states().sources.each_ref().map(|names| vec![0.0; names.len()]);
        let mut target = vec![0.0; joint.states().target.len()];
        for (outcome, probability) in joint.outcomes().iter().zip(joint.probabilities()) {
            for (shares, state) in sources.iter_mut().zip(outcome.sources) {
                shares[state as usize] += probability;
            }
            target[outcome.target as usize] += probability;
        }
        Self { sources, target }
    }

    fn of(&self, outcome: &Outcome<SOURCES>) -> impl Iterator<Item = f64> {
        let source_shares = self.sources.iter().zip(outcome.sources).map(|(shares, state)| shares[state as usize]);
        source_shares.chain([self.target[outcome.target as usize]])
    }

    fn product(&self, outcome: &Outcome<SOURCES>) -> f64 {
        self.of(outcome).product()
    }

    /// Advances to the next combination of states in order; returns false after the last one.
    fn advance(&self, outcome: &mut Outcome<SOURCES>) -> bool {
        let states = outcome.sources.iter_mut().chain([&mut outcome.target]);
        let sizes = self.sources.iter().chain([&self.target]).map(Vec::len);
        for (state, size) in states.rev().zip(sizes.rev()) {
            *state += 1;
            if (*state as usize) < size {
                return true;
            }
            *state = 0;
        }
        false
    }
}

/// Returns the intensity λ, see the [module](super).
fn intensity<const SOURCES: usize>(joint: &Joint<SOURCES>, shares: &Shares<SOURCES>, samples: u64) -> f64 {
    let (mut variance, mut distance) = (0.0, 0.0);
    for (outcome, share) in joint.outcomes().iter().zip(joint.probabilities()) {
        let product = shares.product(outcome);
        // m_v is positive, since the outcome was seen.
        let covariance: f64 = shares.of(outcome).map(|state_share| (1.0 - state_share) * product / state_share).sum();
        variance += share * (1.0 - share - covariance);
        distance += share * (share - 2.0 * product);
    }
    let squares = |shares: &Vec<f64>| shares.iter().map(|share| share * share).sum::<f64>();
    distance += shares.sources.iter().chain([&shares.target]).map(squares).product::<f64>();
    if distance <= 0.0 {
        // The samples are as independent as can be: there is nothing to shrink.
        return 0.0;
    }
    (variance / (samples as f64 - 1.0) / distance).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intensity_is_that_of_all_combinations_one_by_one() {
        let seen = [(["a", "x"], "0", 7), (["a", "y"], "1", 2), (["b", "x"], "1", 3), (["b", "z"], "0", 4)];
        let counts = Counts::from_counts(seen).unwrap();
        let n = counts.total() as f64;
        let (x1, x2, y) = ([9.0 / n, 7.0 / n], [10.0 / n, 2.0 / n, 4.0 / n], [11.0 / n, 5.0 / n]);
        let f = |a: usize, b: usize, c: usize| match (a, b, c) {
            (0, 0, 0) => 7.0 / n,
            (0, 1, 1) => 2.0 / n,
            (1, 0, 1) => 3.0 / n,
            (1, 2, 0) => 4.0 / n,
            _ => 0.0,
        };
        let (mut above, mut below) = (0.0, 0.0);
        for (a, m1) in x1.iter().enumerate() {
            for (b, m2) in x2.iter().enumerate() {
                for (c, m3) in y.iter().enumerate() {
                    let (f, t) = (f(a, b, c), m1 * m2 * m3);
                    let covariance = f * ((1.0 - m1) * m2 * m3 + (1.0 - m2) * m1 * m3 + (1.0 - m3) * m1 * m2);
                    above += (f * (1.0 - f) - covariance) / (n - 1.0);
                    below += (t - f).powi(2);
                }
            }
        }
        let shrunken = counts.shrunken().unwrap();
        let lambda = above / below;
        assert!(lambda > 0.05 && lambda < 0.5);
        assert!((shrunken.intensity - lambda).abs() < 1e-12);
        assert_eq!(shrunken.joint.outcomes().len(), 12);
        for (outcome, probability) in shrunken.joint.outcomes().iter().zip(shrunken.joint.probabilities()) {
            let [a, b] = outcome.sources.map(|state| state as usize);
            let c = outcome.target as usize;
            let expected = lambda * x1[a] * x2[b] * y[c] + (1.0 - lambda) * f(a, b, c);
            assert!((probability - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn many_samples_are_believed_and_independent_ones_are_not() {
        let seen = |times: u64| {
            let counts = [(["0", "0"], "0", 3 * times), (["0", "1"], "1", times), (["1", "1"], "1", 2 * times)];
            Counts::from_counts(counts).unwrap().shrunken().unwrap().intensity
        };
        assert!(seen(1) > 0.1 && seen(10) < 0.1 && seen(1_000_000) < 1e-5);
        let names = ["0", "1"];
        let independent = (0..8)
            .map(|k: usize| ([names[k & 1], names[k >> 1 & 1]], names[k >> 2], 5 + u64::from(k.count_ones() % 2)));
        assert!(Counts::from_counts(independent).unwrap().shrunken().unwrap().intensity > 0.99);
    }
}
