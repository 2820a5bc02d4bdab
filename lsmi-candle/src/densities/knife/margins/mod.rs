//! Margins: a monotone curve for every column that takes it to a normal one, before the mixture.
//!
//! A mixture of normal components has smooth edges and light tails. Where columns end abruptly, are skewed or heavy-tailed,
//! the density of rows z is instead that of a mixture in other coordinates,
//!
//! `log p(z) = log mixture(T_1(z_1), ..., T_d(z_d)) + sum_j log T_j'(z_j)`
//!
//! in nats, where `T_j` takes column j to normal scores: the nonparanormal density (Liu, Lafferty, Wasserman 2009, eq. 2)
//! with a mixture in the place of its single normal. Columns that are normal already, or that repeat single values, which
//! have no density, stay as they are.

mod curve;
mod fit;
mod scores;

pub(crate) use curve::{Curve, Knot};
pub(super) use fit::Gain;

use candle_core::Device;

use crate::densities::mixture::Mixture;
use crate::densities::points::Points;
use crate::error::Result;

/// The curves of the columns that have one.
#[derive(Debug, Clone, PartialEq)]
pub struct Margins {
    /// The curve of every column; `None` for a column that stays as it is.
    pub(crate) curves: Vec<Option<Curve>>,
}

/// Rows in the coordinates of the mixture.
pub(crate) struct Straightened {
    /// `T(z)`, `[n, d]`, row-major.
    pub(crate) values: Vec<f32>,
    /// `sum_j log T_j'(z_j)` of each row, in nats.
    pub(crate) log_derivatives: Vec<f64>,
}

/// Rows `[n, columns]`, row-major.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) values: &'a [f32],
    pub(super) columns: usize,
}

impl Margins {
    /// Returns the number of columns.
    pub fn columns(&self) -> usize {
        self.curves.len()
    }

    /// Maps rows `[n, d]`, row-major, to the coordinates of the mixture.
    pub(crate) fn apply(&self, rows: &[f32]) -> Straightened {
        let mut values = rows.to_vec();
        let mut log_derivatives = vec![0.0; rows.len() / self.curves.len()];
        for (column, curve) in self.curves.iter().enumerate() {
            let Some(curve) = curve else { continue };
            let column_values = values.iter_mut().skip(column).step_by(self.curves.len());
            for (value, log_derivative) in column_values.zip(&mut log_derivatives) {
                let (score, logarithm) = curve.at(f64::from(*value));
                #[expect(clippy::cast_possible_truncation, reason = "models are f32 by design")]
                let score = score as f32;
                *value = score;
                *log_derivative += logarithm;
            }
        }
        Straightened { values, log_derivatives }
    }

    /// Returns `log p(z)` of each row, in nats.
    pub(super) fn log_density(&self, mixture: &Mixture, rows: &Points) -> Result<Vec<f64>> {
        let Straightened { values, log_derivatives } = self.apply(rows.values());
        let device = rows.on_device().map_or(&Device::Cpu, candle_core::Tensor::device);
        let mut densities = mixture.log_density(&Points::new(values, rows.columns(), device)?)?;
        for (density, log_derivative) in densities.iter_mut().zip(log_derivatives) {
            *density += log_derivative;
        }
        Ok(densities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::mixture::Covariance;

    #[test]
    fn columns_without_a_curve_stay_and_derivatives_add_up() {
        let knot = |place, score, slope| Knot { place, score, slope };
        let curve = Curve::new(0.0, 1.0, vec![knot(-1.0, -1.5, 2.0), knot(1.0, 1.0, 0.5)]).unwrap();
        let margins = Margins { curves: vec![Some(curve.clone()), None, Some(curve.clone())] };
        let straightened = margins.apply(&[0.5, 7.0, -0.25]);
        let [first, third] = [curve.at(0.5), curve.at(-0.25)];
        assert_eq!(straightened.values[1], 7.0);
        assert!((f64::from(straightened.values[0]) - first.0).abs() < 1e-6);
        assert!((straightened.log_derivatives[0] - first.1 - third.1).abs() < 1e-12);
        let mixture = Mixture::new(Covariance::Diagonal, vec![0.0], vec![0.0; 3], vec![1.0; 3]).unwrap();
        let density =
            margins.log_density(&mixture, &Points::new(vec![0.5, 7.0, -0.25], 3, &Device::Cpu).unwrap()).unwrap();
        let normal = -0.5 * (first.0.powi(2) + 49.0 + third.0.powi(2)) - 1.5 * std::f64::consts::TAU.ln();
        assert!((density[0] - normal - first.1 - third.1).abs() < 1e-5);
    }
}
