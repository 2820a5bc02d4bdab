//! Rows as densities and heads take them.

use crate::features::Inputs;
use crate::gauge::Gauge;
use crate::points::gather;

/// Rows in the coordinates that densities and heads take.
pub(super) struct ModelInputs {
    /// x1 and x2 in the gauge's coordinates.
    densities: [Columns<f32>; 2],
    /// What fitted heads see of x1 and x2; that of both is put together when it is asked for.
    features: [Columns<f32>; 2],
    /// The logits of the user's own models of x1, x2 and both.
    logits: [Option<Columns<f64>>; 3],
    /// From what fitted heads see to standardised columns, see [`Gauge::back`].
    pub(super) back: [Option<Vec<f64>>; 3],
}

/// Rows of so many columns, row-major.
pub(super) struct Columns<Value> {
    pub(super) values: Vec<Value>,
    pub(super) columns: usize,
}

impl ModelInputs {
    /// `are_given` says which heads are the user's own, whose inputs are their logits.
    pub(super) fn new(gauge: &Gauge, rows: &Inputs<'_>, are_given: [bool; 3]) -> Self {
        let [first, second] = [(0, rows.x1), (1, rows.x2)].map(|(modality, x)| gauge.model_inputs(modality, x));
        let mut given = rows.logits.into_iter().zip(are_given).map(|(logits, is_given)| {
            let logits = logits.filter(|_| is_given)?;
            Some(Columns { values: logits.values().to_vec(), columns: logits.columns() })
        });
        Self {
            densities: [first.density.into(), second.density.into()],
            features: [first.head.into(), second.head.into()],
            logits: std::array::from_fn(|_| given.next().flatten()),
            back: [gauge.back(0), gauge.back(1), gauge.back(2)],
        }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.densities[0].values.len() / self.densities[0].columns
    }

    /// The given rows as the density of modality 0 or 1 takes them.
    pub(super) fn density(&self, modality: usize, rows: &[usize]) -> Columns<f32> {
        let Columns { values, columns } = &self.densities[modality];
        Columns { values: gather(values, *columns, rows), columns: *columns }
    }

    /// The given rows as head 0 (x1), 1 (x2) or 2 (both) takes them where it is fitted.
    pub(super) fn head(&self, head: usize, rows: &[usize]) -> Columns<f32> {
        if head < 2 {
            let Columns { values, columns } = &self.features[head];
            return Columns { values: gather(values, *columns, rows), columns: *columns };
        }
        let columns = self.features[0].columns + self.features[1].columns;
        let mut values = Vec::with_capacity(rows.len() * columns);
        for row in rows {
            for Columns { values: of_modality, columns } in &self.features {
                values.extend_from_slice(&of_modality[row * columns..][..*columns]);
            }
        }
        Columns { values, columns }
    }

    /// The given rows of the user's logits; none where that head is fitted.
    pub(super) fn logits(&self, head: usize, rows: &[usize]) -> Option<Columns<f64>> {
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
