//! Maps from a view to the inputs of a head: kernel features, informative directions, products of components.

pub(super) mod kernel;

use self::kernel::KernelFeatures;
use crate::numbers::linear_algebra::product_transposed;

/// A fitted map of rows.
#[derive(Debug, Clone)]
pub(crate) enum FeatureMap {
    /// Similarities to landmarks.
    Kernel(KernelFeatures),
    /// Projections on a few directions.
    Directions(Directions),
    /// Components, and the products of those of modality 1 with those of modality 2.
    Products(Products),
}

/// Projections `x D'`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Directions {
    /// `[directions, columns]`, row-major.
    pub(crate) axes: Vec<f32>,
    pub(crate) columns: usize,
}

/// Scaled components of both modalities, and their products pair by pair.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Products {
    /// The number of columns of modality 1.
    pub(crate) first: usize,
    /// The divisor of each column.
    pub(crate) deviations: Vec<f32>,
}

impl FeatureMap {
    /// Returns the mapped rows, row-major, of rows `[n, columns]`.
    pub(crate) fn apply(&self, rows: &[f32]) -> Vec<f32> {
        match self {
            Self::Kernel(features) => features.apply(rows),
            Self::Directions(Directions { axes, columns }) => product_transposed(rows, axes, *columns),
            Self::Products(products) => products.apply(rows),
        }
    }

    /// Returns the number of columns of the result.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::Kernel(features) => features.features(),
            Self::Directions(directions) => directions.axes.len() / directions.columns,
            Self::Products(products) => products.outputs(),
        }
    }
}

impl Products {
    fn outputs(&self) -> usize {
        let second = self.deviations.len() - self.first;
        self.deviations.len() + self.first * second
    }

    fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let columns = self.deviations.len();
        let mut mapped = Vec::with_capacity(rows.len() / columns * self.outputs());
        let mut scaled = vec![0.0; columns];
        for row in rows.chunks_exact(columns) {
            for ((scaled, value), deviation) in scaled.iter_mut().zip(row).zip(&self.deviations) {
                *scaled = value / deviation;
            }
            mapped.extend_from_slice(&scaled);
            let (first, second) = scaled.split_at(self.first);
            for value in first {
                mapped.extend(second.iter().map(|other| value * other));
            }
        }
        mapped
    }
}
