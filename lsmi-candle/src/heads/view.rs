//! The view of a head: columns or leading principal components of one modality or of several.

use crate::densities::gauge::HeadRows;
use crate::densities::points::gather;

/// The part of the features that a head takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// All standardised columns, those of all modalities one after another.
    Columns,
    /// So many leading principal components of each modality, or all that it has.
    Components(usize),
}

/// Rows of one modality or of several.
#[derive(Clone)]
pub(crate) struct Features<'a> {
    modalities: Vec<&'a HeadRows>,
}

impl<'a> Features<'a> {
    pub(crate) fn new(modalities: Vec<&'a HeadRows>) -> Self {
        Self { modalities }
    }

    /// Returns the number of modalities.
    pub(crate) fn modalities(&self) -> usize {
        self.modalities.len()
    }

    /// Returns the number of columns of each modality in a view.
    pub(crate) fn widths(&self, view: View) -> Vec<usize> {
        let width = |rows: &&HeadRows| match view {
            View::Columns => rows.widths[0],
            View::Components(most) => rows.widths[1].min(most),
        };
        self.modalities.iter().map(width).collect()
    }

    /// Returns the number of columns of a view.
    pub(crate) fn width(&self, view: View) -> usize {
        self.widths(view).into_iter().sum()
    }

    /// Returns the given rows in a view, `[rows, width]`, row-major.
    pub(crate) fn gather(&self, view: View, rows: &[usize]) -> Vec<f32> {
        let widths = self.widths(view);
        let part = |modality: &'a HeadRows| match view {
            View::Columns => (&modality.columns, modality.widths[0]),
            View::Components(_) => (&modality.components, modality.widths[1]),
        };
        if let [modality] = self.modalities[..] {
            let (values, width) = part(modality);
            if width == widths[0] {
                return gather(values, width, rows);
            }
        }
        let mut gathered = Vec::with_capacity(rows.len() * widths.iter().sum::<usize>());
        for row in rows {
            for (modality, taken) in self.modalities.iter().zip(&widths) {
                let (values, width) = part(modality);
                gathered.extend_from_slice(&values[row * width..][..*taken]);
            }
        }
        gathered
    }
}
