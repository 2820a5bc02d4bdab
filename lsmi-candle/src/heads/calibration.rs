//! Calibration of heads on held-out rows: a factor for a head's evidence.
//!
//! A head's evidence for a class is `log p(y|x) - log p(y)`, its pointwise information. Calibration scales it by one
//! factor found on held-out rows, `p_b(y|x) = p(y) exp(b evidence) / Z`: temperature scaling (Guo et al. 2017) around the
//! class frequencies instead of the uniform distribution, so that a head that learned nothing (b = 0) gives exactly no
//! information. As the held-out rows are few and several heads compete on them, the factor is shrunk (positive-part
//! shrinkage, James, Stein 1961) by what chance gains, for which the price of a parameter is taken, log n for twice the gain
//! in log likelihood (Schwarz 1978), and no less than what chance gains in a hundredth of the cases: a head must be seen to
//! know something before it is believed to. A floor then mixes in the class frequencies with the weight of a single row: a
//! head that saw no mistake among n rows is not certain that there are none (Laplace's rule of succession).
//!
//! Where rows belong together, four copies of a row are no four rows: the gain is divided by the design effect, the variance of
//! the sum of the rows' scores by groups over that by rows (Rao, Scott 1984), and the price is that of as many fewer rows. As
//! that effect is known from few groups only, the gain is no more than the score test of groups has.

use std::collections::BTreeMap;

use crate::densities::mixture::{BLOCK, Lanes};
use crate::numbers::simd_math::{exp, ln, vectorised};

/// The largest factor considered.
const LARGEST: f64 = std::f64::consts::E;
/// The expected deviation of the logarithm of a factor above 1 before any row is seen: where rows are too few or too
/// well separated to determine the factor, evidence is not inflated.
const DEVIATION: f64 = 0.5;
/// The 99 % quantile of chi-square with one degree of freedom, which chance gains exceed in a hundredth of the cases.
const LEAST_CHANCE: f64 = 6.635;
/// Steps at most that close in on the best factor.
const STEPS: usize = 60;
/// The step of the factor below which it counts as none.
const NEGLIGIBLE: f64 = 1e-9;

/// The calibration of one head.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    /// Logarithms of the class frequencies of the rows that the head was fitted to.
    pub(crate) log_frequencies: Vec<f64>,
    /// The factor of the evidence.
    pub(crate) factor: f64,
    /// The weight of the class frequencies in the mixture.
    pub(crate) floor: f64,
}

/// The labels of held-out rows.
#[derive(Clone, Copy)]
pub(crate) struct HeldOutLabels<'a> {
    pub(crate) labels: &'a [u32],
    /// The group of each row, where rows belong together.
    pub(crate) groups: Option<&'a [u32]>,
}

impl Calibration {
    /// Finds the factor that minimises the log loss of held-out rows, from their log posteriors `[n, classes]` and labels.
    pub(crate) fn fit(
        log_frequencies: &[f64],
        posteriors: &[f64],
        HeldOutLabels { labels, groups }: HeldOutLabels<'_>,
        rows_of_the_fit: usize,
    ) -> Self {
        let floor = 1.0 / (rows_of_the_fit as f64 + 2.0);
        let held_out = HeldOut::new(log_frequencies, posteriors, labels);
        let best = held_out.best_factor();
        let gained = 2.0 * (held_out.loss(0.0).value - held_out.loss(best).value);
        let (statistic, independent) = match groups {
            None => (gained, labels.len() as f64),
            Some(groups) => {
                let GroupedScores { effect, test } = GroupedScores::new(log_frequencies, posteriors, labels, groups);
                ((gained / effect).min(test), labels.len() as f64 / effect)
            }
        };
        let chance = independent.ln().max(LEAST_CHANCE);
        let factor = if statistic > chance { best * (1.0 - chance / statistic) } else { 0.0 };
        Self { log_frequencies: log_frequencies.to_vec(), factor, floor }
    }

