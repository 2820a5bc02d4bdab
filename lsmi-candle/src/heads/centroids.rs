//! Nearest shrunken centroids: linear discriminant analysis for many classes, whose means are sparse.
//!
//! With many classes for the rows there are, class means are mostly noise. Each coordinate of a class mean that is not
//! further from the overall mean than some standard errors is set to it, the others are drawn towards it (Tibshirani,
//! Hastie, Narasimhan, Chu 2002, eq. 4 to 6); discrimination then uses the full covariance within classes. Sparse means are
//! a property of the columns that the user chose, so this is the one head that looks at the standardised columns
//! themselves. It is linear, `log p(y|x) = x' w_y + b_y + constant`, and expressed in the inputs of all other heads.

use super::rows::Rows;
use super::{Layer, NetworkHead};
use crate::linear_algebra::{product_transposed, second_moments};
use crate::mixture::{ridged_factor, shrink_to_sphere};

/// Standard errors within which a coordinate of a class mean counts as noise.
pub(super) const THRESHOLDS: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

/// Classes that count as many.
const MANY_CLASSES: usize = 20;

/// Whether there are so many classes, and so many numbers in their means for so few rows, that shrinking is worth a try.
pub(super) fn are_means_noisy(rows: usize, columns: usize, classes: usize) -> bool {
    classes >= MANY_CLASSES && 2 * classes * columns > rows
}

/// What the heads of all thresholds have in common.
pub(super) struct Centroids<'a> {
    classes: Classes,
    /// A whitening factor of the covariance within classes, `[columns, columns]`.
    factor: Vec<f64>,
    /// From head inputs to the standardised columns, `[columns, inputs]`; none where the inputs are those.
    back: Option<&'a [f64]>,
    rows: usize,
}

impl<'a> Centroids<'a> {
    /// Of rows of head inputs `[n, inputs]`; `back`, `[columns, inputs]`, leads to the standardised columns, none where the
    /// inputs are those.
    pub(super) fn of(rows: &Rows<'_>, back: Option<&'a [f64]>) -> Self {
        let points = &rows.sample.points;
        let given: Vec<f64> = points.values().iter().map(|value| f64::from(*value)).collect();
        let returned = back.map(|back| product_transposed(&given, back, points.columns()));
        let values = returned.as_deref().unwrap_or(&given);
        let columns = values.len() / rows.labels.len();
        let classes = Classes::of(values, columns, rows.labels, rows.classes);
        let factor = ridged_factor(&classes.within, columns, 1.0);
        Self { classes, factor, back, rows: rows.labels.len() }
    }

    /// The head of means that are shrunken by so many of their standard errors.
    pub(super) fn head(&self, threshold: f64) -> NetworkHead {
        let Self { classes, factor, back, rows } = self;
        let columns = classes.overall.len();
        // The precision within classes is W' W.
        let whitened = product_transposed(&classes.shrunken_means(threshold), factor, columns);
        let weights = product_transposed(&whitened, &transposed(factor, columns), columns);
        let biases = whitened.chunks_exact(columns).zip(&classes.counts).map(|(mean, count)| {
            (count / *rows as f64).ln() - 0.5 * mean.iter().map(|value| value * value).sum::<f64>()
        });
        // x' w = (back z)' w = z' (back' w).
        let (weights, inputs) = match back {
            None => (weights, columns),
            Some(back) => {
                let inputs = back.len() / columns;
                (product_transposed(&weights, &transposed(back, inputs), columns), inputs)
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
        let single = |value: f64| value as f32;
        let output = Layer {
            weights: transposed(&weights, inputs).into_iter().map(single).collect(),
            biases: biases.map(single).collect(),
            inputs,
        };
        NetworkHead { hidden: None, output }
    }
}

/// The transpose of a row-major matrix of so many columns.
fn transposed(matrix: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)).copied().collect()
}

/// What linear discrimination needs of rows with labels.
struct Classes {
    /// Rows of each class; a class without rows counts as half a row.
    counts: Vec<f64>,
    /// `[classes, columns]`
    means: Vec<f64>,
    /// The mean over all rows.
    overall: Vec<f64>,
    /// Shrunk covariance within classes, `[columns, columns]`.
    within: Vec<f64>,
}

