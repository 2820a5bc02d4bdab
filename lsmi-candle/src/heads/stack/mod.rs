//! Combines the posteriors of several heads by weights that unseen rows choose (Wolpert 1992).
//!
//! Two rules compete, the linear pool `p(y|x) = sum_m w_m p_m(y|x)` (Stone 1961) and the log-linear one
//! `p(y|x) = p(y) prod_m (p_m(y|x) / p(y))^b_m / Z` (Genest, Zidek 1986), whose powers need not sum to one, as evidence that
//! is independent adds up; and so does the best single head. Rows that the weights have not seen decide, by cross-fitting, so
//! that a pool is not worse than its best member by more than chance.

mod linear;
mod log_linear;

pub(crate) use self::linear::weights as linear_weights;

use lsmi_core::statistics::log_sum_exp;

/// The rule by which heads are combined.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Combination {
    /// Posteriors are averaged by these weights, above 0 with sum 1.
    Linear(Vec<f64>),
    /// Evidence, `log p_m(y|x) - log p(y)`, is added up, multiplied by these powers, above 0.
    LogLinear(Vec<f64>),
}

/// A fitted combination.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stack {
    /// The rule, with a number for each member; without members only the class frequencies are known.
    pub combination: Combination,
    /// Logarithms of the class frequencies of the rows that were fitted to.
    pub(crate) log_frequencies: Vec<f64>,
    /// The weight of the class frequencies in the mixture with a log-linear pool: that of a single row, so that no
    /// probability is 0 (Laplace's rule of succession).
    pub(crate) floor: f64,
}

/// Fits a combination to rows.
type Rule<'a> = &'a dyn Fn(&[usize]) -> Combination;

/// Posteriors of unseen rows under one head: `[n, classes]`, row-major.
pub(super) type Posteriors<'a> = &'a [f64];

impl Stack {
    /// Creates a stack that knows the class frequencies only.
    pub(super) fn from_frequencies(log_frequencies: &[f64]) -> Self {
        Self { combination: Combination::Linear(Vec::new()), log_frequencies: log_frequencies.to_vec(), floor: 0.0 }
    }

