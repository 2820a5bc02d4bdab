//! Samples from the easiest to the hardest, for training that begins with the easy ones.
//!
//! Bengio et al. ("Curriculum Learning", ICML 2009) train on easy samples first. A redundant sample is easy for a model of
//! two modalities: either will do. A sample of high synergy is hard, as only both together tell its label. So the order is
//! by redundancy, or by any other value, from the highest down.

use std::collections::BTreeMap;

use super::parts::check_values;
use crate::PartitionError;

/// The positions of all samples from the highest value to the lowest, such as from the most redundant to the least.
///
/// `values` holds one finite number per sample. Of equal values the one that comes first in the input comes first. With
/// `labels` the order is balanced: it takes the samples of each class in the order of their values, and the classes in
/// turn, so that every beginning of the order has the classes in their proportion of all samples, to within one sample of
/// each class. For an order from the lowest value up, such as by synergy, negate the values.
///
/// # Errors
///
/// Those of [`partition`](crate::partition()) for values and labels.
///
/// # Example
///
/// ```
/// use lsmi_guide::curriculum;
///
/// let redundancy = [0.1, 0.9, 0.8, 0.7, 0.2, 0.0];
/// assert_eq!(curriculum(&redundancy, None)?, [1, 2, 3, 4, 0, 5]);
/// // The first two samples of class 1 come as early as the first two of class 0, though all of them are harder.
/// let labels = [1, 0, 0, 0, 1, 1];
/// assert_eq!(curriculum(&redundancy, Some(&labels))?, [1, 4, 2, 0, 3, 5]);
/// # Ok::<(), lsmi_guide::PartitionError>(())
/// ```
pub fn curriculum(values: &[f64], labels: Option<&[u32]>) -> Result<Vec<usize>, PartitionError> {
    check_values(values, labels)?;
    let mut ranking: Vec<usize> = (0..values.len()).collect();
    // The sort is stable; adding zero makes -0 equal to 0.
    ranking.sort_by(|&a, &b| (values[b] + 0.0).total_cmp(&(values[a] + 0.0)));
    let Some(labels) = labels else { return Ok(ranking) };

    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for row in ranking {
        classes.entry(labels[row]).or_default().push(row);
    }
    // The sample of rank k of a class of size n stands at (k + 1/2) / n of the way.
    let mut places: Vec<(f64, usize)> = Vec::with_capacity(values.len());
    for rows in classes.values() {
        let size = rows.len() as f64;
        places.extend(rows.iter().enumerate().map(|(rank, row)| ((rank as f64 + 0.5) / size, *row)));
    }
    // Of classes at the same place the one with the smaller label goes first, as they come in that order.
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(places.into_iter().map(|(_, row)| row).collect())
}

/// The share of a curriculum that is open to training after `step` of `steps` steps, beginning with the share `initial`:
///
/// ```text
/// min(1, sqrt((1 - initial²) step / steps + initial²))
/// ```
///
/// the competence of Platanios et al., "Competence-based Curriculum Learning for Neural Machine Translation" (NAACL 2019),
/// under which samples are drawn uniformly from the first part of the order.
///
/// ```
/// use lsmi_guide::competence;
///
/// assert_eq!(competence(0, 100, 0.2), 0.2);
/// assert_eq!(competence(100, 100, 0.2), 1.0);
/// ```
pub fn competence(step: usize, steps: usize, initial: f64) -> f64 {
    let initial = initial.clamp(0.0, 1.0);
    if step >= steps {
        return 1.0;
    }
    let way = step as f64 / steps as f64;
    (way * (1.0 - initial * initial) + initial * initial).sqrt().min(1.0)
}
