//! K-means with k-means++ seeds (Arthur, Vassilvitskii 2007), from which mixtures start, and which makes features
//! discrete.

use lsmi_core::random::ChaCha8Rng;
use rand::Rng;

use super::kernels::{BLOCK, Lanes, nearest, squared_distances, transpose};

use crate::numbers::simd_math::vectorised;

/// The largest number of rounds of reassignment; the result only starts a fit.
const ROUNDS: usize = 20;

/// Returns the cluster of each row of a row-major matrix.
pub(super) fn k_means(rows: &[f32], columns: usize, clusters: usize, random: &mut ChaCha8Rng) -> Vec<u32> {
    cluster(rows, columns, clusters, Rounds { most: ROUNDS, tolerance: 0.0 }, random).assignment
}

/// The criteria by which reassignment ends, unless nothing changes any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    /// Rounds at most.
    pub(crate) most: usize,
    /// Squared distances that the centres moved, in sum, at which to stop.
    pub(crate) tolerance: f64,
}

/// Clusters of rows.
pub(crate) struct Clusters {
    /// `[clusters, columns]`
    pub(crate) centres: Vec<f32>,
    /// The cluster of each row, before the centres moved for the last time.
    pub(crate) assignment: Vec<u32>,
}

/// Clusters the rows of a row-major matrix; a cluster without rows keeps its centre.
pub(crate) fn cluster(
    rows: &[f32],
    columns: usize,
    clusters: usize,
    rounds: Rounds,
    random: &mut ChaCha8Rng,
) -> Clusters {
    let blocks = Blocks::new(rows, columns);
    let mut centres = blocks.seeds(clusters, random);
    let mut assignment = vec![u32::MAX; rows.len() / columns];
    for _ in 0..rounds.most {
        let changed = blocks.assign(&centres, &mut assignment);
        if !changed {
            break;
        }
        let mut sums = vec![0.0f64; clusters * columns];
        let mut counts = vec![0usize; clusters];
        for (row, cluster) in rows.chunks_exact(columns).zip(&assignment) {
            counts[*cluster as usize] += 1;
            for (sum, value) in sums[*cluster as usize * columns..][..columns].iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        }
        let mut moved = 0.0;
        for (cluster, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            for column in 0..columns {
                let centre = &mut centres[cluster * columns + column];
                #[expect(clippy::cast_possible_truncation, reason = "rows are f32 by design")]
                let mean = (sums[cluster * columns + column] / *count as f64) as f32;
                moved += f64::from(mean - *centre).powi(2);
                *centre = mean;
            }
        }
        if moved <= rounds.tolerance {
            break;
        }
    }
    Clusters { centres, assignment }
}

/// Returns the nearest centre of each row of a row-major matrix.
pub(crate) fn nearest_centres(rows: &[f32], columns: usize, centres: &[f32]) -> Vec<u32> {
    let mut assignment = vec![u32::MAX; rows.len() / columns];
    Blocks::new(rows, columns).assign(centres, &mut assignment);
    assignment
}

/// Rows in blocks, made once for all passes.
struct Blocks<'a> {
    rows: &'a [f32],
    columns: usize,
    /// `[columns][BLOCK]`, one block after the other.
    lanes: Vec<Lanes<f32>>,
}

impl<'a> Blocks<'a> {
    fn new(rows: &'a [f32], columns: usize) -> Self {
        let mut lanes = vec![[0.0; BLOCK]; (rows.len() / columns).div_ceil(BLOCK) * columns];
        for (rows, block) in rows.chunks(columns * BLOCK).zip(lanes.chunks_exact_mut(columns)) {
            vectorised(
                #[inline(always)]
                || transpose(rows, columns, block),
            );
        }
        Self { rows, columns, lanes }
    }

    /// Assigns every row to the nearest centre. Returns whether any changed.
    fn assign(&self, centres: &[f32], assignment: &mut [u32]) -> bool {
        let mut distances = vec![[0.0; BLOCK]; centres.len() / self.columns];
        let mut index = [0; BLOCK];
        let mut changed = false;
        for (block, assignment) in self.lanes.chunks_exact(self.columns).zip(assignment.chunks_mut(BLOCK)) {
            vectorised(
                #[inline(always)]
                || {
                    squared_distances(block, centres, &mut distances);
                    nearest(&distances, &mut index);
                },
            );
            changed |= *assignment != index[..assignment.len()];
            assignment.copy_from_slice(&index[..assignment.len()]);
        }
        changed
    }

    /// Draws rows one by one with probability proportional to the squared distance from the nearest one drawn before.
    fn seeds(&self, clusters: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
        let columns = self.columns;
        let count = self.rows.len() / columns;
        let first = random.random_range(0..count);
        let mut centres = self.rows[first * columns..][..columns].to_vec();
        let mut distances = vec![f32::INFINITY; self.lanes.len() / columns * BLOCK];
        let mut latest = [[0.0; BLOCK]];
        while centres.len() < clusters * columns {
            let centre = &centres[centres.len() - columns..];
            let blocks = self.lanes.chunks_exact(columns).zip(distances.as_chunks_mut::<BLOCK>().0);
            for (block, least) in blocks {
                vectorised(
                    #[inline(always)]
                    || {
                        squared_distances(block, centre, &mut latest);
                        for lane in 0..BLOCK {
                            least[lane] = least[lane].min(latest[0][lane]);
                        }
                    },
                );
            }
            let total: f64 = distances[..count].iter().map(|distance| f64::from(*distance)).sum();
            let mut left = random.random::<f64>() * total;
            let chosen = distances[..count].iter().position(|distance| {
                left -= f64::from(*distance);
                left < 0.0
            });
            let chosen = chosen.unwrap_or_else(|| random.random_range(0..count));
            centres.extend_from_slice(&self.rows[chosen * columns..][..columns]);
        }
        centres
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;

    #[test]
    fn clusters_far_apart_are_found() {
        let rows: Vec<f32> =
            (0..300u16).flat_map(|row| [f32::from(row % 3) * 100.0 + f32::from(row) * 0.01, 1.0]).collect();
        let assignment = k_means(&rows, 2, 3, &mut stream(0, "test"));
        for row in 3..300 {
            assert_eq!(assignment[row], assignment[row % 3]);
        }
        assert_ne!(assignment[0], assignment[1]);
        assert_ne!(assignment[1], assignment[2]);
    }

    #[test]
    fn more_clusters_than_distinct_rows_is_no_failure() {
        let assignment = k_means(&[1.0; 8], 2, 3, &mut stream(0, "test"));
        assert_eq!(assignment.len(), 4);
    }
}
