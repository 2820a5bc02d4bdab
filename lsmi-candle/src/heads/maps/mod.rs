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
    /// Components of modalities, and the products of those of different ones.
    Products(Products),
}

/// Projections `x D'`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Directions {
    /// `[directions, columns]`, row-major.
    pub(crate) axes: Vec<f32>,
    pub(crate) columns: usize,
}

/// Scaled components of all modalities, and all products of one component of each of two modalities or more.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Products {
    /// The number of columns of each modality.
    pub(crate) widths: Vec<usize>,
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
        // One of 1 and the columns from each modality, but for the 1 from all.
        self.widths.iter().map(|width| width + 1).product::<usize>() - 1
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
            self.extend_by_products(&scaled, &mut mapped);
        }
        mapped
    }

    /// Appends the products of two modalities or more: of each modality with all columns and products of those before it.
    fn extend_by_products(&self, scaled: &[f32], mapped: &mut Vec<f32>) {
        let Some((first, others)) = self.widths.split_first() else { return };
        let (before, mut rest) = scaled.split_at(*first);
        let mut before = before.to_vec();
        for (place, width) in others.iter().enumerate() {
            let (of_modality, after) = rest.split_at(*width);
            let start = mapped.len();
            for value in &before {
                mapped.extend(of_modality.iter().map(|other| value * other));
            }
            if place + 1 < others.len() {
                before.extend_from_slice(of_modality);
                before.extend_from_slice(&mapped[start..]);
            }
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_modalities_have_the_products_of_two_and_of_three() {
        let products = Products { widths: vec![2, 1, 1], deviations: vec![1.0; 4] };
        let mapped = FeatureMap::Products(products.clone()).apply(&[2.0, 3.0, 5.0, 7.0]);
        assert_eq!(mapped, [2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 14.0, 21.0, 35.0, 70.0, 105.0]);
        assert_eq!(mapped.len(), products.outputs());
        // Of two, those of one with the other.
        let pair = Products { widths: vec![1, 2], deviations: vec![1.0, 2.0, 1.0] };
        assert_eq!(pair.apply(&[2.0, 3.0, 5.0]), [2.0, 1.5, 5.0, 3.0, 10.0]);
    }
}