    /// Calibrates log posteriors `[n, classes]` in place.
    pub(crate) fn apply(&self, posteriors: &mut [f64]) {
        let keep = 1.0 - self.floor;
        let floors: Vec<f64> = self.log_frequencies.iter().map(|frequency| self.floor * frequency.exp()).collect();
        let mut shares = vec![0.0; self.log_frequencies.len()];
        vectorised(
            #[inline(always)]
            || {
                for row in posteriors.chunks_exact_mut(self.log_frequencies.len()) {
                    let mut largest = f64::NEG_INFINITY;
                    for (value, frequency) in row.iter_mut().zip(&self.log_frequencies) {
                        *value = frequency + self.factor * (*value - frequency);
                        largest = largest.max(*value);
                    }
                    let mut sum = 0.0;
                    for (share, value) in shares.iter_mut().zip(&*row) {
                        #[expect(clippy::cast_possible_truncation, reason = "posteriors are products of f32")]
                        {
                            *share = f64::from(exp((value - largest) as f32));
                        }
                        sum += *share;
                    }
                    for ((value, share), floor) in row.iter_mut().zip(&shares).zip(&floors) {
                        *value = ln(keep * share / sum + floor);
                    }
                }
            },
        );
    }
}

/// The scores of rows in groups.
///
/// The score of a row is the derivative of its log likelihood by the factor, at 0: the evidence for its label less the mean
/// evidence under the class frequencies.
struct GroupedScores {
    /// The variance of the sum of scores relative to that of independent rows; at least 1.
    effect: f64,
    /// The square of the sum of scores over the sum of the squares of the groups' sums: about 1 if nothing is known.
    test: f64,
}

impl GroupedScores {
    fn new(log_frequencies: &[f64], posteriors: &[f64], labels: &[u32], groups: &[u32]) -> Self {
        let mut group_sums: BTreeMap<u32, f64> = BTreeMap::new();
        let mut row_sum = 0.0;
        let rows = posteriors.chunks_exact(log_frequencies.len()).zip(labels).zip(groups);
        for ((posteriors, label), group) in rows {
            let evidence = |class: usize| posteriors[class] - log_frequencies[class];
            let mean: f64 =
                (0..log_frequencies.len()).map(|class| log_frequencies[class].exp() * evidence(class)).sum();
            let score = evidence(*label as usize) - mean;
            row_sum += score * score;
            *group_sums.entry(*group).or_insert(0.0) += score;
        }
        let sum: f64 = group_sums.values().sum();
        let by_groups: f64 = group_sums.values().map(|score| score * score).sum();
        if row_sum > 0.0 && by_groups > 0.0 {
            Self { effect: (by_groups / row_sum).clamp(1.0, labels.len() as f64), test: sum * sum / by_groups }
        } else {
            Self { effect: 1.0, test: 0.0 }
        }
    }
}

/// Held-out rows as functions of the factor.
struct HeldOut<'a> {
    log_frequencies: &'a [f64],
    labels: &'a [u32],
    /// `log p(y|x) - log p(y)` of every class, in blocks of `[classes][BLOCK]`.
    evidence: Vec<Lanes<f64>>,
}

/// The sum of log losses and penalty at a factor, with its derivatives.
struct Loss {
    value: f64,
    slope: f64,
    curvature: f64,
}

impl<'a> HeldOut<'a> {
    fn new(log_frequencies: &'a [f64], posteriors: &[f64], labels: &'a [u32]) -> Self {
        let classes = log_frequencies.len();
        let mut evidence = vec![[0.0; BLOCK]; labels.len().div_ceil(BLOCK) * classes];
        for (row, posteriors) in posteriors.chunks_exact(classes).enumerate() {
            let block = &mut evidence[row / BLOCK * classes..];
            for (class, (posterior, frequency)) in posteriors.iter().zip(log_frequencies).enumerate() {
                block[class][row % BLOCK] = posterior - frequency;
            }
        }
        Self { log_frequencies, labels, evidence }
    }

    /// Finds the best factor by Newton's steps, or halved intervals if those leave them: the log loss is convex in the
    /// factor and so is the penalty up to e.
    fn best_factor(&self) -> f64 {
        let (mut low, mut high, mut factor) = (0.0, LARGEST, 1.0);
        for _ in 0..STEPS {
            let Loss { slope, curvature, .. } = self.loss(factor);
            if slope > 0.0 {
                high = factor;
            } else {
                low = factor;
            }
            let newton = factor - slope / curvature;
            let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
            if (next - factor).abs() < NEGLIGIBLE {
                return next;
            }
            factor = next;
        }
        factor
    }

