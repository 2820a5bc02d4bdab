//! Fits margins by smoothed quantiles, column by column.
//!
//! The rows of a column in rising order, against normal scores, are its quantiles as a function of the score. A knot is where
//! a line fitted to those of nearby scores passes, with that line's slope (Fan 1992; Epanechnikov's weights of 1969, so that
//! all scores count alike). Quantiles are smooth in the score where densities are not in the value: at sharp edges.

use std::f64::consts::TAU;

use super::curve::{Curve, Knot};
use super::scores::{density, quantile, scores};
use super::{Margins, Rows};
use crate::densities::mixture::Mixture;

/// Fewest rows that curves are fitted to.
const LEAST_ROWS: usize = 50;
/// Rows beyond the last knot on either side.
const ROWS_OF_A_TAIL: f64 = 5.0;
/// The largest distances of the scores that a knot depends on from its own, for n rows: one of these times n^-1/5. The
/// first is best for smooth quantiles, the last for densities with poles.
const REACHES: [f64; 3] = [2.0, 1.0, 0.5];
/// The largest share of the rows that may have the same value: such values have no density.
const MOST_EQUAL: f64 = 0.01;
/// The number of rows that may have the same value in any case.
const LEAST_EQUAL: usize = 3;
/// Standard errors that a gain over the normal distribution exceeds: fewer could be chance.
const ERRORS: f64 = 2.0;
/// The largest contribution of a single row, in nats.
const LARGEST_GAIN: f64 = 5.0;
/// The distance of the quartiles of a normal distribution.
const QUARTILES_APART: f64 = 1.348_979_500_392_163;

impl Margins {
    /// Fits curves to the columns that are not normal: all are fitted to the rows that are kept and compared by those
    /// held out. Returns `None` if the margins of a mixture, fitted to the same rows, describe every column as well.
    pub(in crate::densities::knife) fn fit(kept: Rows<'_>, held_out: Rows<'_>, mixture: &Mixture) -> Option<Self> {
        let grids = REACHES.iter().filter_map(|reach| Grid::new(kept.count(), *reach)).collect::<Vec<_>>();
        let squared_scales = mixture.squared_scales();
        let mut curves = Vec::with_capacity(kept.columns);
        let mut is_more = false;
        for column in 0..kept.columns {
            let (rising, fresh) = (kept.rising(column), held_out.column(column).collect::<Vec<_>>());
            let best = best_curve(&grids, &rising, &fresh)
                .filter(|(_, by_curve)| Gain::new(by_curve, &log_normal_densities(&rising, &fresh)).exceeds_chance());
            is_more |= best.as_ref().is_some_and(|(_, by_curve)| {
                let by_mixture = mixture.log_density_of_column(column, &squared_scales, &fresh);
                Gain::new(by_curve, &by_mixture).mean > 0.0
            });
            curves.push(best.map(|(curve, _)| curve));
        }
        is_more.then_some(Self { curves })
    }
}

/// Returns the curve under which fresh values are likeliest, with their log densities. Returns `None` if values repeat.
fn best_curve(grids: &[Grid], rising: &[f64], fresh: &[f64]) -> Option<(Curve, Vec<f64>)> {
    let mut best: Option<(Curve, Vec<f64>, f64)> = None;
    for curve in grids.iter().filter_map(|grid| grid.curve(rising)) {
        let of_value = |value: &f64| {
            let (score, log_derivative) = curve.at(*value);
            log_derivative - 0.5 * (score * score + TAU.ln())
        };
        let densities: Vec<f64> = fresh.iter().map(of_value).collect();
        let total = densities.iter().sum();
        if best.as_ref().is_none_or(|(.., most)| total > *most) {
            best = Some((curve, densities, total));
        }
    }
    best.map(|(curve, densities, _)| (curve, densities))
}

/// Returns log densities of values under the normal distribution of other values.
fn log_normal_densities(values: &[f64], fresh: &[f64]) -> Vec<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    fresh.iter().map(|value| -0.5 * ((value - mean) * (value - mean) / variance + (TAU * variance).ln())).collect()
}

impl Rows<'_> {
    fn count(&self) -> usize {
        self.values.len() / self.columns
    }

    fn column(&self, column: usize) -> impl Iterator<Item = f64> {
        self.values.iter().skip(column).step_by(self.columns).copied().map(f64::from)
    }

    /// Returns the values of a column in rising order.
    fn rising(&self, column: usize) -> Vec<f64> {
        let mut values: Vec<f64> = self.column(column).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }
}

/// The gain in log likelihood from one density to another, in nats.
///
/// A row counts for no more than a few nats in favour of the one: a single row that is most unlikely by the other would hide
/// what all others say.
pub(in crate::densities::knife) struct Gain {
    pub(in crate::densities::knife) mean: f64,
    standard_error: f64,
}