    /// Chooses and fits the combination from the posteriors of unseen rows. `blocks` has the part of each row: rules
    /// are judged on parts that their weights have not seen. The floor is computed from `rows_of_the_fit`.
    ///
    /// A member that is of no use has the weight 0.
    pub(super) fn fit(
        members: &[Posteriors<'_>],
        labels: &[u32],
        blocks: &[u32],
        log_frequencies: &[f64],
        rows_of_the_fit: usize,
    ) -> Self {
        let floor = 1.0 / (rows_of_the_fit as f64 + 2.0);
        let with = |combination| Self { combination, log_frequencies: log_frequencies.to_vec(), floor };
        if members.is_empty() {
            return Self::from_frequencies(log_frequencies);
        }
        let label_posteriors: Vec<Vec<f64>> = members.iter().map(|member| label_posteriors(member, labels)).collect();
        let sums: Vec<f64> = label_posteriors.iter().map(|values| values.iter().sum()).collect();
        let best = (0..sums.len()).fold(0, |best, next| if sums[next] > sums[best] { next } else { best });
        let alone: Vec<f64> = (0..members.len()).map(|member| f64::from(u8::from(member == best))).collect();
        if members.len() == 1 {
            return with(Combination::Linear(alone));
        }
        let rules: [Rule<'_>; 2] = [
            &|rows| {
                let chosen: Vec<Vec<f64>> =
                    label_posteriors.iter().map(|values| rows.iter().map(|row| values[*row]).collect()).collect();
                Combination::Linear(linear::weights(&chosen.iter().map(Vec::as_slice).collect::<Vec<_>>()))
            },
            &|rows| Combination::LogLinear(log_linear::powers(members, labels, rows, log_frequencies)),
        ];
        let all: Vec<usize> = (0..labels.len()).collect();
        // The loss of the best head alone.
        let mut chosen = (sums[best], Combination::Linear(alone));
        for rule in rules {
            let mut sum = 0.0;
            let parts = blocks.iter().copied().max().unwrap_or(0) + 1;
            for part in 0..parts {
                let (seen, unseen): (Vec<usize>, Vec<usize>) = all.iter().partition(|row| blocks[**row] != part);
                if unseen.is_empty() {
                    continue;
                }
                let rows = if seen.is_empty() { &unseen } else { &seen };
                sum += with(rule(rows)).sum_of_labels(members, labels, &unseen);
            }
            if sum > chosen.0 {
                chosen = (sum, rule(&all));
            }
        }
        with(chosen.1)
    }

    /// Returns combined log posteriors of `rows` rows, `[n, classes]`, row-major.
    pub(super) fn combine(&self, members: &[Posteriors<'_>], rows: usize) -> Vec<f64> {
        let mut combined = Vec::with_capacity(rows * self.log_frequencies.len());
        let mut joint = vec![0.0; self.log_frequencies.len()];
        let mut values = vec![0.0; members.len()];
        for row in 0..rows {
            self.combine_row(members, row, &mut joint, &mut values);
            combined.extend_from_slice(&joint);
        }
        combined
    }

    /// Returns the sum of the log posteriors of the labels of the given rows.
    fn sum_of_labels(&self, members: &[Posteriors<'_>], labels: &[u32], rows: &[usize]) -> f64 {
        let (mut joint, mut values) = (vec![0.0; self.log_frequencies.len()], vec![0.0; members.len()]);
        let of_row = |row: &usize| {
            self.combine_row(members, *row, &mut joint, &mut values);
            joint[labels[*row] as usize]
        };
        rows.iter().map(of_row).sum()
    }

    fn combine_row(&self, members: &[Posteriors<'_>], row: usize, joint: &mut [f64], values: &mut [f64]) {
        let classes = joint.len();
        match &self.combination {
            Combination::Linear(weights) if weights.is_empty() => joint.copy_from_slice(&self.log_frequencies),
            Combination::Linear(weights) => {
                for (class, joint) in joint.iter_mut().enumerate() {
                    for ((value, member), weight) in values.iter_mut().zip(members).zip(weights) {
                        *value =
                            if *weight > 0.0 { member[row * classes + class] + weight.ln() } else { f64::NEG_INFINITY };
                    }
                    *joint = log_sum_exp(values);
                }
            }
            Combination::LogLinear(powers) => {
                joint.copy_from_slice(&self.log_frequencies);
                for (member, power) in members.iter().zip(powers) {
                    let evidence = member[row * classes..][..classes].iter().zip(&self.log_frequencies);
                    for (joint, (posterior, frequency)) in joint.iter_mut().zip(evidence) {
                        *joint += power * (posterior - frequency);
                    }
                }
                let normaliser = log_sum_exp(joint);
                for (joint, frequency) in joint.iter_mut().zip(&self.log_frequencies) {
                    *joint = ((1.0 - self.floor) * (*joint - normaliser).exp() + self.floor * frequency.exp()).ln();
                }
            }
        }
    }

    /// Returns the members that have a say, with a stack for them alone.
    pub(super) fn pruned(self) -> (Vec<usize>, Self) {
        let keep = |numbers: Vec<f64>| -> (Vec<usize>, Vec<f64>) {
            numbers.into_iter().enumerate().filter(|(_, number)| *number > 0.0).unzip()
        };
        let (kept, combination) = match self.combination {
            Combination::Linear(weights) => {
                let (kept, weights) = keep(weights);
                (kept, Combination::Linear(weights))
            }
            Combination::LogLinear(powers) => {
                let (kept, powers) = keep(powers);
                (kept, Combination::LogLinear(powers))
            }
        };
        (kept, Self { combination, ..self })
    }
}

/// Returns the log posterior of each row's label.
pub(super) fn label_posteriors(posteriors: Posteriors<'_>, labels: &[u32]) -> Vec<f64> {
    let classes = posteriors.len() / labels.len().max(1);
    labels.iter().zip(posteriors.chunks_exact(classes.max(1))).map(|(label, row)| row[*label as usize]).collect()
}
