//! The margins of a mixture: its distributions of single columns.
//!
//! The margin of a mixture over column j is the mixture of its components' margins, `sum_k w_k N(x_j; m_kj, C_kjj)` with
//! `C_k = (W_k' W_k)^-1`, or Student's of the same degrees of freedom in the place of normal ones (Kotz, Nadarajah 2004,
//! section 1.10).

use lsmi_core::statistics::log_sum_exp;

use super::{Covariance, Mixture, tails};

impl Mixture {
    /// Returns the squared scales of all components in each column, `C_kjj`, `[K, d]`, row-major: variances, if they
    /// are normal.
    pub(crate) fn squared_scales(&self) -> Vec<f64> {
        let (components, dims) = (self.components(), self.dims());
        let squares = |part: &[f32]| part.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
        match self.shape.covariance {
            Covariance::Diagonal => self.factors.iter().map(|factor| f64::from(*factor).powi(-2)).collect(),
            Covariance::Full => {
                self.factors.chunks_exact(dims * dims).flat_map(|factor| diagonal(factor, dims)).collect()
            }
            Covariance::Tied => diagonal(&self.factors, dims).repeat(components),
            Covariance::LowRank(rank) => self
                .factors
                .chunks_exact(1 + rank)
                .map(|row| (1.0 + squares(&row[1..])) * f64::from(row[0]).powi(-2))
                .collect(),
        }
    }

    /// Returns `log p(x_j)` of values of column j, in nats, given [`Self::squared_scales`].
    pub(crate) fn log_density_of_column(&self, column: usize, squared_scales: &[f64], values: &[f64]) -> Vec<f64> {
        let (components, dims, freedom) = (self.components(), self.dims(), self.shape.freedom);
        let normaliser = tails::log_normaliser(freedom, 1);
        let mut joint = vec![0.0; components];
        let of_value = |value: &f64| {
            for (component, joint) in joint.iter_mut().enumerate() {
                let variance = squared_scales[component * dims + column];
                let square = (value - f64::from(self.means[component * dims + column])).powi(2) / variance;
                let exponent = match freedom {
                    None => 0.5 * square,
                    Some(freedom) => 0.5 * (freedom + 1.0) * (square / freedom).ln_1p(),
                };
                *joint = self.log_weights[component] + normaliser - 0.5 * variance.ln() - exponent;
            }
            log_sum_exp(&joint)
        };
        values.iter().map(of_value).collect()
    }
}

/// Returns the diagonal of `(W'W)^-1` for a lower triangular `W [d, d]`: the squared lengths of the rows of its
/// inverse.
fn diagonal(factor: &[f32], dims: usize) -> Vec<f64> {
    let mut lengths = vec![0.0; dims];
    let mut solution = vec![0.0; dims];
    // The inverse column by column, by forward substitution.
    for column in 0..dims {
        for row in column..dims {
            let known = &factor[row * dims..][..row];
            let sum: f64 = known[column..]
                .iter()
                .zip(&solution[column..row])
                .map(|(weight, value)| f64::from(*weight) * value)
                .sum();
            let unit = f64::from(u8::from(row == column));
            solution[row] = (unit - sum) / f64::from(factor[row * dims + row]);
            lengths[row] += solution[row] * solution[row];
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::points::Points;
    use candle_core::Device;

    #[test]
    fn the_margin_of_a_full_component() {
        // W^-1 = [[1/2, 0], [-1/4, 1]], so that C = W^-1 W^-1' has the diagonal 1/4, 17/16.
        let mixture = Mixture::new(Covariance::Full, vec![0.0], vec![0.5, -1.0], vec![2.0, 0.0, 0.5, 1.0]).unwrap();
        let scales = mixture.squared_scales();
        assert!((scales[0] - 0.25).abs() < 1e-12 && (scales[1] - 1.0625).abs() < 1e-12, "{scales:?}");
        let low = Mixture::new(Covariance::LowRank(1), vec![0.0], vec![0.0; 2], vec![2.0, 3.0, 1.0, 0.0]).unwrap();
        assert_eq!(low.squared_scales(), [2.5, 1.0]);
    }

    #[test]
    fn of_one_column_the_margin_is_the_mixture() {
        for freedom in [None, Some(3.0)] {
            let weights = vec![0.25f64.ln(), 0.75f64.ln()];
            let mixture = Mixture::new(Covariance::Diagonal, weights, vec![0.0, 2.0], vec![1.0, 3.0]).unwrap();
            let mixture = mixture.with_freedom(freedom).unwrap();
            let whole = mixture.log_density(&Points::new(vec![-1.0, 1.5], 1, &Device::Cpu).unwrap()).unwrap();
            let margin = mixture.log_density_of_column(0, &mixture.squared_scales(), &[-1.0, 1.5]);
            assert!(whole.iter().zip(margin).all(|(whole, margin)| (whole - margin).abs() < 1e-5));
        }
    }
}
