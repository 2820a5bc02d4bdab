//! Rows as densities and heads take them.

use crate::features::Inputs;
use crate::gauge::Gauge;

/// Rows in the coordinates that densities and heads take, row-major.
pub(super) struct ModelInputs {
    /// x1 and x2 in the gauge's coordinates, with their dimensions.
    densities: [(Vec<f64>, usize); 2],
    /// What the heads of x1, x2 and both take, with its columns: features, or the user's logits.
    heads: [(Vec<f64>, usize); 3],
    /// From those to standardised columns, see [`Gauge::back`].
    pub(super) back: [Option<Vec<f64>>; 3],
}

impl ModelInputs {
    /// `are_given` says which heads are the user's own, whose inputs are their logits.
    pub(super) fn new(gauge: &Gauge, rows: &Inputs<'_>, are_given: [bool; 3]) -> Self {
        let [(first, d1), (second, d2)] = gauge.head_inputs(rows.x1, rows.x2);
        let both = first.chunks_exact(d1).zip(second.chunks_exact(d2));
        let both = both.flat_map(|(x1, x2)| x1.iter().chain(x2)).copied().collect();
        let mut heads = [(first, d1), (second, d2), (both, d1 + d2)];
        for ((inputs, logits), is_given) in heads.iter_mut().zip(rows.logits).zip(are_given) {
            if let (Some(logits), true) = (logits, is_given) {
                *inputs = (logits.values().to_vec(), logits.columns());
            }
        }
        Self {
            densities: [(gauge.x1.apply(rows.x1), gauge.x1.dims()), (gauge.x2.apply(rows.x2), gauge.x2.dims())],
            heads,
            back: [gauge.back(0), gauge.back(1), gauge.back(2)],
        }
    }

    /// Values and dimensions that the density of modality 0 or 1 takes.
    pub(super) fn density(&self, modality: usize) -> (&[f64], usize) {
        (&self.densities[modality].0, self.densities[modality].1)
    }

    /// Values and columns that head 0 (x1), 1 (x2) or 2 (both) takes.
    pub(super) fn head(&self, head: usize) -> (&[f64], usize) {
        (&self.heads[head].0, self.heads[head].1)
    }

    /// The given rows in the given order.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        let select = |(values, columns): &(Vec<f64>, usize)| (gather(values, *columns, rows), *columns);
        Self {
            densities: self.densities.each_ref().map(select),
            heads: self.heads.each_ref().map(select),
            back: self.back.clone(),
        }
    }
}

/// The given rows of `values`, in the given order.
pub(super) fn gather(values: &[f64], columns: usize, rows: &[usize]) -> Vec<f64> {
    rows.iter().flat_map(|row| &values[row * columns..][..columns]).copied().collect()
}