    fn loss(&self, factor: f64) -> Loss {
        let mut loss = Loss { value: 0.0, slope: 0.0, curvature: 0.0 };
        if factor > 1.0 {
            let (log, scale) = (factor.ln(), DEVIATION * DEVIATION);
            loss.value = 0.5 * log * log / scale;
            loss.slope = log / (factor * scale);
            loss.curvature = (1.0 - log) / (factor * factor * scale);
        }
        let classes = self.log_frequencies.len();
        for (evidence, labels) in self.evidence.chunks_exact(classes).zip(self.labels.chunks(BLOCK)) {
            self.add_block(evidence, labels, factor, &mut loss);
        }
        loss
    }

    fn add_block(&self, evidence: &[Lanes<f64>], labels: &[u32], factor: f64, loss: &mut Loss) {
        let mut largest = [f64::NEG_INFINITY; BLOCK];
        let (mut sums, mut first, mut second) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; BLOCK]);
        vectorised(
            #[inline(always)]
            || {
                let classes = || evidence.iter().zip(self.log_frequencies);
                for (evidence, frequency) in classes() {
                    for lane in 0..BLOCK {
                        let value = frequency + factor * evidence[lane];
                        largest[lane] = if value > largest[lane] { value } else { largest[lane] };
                    }
                }
                for (evidence, frequency) in classes() {
                    for lane in 0..BLOCK {
                        let value = frequency + factor * evidence[lane];
                        #[expect(clippy::cast_possible_truncation, reason = "posteriors are products of f32")]
                        let share = f64::from(exp((value - largest[lane]) as f32));
                        sums[lane] += share;
                        first[lane] += share * evidence[lane];
                        second[lane] += share * evidence[lane] * evidence[lane];
                    }
                }
            },
        );
        for (lane, label) in labels.iter().enumerate() {
            let of_label = evidence[*label as usize][lane];
            let mean = first[lane] / sums[lane];
            loss.value += largest[lane] + sums[lane].ln() - self.log_frequencies[*label as usize] - factor * of_label;
            loss.slope += mean - of_label;
            loss.curvature += (second[lane] / sums[lane] - mean * mean).max(0.0);
        }
    }
}

/// Returns the mean negative log posterior of the labels, in nats, from log posteriors `[n, classes]`.
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

    fn alone(labels: &[u32]) -> HeldOutLabels<'_> {
        HeldOutLabels { labels, groups: None }
    }

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
            let calibration = Calibration::fit(&[0.5f64.ln(); 2], &posteriors, alone(&labels), 1000);
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
            .map(|(labels, posteriors)| Calibration::fit(&[0.5f64.ln(); 2], posteriors, alone(labels), 1000).factor);
        let believed = factors.filter(|factor| *factor > 0.0).count();
        // A factor above 0 gains by chance in every second of the hundred sets, by more than log 200 / 2 nats in one.
        assert!(believed <= 5, "{believed}");
    }

    #[test]
    fn copies_of_a_row_do_not_make_a_head_believed() {
        // 50 rows of a head that knows nothing, each eight times.
        let (posteriors, labels) = rows(20_000, 0.0);
        let groups: Vec<u32> = (0..400).map(|row| row / 8).collect();
        let factors = labels.chunks(50).zip(posteriors.chunks(100)).map(|(labels, posteriors)| {
            let labels: Vec<u32> = labels.iter().flat_map(|label| [*label; 8]).collect();
            let posteriors: Vec<f64> = posteriors.chunks_exact(2).flat_map(|row| row.repeat(8)).collect();
            let fit = |groups| {
                let of = HeldOutLabels { labels: &labels, groups };
                Calibration::fit(&[0.5f64.ln(); 2], &posteriors, of, 1000).factor
            };
            [fit(None), fit(Some(groups.as_slice()))]
        });
        let factors: Vec<[f64; 2]> = factors.collect();
        let believed = |index: usize| factors.iter().filter(|factors| factors[index] > 0.0).count();
        // Of 400 sets: 50 rows leave a factor above 0 by chance in 2 to 5 %, 400 that are taken for rows in more than 15 %.
        assert!(believed(0) > 60 && believed(1) <= 20, "{} {}", believed(0), believed(1));
    }

    #[test]
    fn separated_rows_do_not_inflate_the_evidence_without_bound() {
        let posteriors: Vec<f64> = (0..200).flat_map(|_| [0.999f64.ln(), 0.001f64.ln()]).collect();
        let calibration = Calibration::fit(&[0.5f64.ln(); 2], &posteriors, alone(&[0; 200]), 1000);
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
