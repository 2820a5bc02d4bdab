//! The bootstrap of clusters: intervals for rows in groups that belong together.
//!
//! Five captions of one picture are no five independent rows: a mean over them is as sure as the number of pictures makes it.
//! Clusters are drawn instead of rows, with replacement, as often as there are clusters (Davison, Hinkley, "Bootstrap Methods
//! and their Application" 1997, section 3.8). With the sum `D_g` of the deviations of the rows of cluster g from the mean and
//! its number of rows `n_g`,
//!
//! ```text
//! mean* = mean + (sum over the drawn clusters of D_g) / (sum over the drawn clusters of n_g)
//! ```
//!
//! is the mean of the rows of the drawn clusters. Beyond 10,000 clusters, these are put into 10,000 random groups first, as
//! rows are (see [`Bootstrap`]).

use rand::{Rng, seq::SliceRandom};

use super::bootstrap::{Bootstrap, GROUPS, add_deviates};
use super::mean;
use crate::{
    error::{Result, check_length},
    random::ChaCha8Rng,
};

impl Bootstrap {
    /// Computes [`Bootstrap::resampled`] with the rows of a cluster drawn together: `clusters` has a number for each
    /// row.
    ///
    /// # Errors
    ///
    /// Those of [`Bootstrap::resampled`]; [`crate::Error::Length`] if there is not one cluster a row.
    ///
    /// ```
    /// use lsmi_core::{random::stream, statistics::Bootstrap};
    ///
    /// // Four rows of one value are one piece of evidence, not four.
    /// let values: Vec<f64> = (0..400).map(|row| f64::from(row / 4)).collect();
    /// let clusters: Vec<u32> = (0..400).map(|row| row / 4).collect();
    /// let width = |means: &[f64]| {
    ///     let (lower, upper) = Bootstrap::default().ends(means);
    ///     upper - lower
    /// };
    /// let mut random = stream(0, "example");
    /// let rows = Bootstrap::default().resampled(&[&values], &[0.0], &mut random)?;
    /// let together = Bootstrap::default().resampled_clusters(&[&values], &clusters, &[0.0], &mut random)?;
    /// assert!((width(&together[0]) / width(&rows[0]) - 2.0).abs() < 0.2);
    /// # Ok::<(), lsmi_core::Error>(())
    /// ```
    pub fn resampled_clusters(
        &self,
        columns: &[&[f64]],
        clusters: &[u32],
        extra_variance: &[f64],
        rng: &mut ChaCha8Rng,
    ) -> Result<Vec<Vec<f64>>> {
        self.check(columns, extra_variance)?;
        let Some(first) = columns.first() else { return Ok(Vec::new()) };
        check_length("clusters", first.len(), clusters.len())?;
        let means: Vec<f64> = columns.iter().map(|column| mean(column)).collect();
        let totals = Totals::new(columns, &means, clusters).in_groups(GROUPS, rng);
        let mut resampled = vec![Vec::with_capacity(self.resamples); columns.len()];
        let mut sums = vec![0.0; columns.len()];
        for _ in 0..self.resamples {
            sums.fill(0.0);
            let mut rows = 0.0;
            for _ in 0..totals.rows.len() {
                let drawn = rng.random_range(0..totals.rows.len());
                rows += totals.rows[drawn];
                sums.iter_mut().zip(totals.deviations_of(drawn)).for_each(|(sum, deviation)| *sum += deviation);
            }
            for ((values, mean), sum) in resampled.iter_mut().zip(&means).zip(&sums) {
                values.push(mean + sum / rows);
            }
        }
        add_deviates(&mut resampled, extra_variance, rng);
        Ok(resampled)
    }
}

/// Returns the standard error of a mean of rows in clusters:
///
/// `sqrt(G / (G - 1) sum_g D_g²) / n`
///
/// for G clusters and the sums `D_g` of the deviations of their rows from the mean (Liang, Zeger 1986; Cameron, Miller 2015,
/// eq. 12). None for a single cluster.
///
/// # Panics
/// If there is not one cluster a row.
///
/// ```
/// use lsmi_core::statistics::{clustered_standard_error, standard_deviation};
///
/// let values = [1.0, 4.0, 2.0, 7.0];
/// let error_of_rows = clustered_standard_error(&values, &[0, 1, 2, 3]).unwrap();
/// assert!((error_of_rows - standard_deviation(&values) / 2.0).abs() < 1e-12);
/// assert_eq!(clustered_standard_error(&values, &[5; 4]), None);
/// ```
pub fn clustered_standard_error(values: &[f64], clusters: &[u32]) -> Option<f64> {
    assert_eq!(values.len(), clusters.len(), "one cluster a row");
    let totals = Totals::new(&[values], &[mean(values)], clusters);
    let count = totals.rows.len() as f64;
    let squares: f64 = totals.deviations.iter().map(|sum| sum * sum).sum();
    (count > 1.0).then(|| (count / (count - 1.0) * squares).sqrt() / values.len() as f64)
}

