//! The coordinates that heads see of a modality: its standardised columns and their principal components.
//!
//! Classifiers live on knowing which directions vary most, so that the components keep their variances. Where a column has
//! heavy tails, second moments say little and a few rows decide every fit; such a column is squashed first,
//! `z -> asinh((z - c) / s)` with the median c and the interquartile range s (in units of normal deviations) of a sample of
//! the rows, and standardised again. The inverse hyperbolic sine is linear within the bulk and logarithmic in the tails
//! (Johnson 1949; Burbidge, Magee, Robb 1988). An invertible map of a column leaves its information as it is.

use lsmi_core::statistics::quantiles;

use super::invariant::Spectrum;
use crate::densities::points::single;
use crate::numbers::linear_algebra::product_transposed;

/// Kurtosis from which a column's tails count as heavy: 3 for a normal column, 9 for an exponential one.
const HEAVY: f64 = 9.0;
/// The interquartile range of the standard normal distribution.
const NORMAL_RANGE: f64 = 1.349;
/// Rows that quantiles are taken of, at most about twice as many.
const ROWS_OF_QUANTILES: usize = 2048;
/// The most components that are kept.
const MOST_COMPONENTS: usize = 2048;

/// The map of a heavy-tailed column: `asinh((z - centre) / scale)`, then brought to mean 0 and variance 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Squash {
    pub(crate) centre: f64,
    pub(crate) scale: f64,
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
}

impl Squash {
    fn apply(&self, value: f64) -> f64 {
        (((value - self.centre) / self.scale).asinh() - self.mean) / self.deviation
    }
}

/// The map from a modality's standardised columns to the coordinates that heads see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeadCoordinates {
    /// The map of each standardised column that is squashed; `None` for those that stay as they are.
    pub(crate) squashes: Vec<Option<Squash>>,
    /// Unit vectors along the principal components, by falling variance, `[components, columns]`, row-major.
    pub(crate) axes: Vec<f32>,
}

impl HeadCoordinates {
    pub(super) fn new(squashes: Vec<Option<Squash>>, spectrum: &Spectrum) -> Self {
        let kept = spectrum.rank().min(MOST_COMPONENTS) * squashes.len();
        Self { axes: single(&spectrum.axes[..kept]), squashes }
    }

    /// Returns the number of standardised columns.
    pub(crate) fn columns(&self) -> usize {
        self.squashes.len()
    }

    /// Returns the number of principal components.
    pub(crate) fn components(&self) -> usize {
        self.axes.len() / self.squashes.len()
    }
}

/// Rows of a modality in the coordinates that heads see.
#[derive(Debug, Clone)]
pub(crate) struct HeadRows {
    /// The columns, `[n, columns]`, row-major.
    pub(crate) columns: Vec<f32>,
    /// The principal components, `[n, components]`, row-major.
    pub(crate) components: Vec<f32>,
    /// Number of columns and of components.
    pub(crate) widths: [usize; 2],
}

impl HeadRows {
    pub(super) fn new(coordinates: &HeadCoordinates) -> Self {
        let widths = [coordinates.columns(), coordinates.components()];
        Self { columns: Vec::new(), components: Vec::new(), widths }
    }

    /// Appends standardised rows `[n, columns]`, row-major.
    pub(super) fn extend(&mut self, coordinates: &HeadCoordinates, mut standardised: Vec<f64>) {
        squash(&coordinates.squashes, &mut standardised);
        let columns = single(&standardised);
        self.components.extend(product_transposed(&columns, &coordinates.axes, coordinates.columns()));
        self.columns.extend(columns);
    }
}

/// Squashes the heavy-tailed columns of standardised rows in place.
pub(super) fn squash(squashes: &[Option<Squash>], standardised: &mut [f64]) {
    if squashes.iter().all(Option::is_none) {
        return;
    }
    for row in standardised.chunks_exact_mut(squashes.len()) {
        for (value, squash) in row.iter_mut().zip(squashes) {
            if let Some(squash) = squash {
                *value = squash.apply(*value);
            }
        }
    }
}

/// Fourth moments of standardised columns, and a sample of the rows for their quantiles.
pub(super) struct Tails {
    fourth: Vec<f64>,
    rows: usize,
    /// The distance between rows of the sample.
    stride: usize,
    sample: Vec<f64>,
}

impl Tails {
    /// Creates a sample of rows of `columns` columns, of which there will be `count`.
    pub(super) fn new(columns: usize, count: usize) -> Self {
        Self { fourth: vec![0.0; columns], rows: 0, stride: (count / ROWS_OF_QUANTILES).max(1), sample: Vec::new() }
    }

    pub(super) fn add(&mut self, standardised: &[f64]) {
        for row in standardised.chunks_exact(self.fourth.len()) {
            if self.rows.is_multiple_of(self.stride) {
                self.sample.extend_from_slice(row);
            }
            self.rows += 1;
            for (sum, value) in self.fourth.iter_mut().zip(row) {
                *sum += value.powi(4);
            }
        }
    }

    /// Returns the map of each column that is squashed. A column most of whose values are equal has no scale and stays
    /// as it is.
    pub(super) fn squashes(&self) -> Vec<Option<Squash>> {
        let columns = self.fourth.len();
        let column_squash = |(column, fourth): (usize, &f64)| {
            if fourth / (self.rows as f64) < HEAVY {
                return None;
            }
            let values: Vec<f64> = self.sample.iter().skip(column).step_by(columns).copied().collect();
            let found = quantiles(&values, &[0.25, 0.5, 0.75]);
            let scale = (found[2] - found[0]) / NORMAL_RANGE;
            if scale <= 0.0 {
                return None;
            }
            let squashed: Vec<f64> = values.iter().map(|value| ((value - found[1]) / scale).asinh()).collect();
            let mean = lsmi_core::statistics::mean(&squashed);
            let deviation = lsmi_core::statistics::standard_deviation(&squashed);
            Some(Squash { centre: found[1], scale, mean, deviation })
        };
        self.fourth.iter().enumerate().map(column_squash).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;
    use rand_distr::{Cauchy, Distribution, StandardNormal};

    #[test]
    fn only_heavy_tails_are_squashed() {
        let mut random = stream(0, "tails");
        let cauchy = Cauchy::new(0.0, 1.0).unwrap();
        let mut tails = Tails::new(3, 3000);
        let mut rows = Vec::new();
        for index in 0..3000 {
            let normal: f64 = StandardNormal.sample(&mut random);
            // The third column is 0 but for a few rows, and so has no scale.
            rows.extend([normal, cauchy.sample(&mut random), if index % 100 == 0 { 10.0 } else { 0.0 }]);
        }
        tails.add(&rows);
        let squashes = tails.squashes();
        assert!(squashes[0].is_none() && squashes[1].is_some() && squashes[2].is_none());
        squash(&squashes, &mut rows);
        let second: Vec<f64> = rows.iter().skip(1).step_by(3).copied().collect();
        let largest = second.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        assert!(largest < 10.0, "{largest}");
        assert!((lsmi_core::statistics::standard_deviation(&second) - 1.0).abs() < 0.1);
    }
}
