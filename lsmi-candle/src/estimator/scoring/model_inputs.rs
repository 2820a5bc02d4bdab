//! The rows that densities and heads take as inputs.

use crate::densities::gauge::{Gauge, HeadRows};
use crate::densities::points::gather;
use crate::features::Inputs;
use crate::heads::Features;

/// Rows in the coordinates that densities and heads take.
pub(in crate::estimator) struct ModelInputs {
    /// x1 and x2 in the gauge's coordinates.
    densities: [Columns<f32>; 2],
    /// The inputs of fitted heads, x1 and x2.
    heads: [HeadRows; 2],
    /// The logits of the user's own models of x1, x2 and both.
    logits: [Option<Columns<f64>>; 3],
}

/// Rows of `columns` columns, row-major.
pub(in crate::estimator) struct Columns<Value> {
    pub(in crate::estimator) values: Vec<Value>,
    pub(in crate::estimator) columns: usize,
}

impl ModelInputs {
    /// Converts rows to the inputs of models. `are_given` says which heads are the user's own, whose inputs are their
    /// logits.
    pub(in crate::estimator) fn new(gauge: &Gauge, rows: &Inputs<'_>, are_given: [bool; 3]) -> Self {
        let [first, second] = [(0, rows.x1), (1, rows.x2)].map(|(modality, x)| gauge.model_inputs(modality, x));
        let mut given = rows.logits.into_iter().zip(are_given).map(|(logits, is_given)| {
            let logits = logits.filter(|_| is_given)?;
            Some(Columns { values: logits.values().to_vec(), columns: logits.columns() })
        });
        Self {
            densities: [first.density.into(), second.density.into()],
            heads: [first.heads, second.heads],
            logits: std::array::from_fn(|_| given.next().flatten()),
        }
    }

    /// Returns the number of rows.
    pub(in crate::estimator) fn rows(&self) -> usize {
        self.densities[0].values.len() / self.densities[0].columns
    }

    /// Returns the given rows as the density of modality 0 or 1 takes them.
    pub(in crate::estimator) fn density(&self, modality: usize, rows: &[usize]) -> Columns<f32> {
        let Columns { values, columns } = &self.densities[modality];
        Columns { values: gather(values, *columns, rows), columns: *columns }
    }

    /// Returns the inputs of head 0 (x1), 1 (x2) or 2 (both).
    pub(in crate::estimator) fn features(&self, head: usize) -> Features<'_> {
        let [first, second] = &self.heads;
        Features::new(match head {
            0 => vec![first],
            1 => vec![second],
            _ => vec![first, second],
        })
    }

    /// Returns the user's logits of the given rows, or `None` if that head is fitted.
    pub(in crate::estimator) fn logits(&self, head: usize, rows: &[usize]) -> Option<Columns<f64>> {
        let Columns { values, columns } = self.logits[head].as_ref()?;
        let values = rows.iter().flat_map(|row| &values[row * columns..][..*columns]).copied().collect();
        Some(Columns { values, columns: *columns })
    }
}

impl From<(Vec<f32>, usize)> for Columns<f32> {
    fn from((values, columns): (Vec<f32>, usize)) -> Self {
        Self { values, columns }
    }
}
