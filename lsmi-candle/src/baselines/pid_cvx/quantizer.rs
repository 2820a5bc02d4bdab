//! Makes features discrete: rows of length 1, principal components, k-means.

use lsmi_core::random::stream;

use super::Params;
use crate::densities::mixture::{Rounds, cluster, nearest_centres};
use crate::error::{EstimatorError, Result};
use crate::estimator::check_samples;
use crate::features::FeatureSet;
use crate::numbers::linear_algebra::{second_moments, symmetric_eigen};
use crate::numbers::matrix::Matrix;

/// K-means stops where the centres' squared moves sum to less than this, in units of the coordinates' mean square.
const TOLERANCE: f64 = 1e-4;

/// Clusters of each modality, fitted to samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantizer {
    clusters: usize,
    modalities: [Modality; 2],
}

/// The way from the features of one modality to a cluster.
#[derive(Debug, Clone, PartialEq)]
struct Modality {
    normalise: bool,
    mean: Vec<f64>,
    /// Principal axes, `[components, columns]`, over the scale.
    axes: Vec<f64>,
    /// The root mean square of principal components.
    scale: f64,
    /// Centres of clusters, `[clusters, components]`, in scaled components.
    centres: Vec<f32>,
}

impl Quantizer {
    /// Fits components and clusters to the samples; labels are only checked.
    ///
    /// # Errors
    /// [`EstimatorError::Samples`] if the samples do not fit together or are not finite, or if a modality has no principal
    /// components; [`EstimatorError::Setting`] for parameters out of their range, such as more clusters than rows.
    pub fn fit(samples: &FeatureSet, classes: usize, params: &Params) -> Result<Self> {
        check_samples(samples, classes)?;
        params.check(samples.rows())?;
        let first = Modality::fit(&samples.x1, "x1", params)?;
        let second = Modality::fit(&samples.x2, "x2", params)?;
        Ok(Self { clusters: params.clusters, modalities: [first, second] })
    }

    /// Clusters of each modality, those without rows included.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// Returns the cluster of each row, and the inertia, of each modality.
    pub(super) fn assign(&self, samples: &FeatureSet) -> Result<[(Vec<u32>, f64); 2]> {
        let [first, second] = &self.modalities;
        Ok([first.assign(&samples.x1, "x1")?, second.assign(&samples.x2, "x2")?])
    }
}

impl Modality {
    fn fit(x: &Matrix, name: &'static str, params: &Params) -> Result<Self> {
        let columns = x.columns();
        let mut rows = directed(x, params.normalise);
        let mut mean = vec![0.0; columns];
        for row in rows.chunks_exact(columns) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value);
        }
        for mean in &mut mean {
            *mean /= x.rows() as f64;
        }
        for row in rows.chunks_exact_mut(columns) {
            row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
        }
        let failed = || EstimatorError::Samples {
            what: name,
            found: "beyond what principal components can be computed of".to_owned(),
            expected: "of ordinary magnitude".to_owned(),
        };
        let (_, axes) = symmetric_eigen(&second_moments(&rows, columns), columns).ok_or_else(failed)?;
        let components = params.components.min(columns);
        let mut modality = Self {
            normalise: params.normalise,
            mean,
            axes: axes[..components * columns].to_vec(),
            scale: 1.0,
            centres: Vec::new(),
        };
        let projected = modality.project(&rows);
        let mean_square = projected.iter().map(|value| value * value).sum::<f64>() / projected.len() as f64;
        if !mean_square.is_finite() {
            return Err(failed());
        }
        // Rows that are all alike have no scale.
        modality.scale = if mean_square > 0.0 { mean_square.sqrt() } else { 1.0 };
        modality.centres = modality.best_centres(&modality.scaled(&projected), name, params);
        Ok(modality)
    }

    /// Returns the centres of the run of least inertia.
    fn best_centres(&self, rows: &[f32], name: &str, params: &Params) -> Vec<f32> {
        let columns = self.components();
        let rounds = Rounds { most: params.rounds, tolerance: TOLERANCE };
        let runs = (0..params.starts).map(|start| {
            let mut random = stream(params.seed, &format!("pid-cvx {name} {start}"));
            let centres = cluster(rows, columns, params.clusters, rounds, &mut random).centres;
            let inertia = inertia(rows, &centres, &nearest_centres(rows, columns, &centres), columns);
            (inertia, centres)
        });
        runs.reduce(|best, run| if run.0 < best.0 { run } else { best }).map_or_else(Vec::new, |(_, centres)| centres)
    }

    fn components(&self) -> usize {
        self.axes.len() / self.mean.len()
    }

    /// Returns the cluster of each row, and the inertia.
    fn assign(&self, x: &Matrix, modality: &'static str) -> Result<(Vec<u32>, f64)> {
        let columns = self.mean.len();
        if x.columns() != columns {
            return Err(EstimatorError::Dimensions { modality, expected: columns, found: x.columns() });
        }
        let mut rows = directed(x, self.normalise);
        for row in rows.chunks_exact_mut(columns) {
            row.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value -= mean);
        }
        let rows = self.scaled(&self.project(&rows));
        let assignment = nearest_centres(&rows, self.components(), &self.centres);
        let inertia = inertia(&rows, &self.centres, &assignment, self.components()) * self.scale * self.scale;
        Ok((assignment, inertia))
    }

    /// Projects centred rows on the principal components.
    fn project(&self, rows: &[f64]) -> Vec<f64> {
        let columns = self.mean.len();
        let product =
            |row: &[f64], axis: &[f64]| -> f64 { row.iter().zip(axis).map(|(value, axis)| value * axis).sum() };
        let axes = || self.axes.chunks_exact(columns);
        rows.chunks_exact(columns).flat_map(|row| axes().map(move |axis| product(row, axis))).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "clusters need no more than f32")]
    fn scaled(&self, components: &[f64]) -> Vec<f32> {
        components.iter().map(|value| (value / self.scale) as f32).collect()
    }
}

