//! Structures of a mixture's covariances, their shrinkage, and their whitening factors.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::numbers::linear_algebra::whitening_factor;

/// The ridge added to the diagonal, relative to the mean variance: coordinates that determine one another keep a finite
/// density.
const RIDGE: f64 = 1e-6;
/// The least variance, also added, relative to the variance of all rows: rows that are all equal keep a finite density.
const LEAST_VARIANCE: f64 = 1e-8;

/// The structure of the covariances of a mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Covariance {
    /// Each component has variances of its own and no correlations.
    Diagonal,
    /// All components share one full covariance.
    Tied,
    /// Each component has a full covariance of its own.
    Full,
    /// Each component has this number of common factors of its own beside independent noise in every coordinate.
    LowRank(usize),
}

impl Covariance {
    /// Returns the shape of the factors of `components` components in `dims` dimensions.
    pub(crate) fn factor_shape(self, components: usize, dims: usize) -> Vec<usize> {
        match self {
            Self::Diagonal => vec![components, dims],
            Self::Tied => vec![1, dims, dims],
            Self::Full => vec![components, dims, dims],
            Self::LowRank(rank) => vec![components, dims, 1 + rank],
        }
    }
}

impl fmt::Display for Covariance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Diagonal => formatter.write_str("diagonal"),
            Self::Tied => formatter.write_str("tied"),
            Self::Full => formatter.write_str("full"),
            Self::LowRank(rank) => write!(formatter, "rank {rank}"),
        }
    }
}

/// Shrinks a covariance `[dims, dims]` from `rows` rows towards a multiple of the identity, in place.
///
/// The weight of the identity is the oracle-approximating one (Chen, Wiesel, Eldar, Hero 2010, eq. 23): it tends to 0 as
/// rows accumulate, unless the covariance is that of a sphere.
pub(crate) fn shrink_to_sphere(covariance: &mut [f64], dims: usize, rows: f64) {
    let size = dims as f64;
    let trace: f64 = (0..dims).map(|dim| covariance[dim * dims + dim]).sum();
    let trace_of_square: f64 = covariance.iter().map(|value| value * value).sum();
    let numerator = (1.0 - 2.0 / size) * trace_of_square + trace * trace;
    let denominator = (rows + 1.0 - 2.0 / size) * (trace_of_square - trace * trace / size);
    let weight = if denominator > numerator { (numerator / denominator).max(0.0) } else { 1.0 };
    let variance = trace / size;
    for (index, value) in covariance.iter_mut().enumerate() {
        *value *= 1.0 - weight;
        if index % (dims + 1) == 0 {
            *value += weight * variance;
        }
    }
}

/// Returns the whitening factor of a covariance, a ridge added first; a covariance that no ridge can save becomes a
/// sphere.
///
/// `overall` is the mean variance of all rows.
pub(crate) fn ridged_factor(covariance: &[f64], dims: usize, overall: f64) -> Vec<f64> {
    let own = ((0..dims).map(|dim| covariance[dim * dims + dim]).sum::<f64>() / dims as f64).max(0.0);
    let least = (LEAST_VARIANCE * overall).max(f64::from(f32::MIN_POSITIVE));
    let mut ridge = RIDGE * own + least;
    while ridge < own {
        let mut ridged = covariance.to_vec();
        for dim in 0..dims {
            ridged[dim * dims + dim] += ridge;
        }
        if let Some(factor) = whitening_factor(&ridged, dims) {
            return factor;
        }
        ridge *= 10.0;
    }
    let mut sphere = vec![0.0; dims * dims];
    for dim in 0..dims {
        sphere[dim * dims + dim] = (own + least).sqrt().recip();
    }
    sphere
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_shrink_more_than_many() {
        let plain = [4.0, 1.0, 1.0, 1.0];
        let correlation = |rows: f64| {
            let mut shrunk = plain;
            shrink_to_sphere(&mut shrunk, 2, rows);
            assert!((shrunk[0] + shrunk[3] - 5.0).abs() < 1e-12, "the trace stays");
            shrunk[1]
        };
        assert!(correlation(4.0) < correlation(40.0));
        assert!(correlation(1e6) > 0.999);
    }

    #[test]
    fn a_singular_covariance_still_has_a_factor() {
        let factor = ridged_factor(&[1.0, 1.0, 1.0, 1.0], 2, 1.0);
        assert!(factor.iter().all(|value| value.is_finite()));
        assert!((factor[0] - 1.0).abs() < 1e-5);
        let nothing = ridged_factor(&[0.0; 4], 2, 4.0);
        assert!((nothing[0] - 5e3).abs() < 1e-9 && nothing[1] == 0.0);
    }
}
