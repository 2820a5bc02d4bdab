//! The rows that densities and heads take as inputs.

use crate::densities::gauge::{Gauge, HeadRows, ModalityGauge, ModelCoordinates};
use crate::densities::points::gather;
use crate::features::Inputs;
use crate::heads::Features;
use crate::numbers::matrix::Matrix;

/// Rows in the coordinates that densities and heads take.
pub(in crate::estimator) struct ModelInputs {
    /// Each modality in the gauge's coordinates.
    densities: Vec<Columns<f32>>,
    /// The inputs of fitted heads, each modality.
    heads: Vec<HeadRows>,
    /// The logits of the user's own models of x1, x2 and both; none of more than two modalities.
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
        let mut given = rows.logits.into_iter().zip(are_given).map(|(logits, is_given)| {
            let logits = logits.filter(|_| is_given)?;
            Some(Columns { values: logits.values().to_vec(), columns: logits.columns() })
        });
        let logits = std::array::from_fn(|_| given.next().flatten());
        Self::of([(0, rows.x1), (1, rows.x2)].map(|(modality, x)| gauge.model_inputs(modality, x)), logits)
    }

    /// Converts rows of one modality, 0 (x1) or 1 (x2), which is the only one that the inputs have.
    pub(in crate::estimator) fn of_one(gauge: &Gauge, modality: usize, x: &Matrix) -> Self {
        Self::of([gauge.model_inputs(modality, x)], [None, None, None])
    }

    /// Converts rows of two modalities or more, none of whose heads is the user's own.
    pub(in crate::estimator) fn of_several<'a>(
        gauges: &[ModalityGauge],
        modalities: impl IntoIterator<Item = &'a Matrix>,
    ) -> Self {
        Self::of(gauges.iter().zip(modalities).map(|(gauge, x)| gauge.model_inputs(x)), [None, None, None])
    }

    fn of(modalities: impl IntoIterator<Item = ModelCoordinates>, logits: [Option<Columns<f64>>; 3]) -> Self {
        let (mut densities, mut heads) = (Vec::new(), Vec::new());
        for ModelCoordinates { density, heads: head_rows } in modalities {
            densities.push(density.into());
            heads.push(head_rows);
        }
        Self { densities, heads, logits }
    }

    /// Returns the number of rows.
    pub(in crate::estimator) fn rows(&self) -> usize {
        self.densities[0].values.len() / self.densities[0].columns
    }

    /// Returns the given rows as the density of these modalities, counted from 0, takes them: one after another.
    pub(in crate::estimator) fn density(&self, modalities: &[usize], rows: &[usize]) -> Columns<f32> {
        if let [modality] = modalities {
            let Columns { values, columns } = &self.densities[*modality];
            return Columns { values: gather(values, *columns, rows), columns: *columns };
        }
        let parts: Vec<&Columns<f32>> = modalities.iter().map(|modality| &self.densities[*modality]).collect();
        let columns = parts.iter().map(|part| part.columns).sum();
        let mut values = Vec::with_capacity(rows.len() * columns);
        for row in rows {
            for part in &parts {
                values.extend_from_slice(&part.values[row * part.columns..][..part.columns]);
            }
        }
        Columns { values, columns }
    }

    /// Returns the inputs of the head of these modalities, counted from 0.
    pub(in crate::estimator) fn features(&self, modalities: &[usize]) -> Features<'_> {
        Features::new(modalities.iter().map(|modality| &self.heads[*modality]).collect())
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
