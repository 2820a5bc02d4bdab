//! Pooling: one vector in place of the steps of a sequence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The rule by which the steps of a sequence become one vector.
///
/// No rule looks at labels, at other sequences or at steps beyond a sequence's length, and none has parameters, so that new
/// sequences are pooled as those of the fit were.
///
/// ```
/// use lsmi_candle::features::Pooling;
///
/// // Three steps of two columns.
/// let steps = [1.0, 0.0, 2.0, 0.0, 6.0, 3.0];
/// assert_eq!(Pooling::Mean.pool(&steps, 2), [3.0, 1.0]);
/// assert_eq!(Pooling::Last.pool(&steps, 2), [6.0, 3.0]);
/// assert_eq!(Pooling::Max.pool(&steps, 2), [6.0, 3.0]);
/// // The third step is far from the others, and counts for less.
/// let pooled = Pooling::Attention.pool(&steps, 2);
/// assert!(pooled[0] < 3.0 && pooled[1] < 1.0);
/// assert_eq!("attention".parse(), Ok(Pooling::Attention));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The mean of every column.
    Mean,
    /// The last step.
    Last,
    /// The largest value of every column.
    Max,
    /// The weighted mean of the steps, whose weights fall with the distance to their mean:
    /// `w_t ∝ exp(-1/(2D) sum over j of (x_tj - m_j)² / v_j)`, where m and v are mean and variance of each column over the
    /// sequence's own steps and D is the number of columns that vary; columns that do not vary count for nothing.
    ///
    /// It is attention in its form as a kernel smoother (Tsai et al. 2019, equation 2) with a Gaussian kernel and the mean
    /// step as the query; kernel and query without parameters are our choice. A change of origin or unit of a column
    /// changes no weight, so that the pooled vector changes as the steps do.
    Attention,
}

impl Pooling {
    /// All rules.
    pub const ALL: [Self; 4] = [Self::Mean, Self::Last, Self::Max, Self::Attention];

    /// Returns the name of the rule, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Last => "last",
            Self::Max => "max",
            Self::Attention => "attention",
        }
    }

    /// Pools a sequence: `steps` holds its steps, one after the other.
    ///
    /// # Shapes
    /// `[T, columns]` in, `[columns]` out.
    ///
    /// # Panics
    /// If there is no step, or `steps` are not of this number of columns.
    pub fn pool(self, steps: &[f64], columns: usize) -> Vec<f64> {
        let mut pooled = vec![0.0; columns];
        self.pool_to(steps, &mut pooled);
        pooled
    }

    /// Pools a sequence of as many columns as there are places for.
    pub(crate) fn pool_to(self, steps: &[f64], pooled: &mut [f64]) {
        let columns = pooled.len();
        assert!(columns > 0 && !steps.is_empty() && steps.len().is_multiple_of(columns), "whole steps, at least one");
        match self {
            Self::Mean => {
                let count = (steps.len() / columns) as f64;
                sum(steps.chunks_exact(columns).map(|step| (step, 1.0)), pooled);
                for value in pooled.iter_mut() {
                    *value /= count;
                }
            }
            Self::Last => pooled.copy_from_slice(&steps[steps.len() - columns..]),
            Self::Max => {
                pooled.fill(f64::NEG_INFINITY);
                for step in steps.chunks_exact(columns) {
                    pooled.iter_mut().zip(step).for_each(|(most, value)| *most = most.max(*value));
                }
            }
            Self::Attention => sum(steps.chunks_exact(columns).zip(attention_weights(steps, columns)), pooled),
        }
    }
}

/// Sums steps by their weights.
fn sum<'s>(steps: impl Iterator<Item = (&'s [f64], f64)>, total: &mut [f64]) {
    total.fill(0.0);
    for (step, weight) in steps {
        total.iter_mut().zip(step).for_each(|(total, value)| *total += weight * value);
    }
}

