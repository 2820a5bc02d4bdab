//! Nearest shrunken centroids: linear discriminant analysis for many classes, whose means are sparse.
//!
//! With many classes for the rows there are, class means are mostly noise. Each coordinate of a class mean that is not
//! further from the overall mean than some standard errors is set to it, the others are drawn towards it (Tibshirani,
//! Hastie, Narasimhan, Chu 2002, eq. 4 to 6); discrimination then uses the full covariance within classes. Sparse means are
//! a property of the columns that the user chose, so this family looks at the standardised columns and not at components. It
//! is linear, `log p(y|x) = x' w_y + b_y + constant`.

use super::{Classifier, Family, Listener, Problem, Training};
use crate::densities::mixture::{ridged_factor, shrink_to_sphere};
use crate::error::Result;
use crate::heads::{Head, Layer, NetworkHead, View};
use crate::numbers::linear_algebra::{product_transposed, second_moments};

/// Numbers of standard errors within which a coordinate of a class mean counts as noise, falling.
const THRESHOLDS: [f64; 4] = [4.0, 3.0, 2.0, 1.0];
/// Classes that count as many.
const MANY_CLASSES: usize = 20;
/// The most columns: the covariance of more takes too long.
const MOST_COLUMNS: usize = 2048;

/// Returns whether shrinking is worth a try: whether there are so many classes, and so many numbers in their means for
/// so few rows.
pub(super) fn are_means_noisy(problem: &Problem) -> bool {
    let columns: usize = problem.columns.iter().sum();
    problem.classes >= MANY_CLASSES && columns <= MOST_COLUMNS && 2 * problem.classes * columns > problem.rows
}

pub(super) struct ShrunkenCentroids;

impl ShrunkenCentroids {
    fn centroids(training: &Training<'_>) -> Centroids {
        let values = training.features.gather(View::Columns, training.rows);
        Centroids::new(&values, training.features.width(View::Columns), training.labels, training.classes)
    }
}

impl Family for ShrunkenCentroids {
    fn name(&self, setting: usize) -> String {
        format!("centroids shrunken by {}", THRESHOLDS[setting])
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        let (centroids, held_out) = (Self::centroids(training), training.points(View::Columns, held_out)?);
        for threshold in THRESHOLDS {
            if !listener(centroids.head(threshold).log_posteriors(&held_out)?) {
                break;
            }
        }
        Ok(())
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        let head = Head::Network(Self::centroids(training).head(THRESHOLDS[setting]));
        Ok(Classifier { view: View::Columns, map: None, head })
    }
}

/// The parts that the heads of all thresholds share.
struct Centroids {
    classes: Classes,
    /// A whitening factor of the covariance within classes, `[columns, columns]`.
    factor: Vec<f64>,
    rows: usize,
}

impl Centroids {
    /// Computes the parts from rows `[n, columns]`, row-major.
    fn new(values: &[f32], columns: usize, labels: &[u32], classes: usize) -> Self {
        let values: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
        let classes = Classes::new(&values, columns, labels, classes);
        let factor = ridged_factor(&classes.within, columns, 1.0);
        Self { classes, factor, rows: labels.len() }
    }

    /// Returns the head of means that are shrunken by `threshold` of their standard errors.
    fn head(&self, threshold: f64) -> NetworkHead {
        let Self { classes, factor, rows } = self;
        let columns = classes.overall.len();
        // The precision within classes is W' W.
        let whitened = product_transposed(&classes.shrunken_means(threshold), factor, columns);
        let weights = product_transposed(&whitened, &transposed(factor, columns), columns);
        let biases = whitened.chunks_exact(columns).zip(&classes.counts).map(|(mean, count)| {
            (count / *rows as f64).ln() - 0.5 * mean.iter().map(|value| value * value).sum::<f64>()
        });
        #[expect(clippy::cast_possible_truncation, reason = "parameters are f32 by design")]
        let single = |value: f64| value as f32;
        NetworkHead::linear(Layer {
            weights: transposed(&weights, columns).into_iter().map(single).collect(),
            biases: biases.map(single).collect(),
            inputs: columns,
        })
    }
}

/// Returns the transpose of a row-major matrix with `columns` columns.
fn transposed(matrix: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)).copied().collect()
}

/// The statistics of linear discrimination from rows with labels.
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
    fn new(values: &[f64], columns: usize, labels: &[u32], classes: usize) -> Self {
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

    /// Returns class means with the overall mean subtracted, each coordinate soft-thresholded at `threshold` of its
    /// standard errors.
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
    use crate::densities::points::{Points, single};
    use crate::heads::calibration::log_loss;
    use candle_core::Device;
    use lsmi_core::families::{FamilyName, Settings};
    use lsmi_core::random::stream;

    const CLASSES: usize = 40;

    fn rows(count: usize, seed: u64) -> (Vec<f32>, Vec<u32>, f64) {
        let settings = Settings { dims: CLASSES, classes: CLASSES, noise: 0.3, ..Default::default() };
        let family = FamilyName::Gauss.build(&settings).unwrap();
        let draw = family.sample(count, &mut stream(seed, "draw"));
        let terms = family.terms(&draw).unwrap();
        let truth = (CLASSES as f64).ln() - terms.means().i1;
        (single(&draw.x1), draw.labels, truth)
    }

    #[test]
    fn sparse_means_of_many_classes_are_found_among_few_rows() {
        let (values, labels, _) = rows(800, 0);
        let (fresh, of_fresh, truth) = rows(4000, 1);
        let fresh = Points::new(fresh, CLASSES, &Device::Cpu).unwrap();
        let centroids = Centroids::new(&values, CLASSES, &labels, CLASSES);
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
}
