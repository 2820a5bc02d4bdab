//! Features of rows as conditional densities take them: leading principal components of modalities, and columns besides.

use crate::densities::points::single;
use crate::heads::{Features, View};

/// Features of rows, `[n, width]`, row-major.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    pub(crate) values: Vec<f32>,
    pub(crate) width: usize,
}

/// What is given of all rows: modalities, and further columns (the targets that come before the one in question).
#[derive(Clone)]
pub(crate) struct Given<'a> {
    pub(crate) features: Option<Features<'a>>,
    pub(crate) further: &'a Columns,
}

impl Given<'_> {
    /// Returns the given rows, with so many leading principal components of each modality at most.
    pub(crate) fn gather(&self, most: usize, rows: &[usize]) -> Columns {
        let view = View::Components(most);
        let Some(features) = &self.features else { return self.further.select(rows) };
        let own = Columns { values: features.gather(view, rows), width: features.width(view) };
        if self.further.width == 0 { own } else { own.beside(&self.further.select(rows)) }
    }
}

impl Columns {
    fn select(&self, rows: &[usize]) -> Self {
        Self { values: crate::densities::points::gather(&self.values, self.width, rows), width: self.width }
    }

    fn beside(&self, other: &Self) -> Self {
        let rows = self.values.chunks_exact(self.width).zip(other.values.chunks_exact(other.width));
        let values = rows.flat_map(|(left, right)| left.iter().chain(right)).copied().collect();
        Self { values, width: self.width + other.width }
    }
}

/// Returns the mean of every column of rows `[n, width]`, row-major. That of a column which does not vary is its value, which
/// rounding must not set apart: a new row with another value would be any number of deviations away.
pub(super) fn means(features: &[f32], width: usize) -> Vec<f64> {
    let rows = (features.len() / width) as f64;
    let mean = |column: usize| {
        let values = || features.iter().skip(column).step_by(width);
        let first = features.get(column).copied().unwrap_or(0.0);
        if values().all(|value| *value == first) {
            return f64::from(first);
        }
        values().map(|value| f64::from(*value)).sum::<f64>() / rows
    };
    (0..width).map(mean).collect()
}

/// Mean and inverse deviation of every column.
#[derive(Debug, Clone)]
pub(crate) struct Scales(pub(crate) Vec<[f32; 2]>);

impl Scales {
    /// Measures the columns of rows `[n, width]`, row-major. Columns that do not vary become 0.
    pub(crate) fn of(features: &[f32], width: usize) -> Self {
        let rows = (features.len() / width) as f64;
        let means = means(features, width);
        let moments = |column: usize| {
            let mean = means[column];
            let values = features.iter().skip(column).step_by(width);
            let variance = values.map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / rows;
            let inverse = if variance > 0.0 { variance.sqrt().recip() } else { 0.0 };
            let rounded = single(&[mean, inverse]);
            [rounded[0], rounded[1]]
        };
        Self((0..width).map(moments).collect())
    }

    pub(crate) fn width(&self) -> usize {
        self.0.len()
    }

    /// Returns standardised rows.
    pub(crate) fn apply(&self, features: &[f32]) -> Vec<f32> {
        let mut standardised = Vec::with_capacity(features.len());
        for row in features.chunks_exact(self.0.len()) {
            standardised.extend(row.iter().zip(&self.0).map(|(value, [mean, inverse])| (value - mean) * inverse));
        }
        standardised
    }
}

#[cfg(test)]
mod tests {
    use super::Scales;

    #[test]
    fn a_column_that_does_not_vary_says_nothing_of_a_row_that_differs() {
        // The mean of ninety tenths is not a tenth in floating point.
        let features: Vec<f32> = (0..90).flat_map(|row| [0.1, f32::from(u8::try_from(row % 2).unwrap_or(0))]).collect();
        assert_eq!(Scales::of(&features, 2).apply(&[5.0, 1.0]), [0.0, 1.0]);
    }
}
