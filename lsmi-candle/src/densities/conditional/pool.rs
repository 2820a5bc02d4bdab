//! Pools of conditional densities, which give p(y|x) of a modality or of both.

use super::columns::Given;
use super::family::{ResidualDensity, with_line};
use super::normals::Predicted;
use super::ridge::Ridge;

/// The number of leading principal components of a modality that the linear-Gaussian density takes at most.
pub(crate) const MOST_COLUMNS_OF_A_LINE: usize = 2048;

/// A member of a pool.
#[derive(Debug, Clone)]
pub(crate) enum Member {
    /// The density without the features.
    Baseline,
    /// The pool of modality 0 (x1) or 1 (x2), in the pool of both.
    Part(usize),
    /// The linear-Gaussian density, its deviations multiplied by a factor that unseen rows chose.
    Line { spread: f64 },
    /// A density of its residuals, which takes so many leading principal components of a modality.
    Residual { density: ResidualDensity, most_columns: usize, spread: f64 },
}

/// Conditional densities that are pooled, `p(y|x) = (1 - e) sum_m w_m p_m(y|x) + e p(y)`.
#[derive(Debug, Clone)]
pub(crate) struct DensityPool {
    /// The line that own members build on; none if there are no such.
    pub(crate) line: Option<Ridge>,
    pub(crate) members: Vec<Member>,
    /// Positive weights with sum 1, one for each member.
    pub(crate) weights: Vec<f64>,
    /// The weight `e` of the density without features: that of a single row, so that no target costs more.
    pub(crate) floor: f64,
}

impl DensityPool {
    /// Returns what the pool says of rows at their targets. `baseline` is what the density without features says, `parts`
    /// what the pools of both modalities say if the pool is of both.
    pub(crate) fn at(
        &self,
        given: &Given<'_>,
        rows: &[usize],
        targets: &[f64],
        baseline: &Predicted,
        parts: &[Predicted],
    ) -> Predicted {
        let line =
            self.line.as_ref().map(|line| (line, line.predict(&given.gather(MOST_COLUMNS_OF_A_LINE, rows).values)));
        let mut own: Vec<Option<Predicted>> = Vec::with_capacity(self.members.len());
        for member in &self.members {
            own.push(line.as_ref().and_then(|(line, predicted)| match member {
                Member::Baseline | Member::Part(_) => None,
                Member::Line { spread } => Some(predicted.at(targets, *spread)),
                Member::Residual { density, most_columns, spread } => {
                    let residuals = density.predict(&given.gather(*most_columns, rows).values);
                    Some(with_line(line, predicted, residuals).at(targets, *spread))
                }
            }));
        }
        let members: Vec<&Predicted> = self
            .members
            .iter()
            .zip(&own)
            .map(|(member, own)| match (member, own) {
                (_, Some(own)) => own,
                (Member::Part(part), None) => &parts[*part],
                (_, None) => baseline,
            })
            .collect();
        Predicted::pooled(&members, &self.weights).with_floor(self.floor, baseline)
    }
}