impl Gain {
    /// Computes the gain from log densities of the same rows by both.
    pub(in crate::densities::knife) fn new(densities: &[f64], others: &[f64]) -> Self {
        let count = densities.len() as f64;
        let gains: Vec<f64> =
            densities.iter().zip(others).map(|(one, other)| (one - other).min(LARGEST_GAIN)).collect();
        let mean = gains.iter().sum::<f64>() / count;
        let variance = gains.iter().map(|gain| (gain - mean) * (gain - mean)).sum::<f64>() / (count - 1.0).max(1.0);
        Self { mean, standard_error: (variance / count).sqrt() }
    }

    fn exceeds_chance(&self) -> bool {
        self.mean > ERRORS * self.standard_error
    }
}

/// The scores of rows and of knots, for all columns alike.
struct Grid {
    /// Scores of rows in rising order.
    row_scores: Vec<f64>,
    knot_scores: Vec<f64>,
    reach: f64,
}

impl Grid {
    /// Creates the scores of `rows` rows. Returns `None` for too few.
    fn new(rows: usize, reach: f64) -> Option<Self> {
        if rows < LEAST_ROWS {
            return None;
        }
        let last = -quantile(ROWS_OF_A_TAIL / rows as f64);
        let reach = reach * (rows as f64).powf(-0.2);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few dozen")]
        let intervals = (2.0 * last / reach).ceil() as usize;
        let knot_scores = (0..=intervals).map(|knot| last * (2.0 * knot as f64 / intervals as f64 - 1.0)).collect();
        Some(Self { row_scores: scores(rows), knot_scores, reach })
    }

    /// Fits the curve of a column, whose values rise. Returns `None` if values repeat.
    fn curve(&self, values: &[f64]) -> Option<Curve> {
        let count = values.len();
        let equal = values.chunk_by(|a, b| a == b).map(<[f64]>::len).max()?;
        if equal > LEAST_EQUAL && equal as f64 > MOST_EQUAL * count as f64 {
            return None;
        }
        let centre = values[count / 2];
        let scale = (values[count * 3 / 4] - values[count / 4]) / QUARTILES_APART;
        let moderate: Vec<f64> = values.iter().map(|value| ((value - centre) / scale).asinh()).collect();
        let knots = self.knot_scores.iter().map(|score| self.knot(&moderate, *score)).collect();
        Curve::new(centre, scale, knots)
    }

    /// Returns the knot at a score: a line fitted to the values of nearby scores.
    fn knot(&self, values: &[f64], score: f64) -> Knot {
        let nearby = self.row_scores.partition_point(|row_score| *row_score < score - self.reach)
            ..self.row_scores.partition_point(|row_score| *row_score < score + self.reach);
        let (mut sum, mut first, mut second, mut mean, mut product) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (row_score, value) in self.row_scores[nearby.clone()].iter().zip(&values[nearby]) {
            let distance = (row_score - score) / self.reach;
            // Rows are rarer where the density is low.
            let weight = (1.0 - distance * distance) / density(*row_score);
            sum += weight;
            first += weight * distance;
            second += weight * distance * distance;
            mean += weight * value;
            product += weight * distance * value;
        }
        let slope = (sum * product - first * mean) / (sum * second - first * first);
        Knot { place: (mean - slope * first) / sum, score, slope: self.reach / slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::densities::mixture::Covariance;
    use lsmi_core::random::stream;
    use rand::Rng;
    use rand_distr::StandardNormal;

    const COUNT: usize = 2000;

    /// A normal and a uniform column.
    fn rows(name: &str) -> Vec<f32> {
        let mut random = stream(0, name);
        (0..COUNT).flat_map(|_| [random.sample::<f32, _>(StandardNormal), random.random()]).collect()
    }

    #[test]
    fn only_a_column_that_needs_one_gets_a_curve() {
        let [kept, held_out] = [rows("kept"), rows("held out")];
        let in_rows = |values| Rows { values, columns: 2 };
        let mixture = Mixture::new(Covariance::Diagonal, vec![0.0], vec![0.0, 0.5], vec![1.0, 12.0f32.sqrt()]).unwrap();
        let margins = Margins::fit(in_rows(&kept), in_rows(&held_out), &mixture).unwrap();
        assert!(margins.curves[0].is_none());
        let curve = margins.curves[1].as_ref().unwrap();
        // The score of a share of .9 is 1.2816; of 2,000 rows it is known to about .02.
        assert!((curve.at(0.9).0 - 1.2816).abs() < 0.06, "{}", curve.at(0.9).0);
        assert!(Margins::fit(in_rows(&kept[..80]), in_rows(&held_out), &mixture).is_none(), "too few rows");
    }

    #[test]
    fn gains_within_chance_do_not_count() {
        let gains = |shift: f64| -> Vec<f64> { (0..100).map(|row| shift + f64::from(row % 2) - 0.5).collect() };
        let count = |gains: &[f64]| Gain::new(gains, &[0.0; 100]).exceeds_chance();
        // The standard error of the mean is .05.
        assert!(!count(&gains(0.0)) && !count(&gains(0.09)) && count(&gains(0.12)));
        let mut with_one_large = gains(0.12);
        with_one_large[0] = 1e6;
        assert!(count(&with_one_large));
        with_one_large[0] = -1e6;
        assert!(!count(&with_one_large));
        assert!(!count(&[0.0; 100]));
    }
}
