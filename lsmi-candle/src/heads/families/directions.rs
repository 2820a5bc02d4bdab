//! Pairs of directions whose products separate the classes, which neither modality shows alone.
//!
//! With components at unit variance z1, z2 and the cross-covariance `C_y = mean of z1 z2'` over the rows of class y, the
//! leading eigenvectors of `sum_y p_y (C_y - C) (C_y - C)'` are the directions of modality 1, along which the covariance with
//! modality 2 differs most between classes, and those of `sum_y p_y (C_y - C)' (C_y - C)` the directions of modality 2: for
//! two classes the leading singular vectors of the difference, a second-order analogue of sliced average variance estimation
//! (Cook, Weisberg 1991) for what two blocks of columns share. A quadratic discriminant follows in these few coordinates. As
//! directions fit their rows' noise too, it is fitted to rows that they have not seen. The path is the number of pairs.

use super::{Classifier, Family, Listener, Problem, Training};
use crate::densities::mixture::{Covariance, Sample};
use crate::densities::points::{Points, single};
use crate::error::Result;
use crate::estimator::folds::{LabelledRows, stratified_folds};
use crate::heads::maps::Directions as Axes;
use crate::heads::rows::Rows;
use crate::heads::{FeatureMap, GenerativeHead, Head, View};
use crate::numbers::linear_algebra::{product_transposed, symmetric_eigen};

/// Numbers of pairs.
const PAIRS: [usize; 5] = [1, 2, 4, 8, 16];
/// The largest number of components of a modality.
const MOST: usize = 256;
/// The number of parts of the rows, of which one is for the discriminant, the others for the directions.
const PARTS: u32 = 4;

pub(super) struct Directions {
    view: View,
    pairs: Vec<usize>,
}

impl Directions {
    pub(super) fn new(problem: &Problem) -> Self {
        let least = problem.components.iter().copied().min().unwrap_or(1).min(MOST);
        Self { view: View::Components(MOST), pairs: PAIRS.into_iter().filter(|pairs| *pairs <= least).collect() }
    }

    /// Returns the rows that directions are found on, and those of the discriminant: indices into the rows of the fit.
    fn parts(training: &Training<'_>) -> [Vec<usize>; 2] {
        let groups: Option<Vec<u32>> =
            training.groups.map(|groups| training.rows.iter().map(|row| groups[*row]).collect());
        let rows = LabelledRows { labels: training.labels, classes: training.classes, groups: groups.as_deref() };
        let part = stratified_folds(&rows, PARTS, training.seed, "rows of directions");
        let (second, first) = (0..part.len()).partition(|row| part[*row] == 0);
        [first, second]
    }

    /// Directions of both modalities by falling eigenvalue, each `[components, components]`, row-major; `None` where they
    /// cannot be computed.
    fn axes(&self, training: &Training<'_>, rows: &[usize]) -> Option<[Vec<f64>; 2]> {
        let widths = training.features.widths(self.view);
        let columns = widths[0] + widths[1];
        let gathered: Vec<usize> = rows.iter().map(|row| training.rows[*row]).collect();
        let values = training.features.gather(self.view, &gathered);
        let labels: Vec<u32> = rows.iter().map(|row| training.labels[*row]).collect();
        let scales = inverse_deviations(&values, columns);
        let differences = cross_covariances(&values, &labels, training.classes, [widths[0], widths[1]], &scales);
        let directions = |is_first: bool| {
            let size = if is_first { widths[0] } else { widths[1] };
            let mut sum = vec![0.0; size * size];
            for (share, difference) in &differences {
                let rows = if is_first { difference.clone() } else { transposed(difference, widths[1]) };
                let product = product_transposed(&rows, &rows, widths[0] + widths[1] - size);
                for (sum, value) in sum.iter_mut().zip(product) {
                    *sum += share * value;
                }
            }
            let (_, mut vectors) = symmetric_eigen(&sum, size)?;
            let scales = if is_first { &scales[..widths[0]] } else { &scales[widths[0]..] };
            for axis in vectors.chunks_exact_mut(size) {
                for (weight, scale) in axis.iter_mut().zip(scales) {
                    *weight *= scale;
                }
            }
            vectors.iter().all(|weight| weight.is_finite()).then_some(vectors)
        };
        Some([directions(true)?, directions(false)?])
    }

