//! K-means with k-means++ seeds (Arthur, Vassilvitskii 2007): where a mixture's components start.

use lsmi_core::random::ChaCha8Rng;
use rand::Rng;

/// Rounds of reassignment at most; the result only starts a fit that goes on from there.
const ROUNDS: usize = 20;

/// The cluster of each row of a row-major matrix.
pub(super) fn k_means(rows: &[f64], columns: usize, clusters: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
    let mut centres = seeds(rows, columns, clusters, random);
    let mut assignment = vec![usize::MAX; rows.len() / columns];
    for _ in 0..ROUNDS {
        let mut changed = false;
        let mut sums = vec![0.0; clusters * columns];
        let mut counts = vec![0usize; clusters];
        for (row, assigned) in rows.chunks_exact(columns).zip(&mut assignment) {
            let nearest = nearest(row, &centres, columns);
            changed |= *assigned != nearest;
            *assigned = nearest;
            counts[nearest] += 1;
            for (sum, value) in sums[nearest * columns..][..columns].iter_mut().zip(row) {
                *sum += value;
            }
        }
        if !changed {
            break;
        }
        for (cluster, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            for column in 0..columns {
                centres[cluster * columns + column] = sums[cluster * columns + column] / *count as f64;
            }
        }
    }
    assignment
}

/// Rows drawn one by one with probability proportional to the squared distance from the nearest one drawn before.
fn seeds(rows: &[f64], columns: usize, clusters: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
    let count = rows.len() / columns;
    let first = random.random_range(0..count);
    let mut centres = rows[first * columns..][..columns].to_vec();
    let mut distances = vec![f64::INFINITY; count];
    while centres.len() < clusters * columns {
        let latest = centres[centres.len() - columns..].to_vec();
        for (row, best) in rows.chunks_exact(columns).zip(&mut distances) {
            *best = best.min(squared_distance(row, &latest));
        }
        let total: f64 = distances.iter().sum();
        let mut left = random.random::<f64>() * total;
        let chosen = distances.iter().position(|distance| {
            left -= distance;
            left < 0.0
        });
        let chosen = chosen.unwrap_or_else(|| random.random_range(0..count));
        centres.extend_from_slice(&rows[chosen * columns..][..columns]);
    }
    centres
}

fn nearest(row: &[f64], centres: &[f64], columns: usize) -> usize {
    let mut best = (0, f64::INFINITY);
    for (cluster, centre) in centres.chunks_exact(columns).enumerate() {
        let distance = squared_distance(row, centre);
        if distance < best.1 {
            best = (cluster, distance);
        }
    }
    best.0
}

fn squared_distance(left: &[f64], right: &[f64]) -> f64 {
    // Four running sums let the compiler use vector registers.
    let mut sums = [0.0; 4];
    let (left_blocks, right_blocks) = (left.chunks_exact(4), right.chunks_exact(4));
    let tail: f64 =
        left_blocks.remainder().iter().zip(right_blocks.remainder()).map(|(left, right)| (left - right).powi(2)).sum();
    for (left, right) in left_blocks.zip(right_blocks) {
        for lane in 0..4 {
            sums[lane] += (left[lane] - right[lane]).powi(2);
        }
    }
    tail + sums.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::random::stream;

    #[test]
    fn clusters_far_apart_are_found() {
        let rows: Vec<f64> =
            (0..300).flat_map(|row| [f64::from(row % 3) * 100.0 + f64::from(row) * 0.01, 1.0]).collect();
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