/// Returns the weight of every step, see [`Pooling::Attention`].
fn attention_weights(steps: &[f64], columns: usize) -> Vec<f64> {
    let count = (steps.len() / columns) as f64;
    let means = Pooling::Mean.pool(steps, columns);
    let mut variances = vec![0.0; columns];
    // Rounding may leave a mean beside the one value that all steps have.
    let mut varies = vec![false; columns];
    for step in steps.chunks_exact(columns) {
        for (column, value) in step.iter().enumerate() {
            variances[column] += (value - means[column]).powi(2) / count;
            varies[column] |= *value != steps[column];
        }
    }
    let varying: Vec<usize> = (0..columns).filter(|column| varies[*column]).collect();
    let distance = |step: &[f64]| {
        let of_column = |column: &usize| (step[*column] - means[*column]).powi(2) / variances[*column];
        varying.iter().map(of_column).sum::<f64>() / (2 * varying.len().max(1)) as f64
    };
    let distances: Vec<f64> = steps.chunks_exact(columns).map(distance).collect();
    let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let kernels: Vec<f64> = distances.iter().map(|distance| (nearest - distance).exp()).collect();
    let total: f64 = kernels.iter().sum();
    kernels.into_iter().map(|kernel| kernel / total).collect()
}

impl fmt::Display for Pooling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A word that names no pooling.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no pooling `{found}`; use mean, last, max or attention")]
pub struct UnknownPooling {
    /// The word.
    pub found: String,
}

impl FromStr for Pooling {
    type Err = UnknownPooling;

    fn from_str(given: &str) -> Result<Self, UnknownPooling> {
        let found = Self::ALL.into_iter().find(|pooling| pooling.name() == given);
        found.ok_or_else(|| UnknownPooling { found: given.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for pooling in Pooling::ALL {
            assert_eq!(pooling.to_string().parse(), Ok(pooling));
        }
        assert!("median".parse::<Pooling>().unwrap_err().to_string().contains("use mean, last, max or attention"));
    }

    /// Steps -1, 0 and 1 have the variance 2/3, so that the outer ones are at the distance exp(-3/4) from the mean.
    #[test]
    fn attention_in_closed_form() {
        let outer = (-0.75_f64).exp();
        let weights = attention_weights(&[-1.0, 0.0, 1.0], 1);
        for (found, expected) in weights.iter().zip([outer, 1.0, outer]) {
            assert!((found - expected / (1.0 + 2.0 * outer)).abs() < 1e-15);
        }
        // Two steps are at one distance from their mean; so are steps that are equal.
        assert_eq!(attention_weights(&[3.0, 1.0, 5.0, 2.0], 2), [0.5, 0.5]);
        assert_eq!(attention_weights(&[0.1, 0.1, 0.1], 1), [1.0 / 3.0; 3]);
    }

    proptest! {
        #[test]
        fn one_step_is_itself(step in prop::collection::vec(-1e6..1e6_f64, 1..6)) {
            for pooling in Pooling::ALL {
                prop_assert_eq!(pooling.pool(&step, step.len()), step.clone());
            }
        }

        /// 1e-9: rounding of a few dozen operations on numbers below 100.
        #[test]
        fn attention_follows_origin_and_unit_of_a_column(
            steps in prop::collection::vec(-10.0..10.0_f64, 12),
            (scale, origin) in (0.1..9.0_f64, -9.0..9.0_f64),
        ) {
            let changed: Vec<f64> =
                steps.iter().enumerate().map(|(place, value)| if place % 3 == 1 { scale * value + origin } else { *value }).collect();
            let (one, other) = (Pooling::Attention.pool(&steps, 3), Pooling::Attention.pool(&changed, 3));
            prop_assert!((one[0] - other[0]).abs() < 1e-9 && (one[2] - other[2]).abs() < 1e-9);
            prop_assert!((scale * one[1] + origin - other[1]).abs() < 1e-9);
        }

        /// Nothing leaves the range of the steps, but for rounding.
        #[test]
        fn pooled_values_are_between_those_of_the_steps(steps in prop::collection::vec(-10.0..10.0_f64, 1..20)) {
            let least = steps.iter().copied().fold(f64::INFINITY, f64::min);
            let most = steps.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            for pooling in Pooling::ALL {
                let pooled = pooling.pool(&steps, 1)[0];
                prop_assert!((least - 1e-12..=most + 1e-12).contains(&pooled));
            }
        }
    }
}