    /// Returns the map to the leading pairs.
    fn map(axes: &[Vec<f64>; 2], widths: &[usize], pairs: usize) -> FeatureMap {
        let columns = widths[0] + widths[1];
        let mut map = Vec::with_capacity(2 * pairs * columns);
        for pair in 0..pairs {
            map.extend_from_slice(&axes[0][pair * widths[0]..][..widths[0]]);
            map.extend(std::iter::repeat_n(0.0, columns));
            map.extend_from_slice(&axes[1][pair * widths[1]..][..widths[1]]);
        }
        FeatureMap::Directions(Axes { axes: single(&map), columns })
    }

    /// Returns the discriminant in the mapped coordinates.
    fn classifier(&self, training: &Training<'_>, map: FeatureMap, rows: &[usize]) -> Result<Classifier> {
        let gathered: Vec<usize> = rows.iter().map(|row| training.rows[*row]).collect();
        let labels: Vec<u32> = rows.iter().map(|row| training.labels[*row]).collect();
        let values = map.apply(&training.features.gather(self.view, &gathered));
        let sample = Sample::new(values, map.outputs(), training.device)?;
        let rows = Rows { sample: &sample, labels: &labels, classes: training.classes };
        let head = Head::Generative(GenerativeHead::discriminant(&rows, Covariance::Full)?);
        Ok(Classifier { view: self.view, map: Some(map), head })
    }
}

impl Family for Directions {
    fn name(&self, setting: usize) -> String {
        format!("quadratic discriminant of {} pairs of directions", self.pairs[setting])
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        let [first, second] = Self::parts(training);
        let Some(axes) = self.axes(training, &first) else { return Ok(()) };
        let widths = training.features.widths(self.view);
        let held_out = training.features.gather(self.view, held_out);
        for pairs in &self.pairs {
            let map = Self::map(&axes, &widths, *pairs);
            let (mapped, outputs) = (map.apply(&held_out), map.outputs());
            let classifier = self.classifier(training, map, &second)?;
            if !listener(classifier.head.log_posteriors(&Points::new(mapped, outputs, training.device)?)?) {
                break;
            }
        }
        Ok(())
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        let [first, second] = Self::parts(training);
        let widths = training.features.widths(self.view);
        // The identity where the eigenvectors of a path that could be computed cannot be computed again.
        let axes = self.axes(training, &first).unwrap_or_else(|| [identity(widths[0]), identity(widths[1])]);
        self.classifier(training, Self::map(&axes, &widths, self.pairs[setting]), &second)
    }
}

fn identity(size: usize) -> Vec<f64> {
    (0..size * size).map(|index| f64::from(u8::from(index % (size + 1) == 0))).collect()
}

/// Returns one over the deviation of each column about 0, the mean of all rows; 0 for a column without any.
fn inverse_deviations(values: &[f32], columns: usize) -> Vec<f64> {
    let mut squares = vec![0.0; columns];
    for row in values.chunks_exact(columns) {
        for (sum, value) in squares.iter_mut().zip(row) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    let rows = (values.len() / columns) as f64;
    squares.into_iter().map(|sum| if sum > 0.0 { (sum / rows).sqrt().recip() } else { 0.0 }).collect()
}

/// Returns for every class its share of the rows, and its cross-covariance less that of all rows, `[first, second]`, of
/// scaled columns.
fn cross_covariances(
    values: &[f32],
    labels: &[u32],
    classes: usize,
    [first, second]: [usize; 2],
    scales: &[f64],
) -> Vec<(f64, Vec<f64>)> {
    let columns = first + second;
    let rows = labels.len() as f64;
    let mut overall = vec![0.0; first * second];
    let mut class_covariances = Vec::with_capacity(classes);
    for class in 0..classes {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut count = 0.0;
        for (row, label) in values.chunks_exact(columns).zip(labels) {
            if *label as usize == class {
                let scaled = row.iter().zip(scales).map(|(value, scale)| f64::from(*value) * scale);
                let scaled: Vec<f64> = scaled.collect();
                left.extend_from_slice(&scaled[..first]);
                right.extend_from_slice(&scaled[first..]);
                count += 1.0;
            }
        }
        if count == 0.0 {
            continue;
        }
        let mut product =
            product_transposed(&transposed(&left, first), &transposed(&right, second), left.len() / first);
        for (value, overall) in product.iter_mut().zip(&mut overall) {
            *overall += *value / rows;
            *value /= count;
        }
        class_covariances.push((count / rows, product));
    }
    for (_, product) in &mut class_covariances {
        for (value, overall) in product.iter_mut().zip(&overall) {
            *value -= overall;
        }
    }
    class_covariances
}

/// Returns the transpose of a row-major matrix with `columns` columns.
fn transposed(matrix: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)).copied().collect()
}