impl Classes {
    fn of(values: &[f64], columns: usize, labels: &[u32], classes: usize) -> Self {
        let rows = labels.len() as f64;
        let (mut counts, mut means, mut overall) =
            (vec![0.0f64; classes], vec![0.0; classes * columns], vec![0.0; columns]);
        for (row, label) in values.chunks_exact(columns).zip(labels) {
            counts[*label as usize] += 1.0;
            let mean = &mut means[*label as usize * columns..][..columns];
            for ((sum, total), value) in mean.iter_mut().zip(&mut overall).zip(row) {
                *sum += value;
                *total += value / rows;
            }
        }
        for (mean, count) in means.chunks_exact_mut(columns).zip(&mut counts) {
            if *count > 0.0 {
                for value in mean {
                    *value /= *count;
                }
            } else {
                mean.copy_from_slice(&overall);
                *count = 0.5;
            }
        }
        let of_row = |(row, label): (&[f64], &u32)| -> Vec<f64> {
            row.iter().zip(&means[*label as usize * columns..][..columns]).map(|(value, mean)| value - mean).collect()
        };
        let centred: Vec<f64> = values.chunks_exact(columns).zip(labels).flat_map(of_row).collect();
        let freedom = (rows - classes as f64).max(1.0);
        let mut within = second_moments(&centred, columns);
        for value in &mut within {
            *value /= freedom;
        }
        shrink_to_sphere(&mut within, columns, freedom);
        Self { counts, means, overall, within }
    }

    /// Class means with the overall mean subtracted, each coordinate soft-thresholded at so many of its standard errors.
    fn shrunken_means(&self, threshold: f64) -> Vec<f64> {
        let columns = self.overall.len();
        let deviation = |column: usize| self.within[column * columns + column].sqrt();
        let mut shrunken = Vec::with_capacity(self.means.len());
        for (mean, count) in self.means.chunks_exact(columns).zip(&self.counts) {
            for (column, (value, overall)) in mean.iter().zip(&self.overall).enumerate() {
                let difference = value - overall;
                let noise = threshold * deviation(column) / count.sqrt();
                shrunken.push(difference.signum() * (difference.abs() - noise).max(0.0));
            }
        }
        shrunken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heads::calibration::log_loss;
    use crate::mixture::Sample;
    use crate::points::{Points, single};
    use candle_core::Device;
    use lsmi_core::families::{FamilyName, Settings};
    use lsmi_core::random::stream;

    const CLASSES: usize = 40;

    fn rows(count: usize, seed: u64) -> (Vec<f64>, Vec<u32>, f64) {
        let settings = Settings { dims: CLASSES, classes: CLASSES, noise: 0.3, ..Default::default() };
        let family = FamilyName::Gauss.build(&settings).unwrap();
        let draw = family.sample(count, &mut stream(seed, "draw"));
        let terms = family.terms(&draw).unwrap();
        let truth = (CLASSES as f64).ln() - terms.means().i1;
        (draw.x1, draw.labels, truth)
    }

    #[test]
    fn sparse_means_of_many_classes_are_found_among_few_rows() {
        let (values, labels, _) = rows(800, 0);
        let sample = Sample::new(single(&values), CLASSES, &Device::Cpu).unwrap();
        let rows_of_fit = Rows { sample: &sample, labels: &labels, classes: CLASSES };
        let (fresh, of_fresh, truth) = rows(4000, 1);
        let fresh = Points::new(single(&fresh), CLASSES, &Device::Cpu).unwrap();
        let centroids = Centroids::of(&rows_of_fit, None);
        let loss = |threshold| {
            let head = centroids.head(threshold);
            log_loss(&head.log_posteriors(&fresh).unwrap(), &of_fresh)
        };
        // 20 rows a class leave an error of .3 / sqrt(20) in each of the 40 coordinates of a plain mean: .3 nats here, of
        // which sparse means save most.
        let (plain, sparse) = (loss(0.0) - truth, loss(3.0) - truth);
        assert!(plain > 0.2, "plain means cost {plain}");
        assert!(sparse < 0.1, "sparse means cost {sparse}");
    }

    #[test]
    fn a_linear_change_of_the_inputs_changes_nothing() {
        let (values, labels, _) = rows(400, 0);
        let sample = Sample::new(single(&values), CLASSES, &Device::Cpu).unwrap();
        let plain = Centroids::of(&Rows { sample: &sample, labels: &labels, classes: CLASSES }, None).head(2.0);
        // Inputs in falling order at double scale, and the map back.
        let turned: Vec<f64> =
            values.chunks_exact(CLASSES).flat_map(|row| row.iter().rev().map(|value| 2.0 * value)).collect();
        let mut back = vec![0.0; CLASSES * CLASSES];
        for column in 0..CLASSES {
            back[column * CLASSES + CLASSES - 1 - column] = 0.5;
        }
        let inputs = Sample::new(single(&turned), CLASSES, &Device::Cpu).unwrap();
        let changed =
            Centroids::of(&Rows { sample: &inputs, labels: &labels, classes: CLASSES }, Some(&back)).head(2.0);
        let (before, after) = (plain.log_posteriors(&sample.points), changed.log_posteriors(&inputs.points));
        for (before, after) in before.unwrap().iter().zip(after.unwrap()) {
            assert!((before - after).abs() < 1e-3, "{before} against {after}");
        }
    }
}