/// Returns the rows, scaled to length 1 if they are to be; one of zeros stays as it is.
fn directed(x: &Matrix, normalise: bool) -> Vec<f64> {
    let mut rows = x.values().to_vec();
    if normalise {
        for row in rows.chunks_exact_mut(x.columns()) {
            // Divided by the largest first, so that no square overflows.
            let largest = row.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            if largest > 0.0 {
                let length = row.iter().map(|value| (value / largest).powi(2)).sum::<f64>().sqrt();
                for value in row {
                    *value = *value / largest / length;
                }
            }
        }
    }
    rows
}

/// Returns the sum of squared distances from the assigned centres.
fn inertia(rows: &[f32], centres: &[f32], assignment: &[u32], columns: usize) -> f64 {
    let squared_distance = |(row, cluster): (&[f32], &u32)| {
        let centre = &centres[*cluster as usize * columns..][..columns];
        row.iter().zip(centre).map(|(value, centre)| f64::from(value - centre).powi(2)).sum::<f64>()
    };
    rows.chunks_exact(columns).zip(assignment).map(squared_distance).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_get_length_one_whatever_their_size() {
        let x = Matrix::new(3, 2, vec![3e200, 4e200, 0.0, 0.0, -3e-200, 4e-200]).unwrap();
        let rows = directed(&x, true);
        for (found, expected) in rows.iter().zip([0.6, 0.8, 0.0, 0.0, -0.6, 0.8]) {
            assert!((found - expected).abs() < 1e-15);
        }
        assert_eq!(directed(&x, false), x.values());
    }

    #[test]
    fn the_first_component_is_the_longest_axis() {
        let values = (0..50u8).flat_map(|row| [0.5, 3.0 * f64::from(row), 0.1 * f64::from(row % 2)]).collect();
        let x = Matrix::new(50, 3, values).unwrap();
        let params = Params { normalise: false, components: 1, clusters: 2, ..Params::default() };
        let modality = Modality::fit(&x, "x1", &params).unwrap();
        assert!((modality.axes[1] - 1.0).abs() < 1e-4, "{modality:?}");
        let (assignment, inertia) = modality.assign(&x, "x1").unwrap();
        for row in 0..50 {
            assert_eq!(assignment[row] == assignment[0], row < 25);
        }
        // Two runs of 25 steps of 3: 25 * 9 * (25^2 - 1) / 12 each.
        assert!((inertia - 2.0 * 25.0 * 9.0 * 52.0).abs() < 1.0, "{inertia}");
    }
}