/// Returns a lower bound of the number of independent rows that rows in clusters amount to, `n² / sum_g n_g²`: the
/// number of clusters if these have one size, fewer if some are large (Kish 1965, section 8.2, with the largest
/// correlation within clusters).
///
/// ```
/// assert_eq!(lsmi_core::statistics::effective_clusters(&[0, 0, 1, 1]), 2.0);
/// assert_eq!(lsmi_core::statistics::effective_clusters(&[0, 0, 0, 1]), 1.6);
/// ```
pub fn effective_clusters(clusters: &[u32]) -> f64 {
    let rows = Totals::new(&[], &[], clusters).rows;
    let count = clusters.len() as f64;
    count * count / rows.iter().map(|rows| rows * rows).sum::<f64>()
}

/// The number of rows of every cluster, and the sum of their deviations from the mean for every column.
struct Totals {
    width: usize,
    rows: Vec<f64>,
    /// `[clusters, columns]`, row-major.
    deviations: Vec<f64>,
}

impl Totals {
    fn new(columns: &[&[f64]], means: &[f64], clusters: &[u32]) -> Self {
        let mut numbers = clusters.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let width = columns.len();
        let mut totals = Self { width, rows: vec![0.0; numbers.len()], deviations: vec![0.0; numbers.len() * width] };
        for (row, cluster) in clusters.iter().enumerate() {
            let place = numbers.partition_point(|number| number < cluster);
            totals.rows[place] += 1.0;
            for (index, (column, mean)) in columns.iter().zip(means).enumerate() {
                totals.deviations[place * width + index] += column[row] - mean;
            }
        }
        totals
    }

    fn deviations_of(&self, cluster: usize) -> &[f64] {
        &self.deviations[cluster * self.width..][..self.width]
    }

    /// Puts the clusters into at most `most` random groups.
    fn in_groups(self, most: usize, rng: &mut ChaCha8Rng) -> Self {
        if self.rows.len() <= most {
            return self;
        }
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.shuffle(rng);
        let mut grouped = Self { width: self.width, rows: vec![0.0; most], deviations: vec![0.0; most * self.width] };
        for (place, cluster) in order.into_iter().enumerate() {
            let group = place % most;
            grouped.rows[group] += self.rows[cluster];
            for (sum, deviation) in grouped.deviations[group * self.width..].iter_mut().zip(self.deviations_of(cluster))
            {
                *sum += deviation;
            }
        }
        grouped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use rand_distr::StandardNormal;

    /// 300 sets of 60 clusters of 1 to 5 rows that share half of their variance. The standard error of a share of .95 of 300
    /// is .0126; the percentile interval of 60 clusters is a little narrow, which costs about .01: three errors below and
    /// above make .90 to .985. Intervals of rows hold the mean in .80 or so.
    #[test]
    fn intervals_cover_the_mean_of_rows_that_belong_together() {
        let mut random = stream(0, "clusters test");
        let bootstrap = Bootstrap { resamples: 400, ..Bootstrap::default() };
        let (mut covered, mut by_rows) = (0, 0);
        for _ in 0..300 {
            let (mut values, mut clusters) = (Vec::new(), Vec::new());
            for cluster in 0..60 {
                let shared: f64 = random.sample(StandardNormal);
                for _ in 0..=cluster % 5 {
                    values.push(shared + random.sample::<f64, _>(StandardNormal));
                    clusters.push(cluster);
                }
            }
            let holds = |means: &[f64]| {
                let (lower, upper) = bootstrap.ends(means);
                usize::from(lower <= 0.0 && 0.0 <= upper)
            };
            let together = bootstrap.resampled_clusters(&[&values], &clusters, &[0.0], &mut random).unwrap();
            covered += holds(&together[0]);
            by_rows += holds(&bootstrap.resampled(&[&values], &[0.0], &mut random).unwrap()[0]);
        }
        assert!((270..=296).contains(&covered), "{covered} of 300");
        assert!(by_rows < 265, "{by_rows} of 300");
    }

    /// The deviation of 4,000 resampled means is known to 1.1 %; four times that is the tolerance.
    #[test]
    fn resampled_means_vary_by_the_standard_error() {
        let mut random = stream(1, "clusters test");
        let clusters: Vec<u32> = (0..12_000).map(|row| row / 3).collect();
        let values: Vec<f64> =
            clusters.iter().map(|cluster| f64::from(cluster % 7) + random.sample::<f64, _>(StandardNormal)).collect();
        let bootstrap = Bootstrap { resamples: 4000, ..Bootstrap::default() };
        let means = bootstrap.resampled_clusters(&[&values], &clusters, &[0.0], &mut random).unwrap().remove(0);
        let error = clustered_standard_error(&values, &clusters).unwrap();
        let deviation = super::super::standard_deviation(&means);
        assert!((deviation / error - 1.0).abs() < 0.044, "{deviation} {error}");
    }

    #[test]
    fn many_clusters_are_drawn_in_groups() {
        let mut random = stream(2, "clusters test");
        let clusters: Vec<u32> = (0..50).collect();
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let totals = Totals::new(&[&values], &[24.5], &clusters).in_groups(7, &mut random);
        assert_eq!(totals.rows.len(), 7);
        assert!((totals.rows.iter().sum::<f64>() - 50.0).abs() < 1e-12);
        assert!(totals.deviations.iter().sum::<f64>().abs() < 1e-9);
    }

    #[test]
    fn there_is_a_cluster_for_every_row() {
        let random = &mut stream(0, "clusters test");
        assert!(Bootstrap::default().resampled_clusters(&[&[1.0, 2.0]], &[0], &[0.0], random).is_err());
    }
}
