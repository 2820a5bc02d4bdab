//! Splits samples into high, middle and low by one value per sample, usually `r`, `u1`, `u2` or `s`.
//!
//! The samples are ranked from the highest value to the lowest. A [`Rule`] says how many at either end of the ranking
//! form the high and the low part. With labels, each class is ranked on its own and gives the same share of its samples
//! to each part, so that the parts differ in the interaction but not in their mix of classes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::PartitionError;

/// How far from the ends of the ranking the high and the low part reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The top and the bottom share of the samples, 0 < f <= 0.5.
    ///
    /// The whole number nearest to f n (an exact half is rounded up, as long as the two parts do not meet) goes to the
    /// high part and as many to the low part. For few samples that number can be zero.
    Fraction(f64),

    /// High are the samples with a value of at least `high`, low those with a value of at most `low`, where low < high.
    ///
    /// Either threshold may be infinite to leave that part empty. In nats when the values are interactions.
    Threshold {
        /// The largest value of the low part.
        low: f64,
        /// The smallest value of the high part.
        high: f64,
    },
}

/// The positions of the samples in each part: ascending, and every position in exactly one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// Samples with the highest values.
    pub high: Vec<usize>,
    /// All others.
    pub middle: Vec<usize>,
    /// Samples with the lowest values.
    pub low: Vec<usize>,
    /// `(low, high)`: the largest value of the low part and the smallest of the high part under [`Rule::Fraction`], the
    /// thresholds themselves under [`Rule::Threshold`].
    ///
    /// `None` when the partition is balanced by class, for then each class has bounds of its own, and when a fraction
    /// was too small to select a sample. As thresholds for other samples, the bounds of a fraction select what they
    /// selected here, unless samples of equal value lie on both sides of one ([`Ties`]).
    pub bounds: Option<(f64, f64)>,
    /// Samples of equal value that were divided between two parts.
    pub ties: Ties,
}

/// Samples of equal value on both sides of a bound: the order of the input decides which of them are in the part.
///
/// None where no bound divides equals. Over several classes, each with a bound of its own, the samples of all divided ones
/// are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ties {
    /// Those of the lowest value of the high part.
    pub high: Option<Tie>,
    /// Those of the highest value of the low part.
    pub low: Option<Tie>,
}

/// Samples that share the value of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tie {
    /// How many share it.
    pub samples: usize,
    /// How many of these are in the part.
    pub taken: usize,
}

/// Splits samples into high, middle and low by `values` as `rule` says, balanced by class if `labels` are given.
///
/// `values` holds one finite number per sample, `labels` the class of each sample in the same order. Of samples with
/// equal values the one that comes first in the input ranks higher, so the same input always gives the same partition.
/// Only the ranking counts for [`Rule::Fraction`]: a shift of all values, such as the adjustment of the means, changes
/// nothing.
///
/// # Balance
///
/// Let class c have n(c) samples.
/// - [`Rule::Fraction`]: the share f n(c) of each class, rounded as in the unbalanced case, goes to the high part and
///   as many to the low part.
/// - [`Rule::Threshold`]: the classes usually have different shares of samples beyond a threshold. The smallest of
///   these shares, q, is the one that all can give: of each class the q n(c) most extreme samples, rounded to the
///   nearest whole number, stay in the part and the others beyond the threshold go to the middle. A class with no
///   sample beyond a threshold therefore empties that part. High and low are balanced separately and may differ in
///   size.
///
/// # Errors
///
/// [`PartitionError::Empty`] without values, [`PartitionError::NonFinite`] for a NaN or infinite value,
/// [`PartitionError::LabelCount`] when labels and values differ in number, [`PartitionError::Fraction`] for a fraction
/// outside (0, 0.5] and [`PartitionError::Thresholds`] unless low < high.
///
/// # Example
///
/// ```
/// use lsmi_guide::{PartitionError, Rule, partition};
///
/// let synergy = [0.9, 0.8, 0.1, 0.7, -0.3, 0.2];
/// let rule = Rule::Threshold { low: 0.0, high: 0.5 };
/// let parts = partition(&synergy, None, &rule)?;
/// assert_eq!((parts.high, parts.low), (vec![0, 1, 3], vec![4]));
/// assert_eq!(parts.bounds, Some((0.0, 0.5)));
///
/// // Class 0 has two of three samples at 0.5 or above, class 1 one of three: each gives one. Only class 1 has a sample
/// // at 0 or below, so nothing is low.
/// let labels = [0, 0, 0, 1, 1, 1];
/// let balanced = partition(&synergy, Some(&labels), &rule)?;
/// assert_eq!((balanced.high, balanced.low), (vec![0, 3], vec![]));
///
/// let error = partition(&[0.5, f64::NAN], None, &rule).unwrap_err();
/// assert!(matches!(error, PartitionError::NonFinite { index: 1, .. }));
/// # Ok::<(), PartitionError>(())
/// ```
///
/// # References
///
/// Yang, Wang and Hu, "Efficient Quantification of Multimodal Interaction at Sample Level", ICML 2025, fine-tune on
/// subsets chosen by interaction.
pub fn partition(values: &[f64], labels: Option<&[u32]>, rule: &Rule) -> Result<Partition, PartitionError> {
    check(values, labels, rule)?;
    let rankings = rankings(values, labels);
    let sizes = match *rule {
        Rule::Fraction(fraction) => fraction_sizes(&rankings, fraction),
        Rule::Threshold { low, high } => threshold_sizes(values, &rankings, low, high),
    };

    let mut parts = vec![Part::Middle; values.len()];
    for (ranking, size) in rankings.iter().zip(&sizes) {
        for &index in &ranking[..size.high] {
            parts[index] = Part::High;
        }
        for &index in &ranking[ranking.len() - size.low..] {
            parts[index] = Part::Low;
        }
    }
    let members = |wanted| (0..parts.len()).filter(|&index| parts[index] == wanted).collect();
    let divided = |end: End| {
        rankings
            .iter()
            .zip(&sizes)
            .filter_map(|(ranking, size)| tie(values, ranking, end(ranking, *size)))
            .reduce(|all, more| Tie { samples: all.samples + more.samples, taken: all.taken + more.taken })
    };
    let ties = Ties {
        high: divided(|ranking, size| (&ranking[..size.high], ranking[..size.high].last())),
        low: divided(|ranking, size| {
            let low = &ranking[ranking.len() - size.low..];
            (low, low.first())
        }),
    };
    Ok(Partition {
        high: members(Part::High),
        middle: members(Part::Middle),
        low: members(Part::Low),
        bounds: match (labels, *rule) {
            (Some(_), _) => None,
            (None, Rule::Threshold { low, high }) => Some((low, high)),
            (None, Rule::Fraction(_)) => end_values(values, &rankings[0], sizes[0]),
        },
        ties,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    High,
    Middle,
    Low,
}

/// The samples at an end of a ranking, and the one at its bound.
type End = fn(&[usize], Sizes) -> (&[usize], Option<&usize>);

/// How many samples at the ends of one ranking are high and low.
#[derive(Clone, Copy)]
struct Sizes {
    high: usize,
    low: usize,
}

fn check(values: &[f64], labels: Option<&[u32]>, rule: &Rule) -> Result<(), PartitionError> {
    match *rule {
        Rule::Fraction(found) if !(found > 0.0 && found <= 0.5) => {
            return Err(PartitionError::Fraction { found });
        }
        // Not `low >= high`, which would let NaN pass.
        Rule::Threshold { low, high } if low.partial_cmp(&high) != Some(Ordering::Less) => {
            return Err(PartitionError::Thresholds { low, high });
        }
        _ => {}
    }
    check_values(values, labels)
}

/// Checks that there are values, all of them finite, and a label for each where there are labels.
fn check_values(values: &[f64], labels: Option<&[u32]>) -> Result<(), PartitionError> {
    if values.is_empty() {
        return Err(PartitionError::Empty);
    }
    if let Some(labels) = labels
        && labels.len() != values.len()
    {
        return Err(PartitionError::LabelCount {
            expected: values.len(),
            found: labels.len(),
            index: labels.len().min(values.len()),
        });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(PartitionError::NonFinite { index, found: values[index] }),
        None => Ok(()),
    }
}

/// The positions of each class, or of all samples without labels, from the highest value to the lowest.
pub(crate) fn rankings(values: &[f64], labels: Option<&[u32]>) -> Vec<Vec<usize>> {
    let mut classes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for index in 0..values.len() {
        let class = labels.map_or(0, |labels| labels[index]);
        classes.entry(class).or_default().push(index);
    }
    let mut rankings: Vec<Vec<usize>> = classes.into_values().collect();
    for ranking in &mut rankings {
        // The sort is stable, so equal values keep the order of the input; adding zero makes -0 equal to 0.
        ranking.sort_by(|&a, &b| (values[b] + 0.0).total_cmp(&(values[a] + 0.0)));
    }
    rankings
}

fn fraction_sizes(rankings: &[Vec<usize>], fraction: f64) -> Vec<Sizes> {
    let sizes = rankings.iter().map(|ranking| {
        let size = end_size(fraction, ranking.len());
        Sizes { high: size, low: size }
    });
    sizes.collect()
}

/// How many of so many samples are at either end: the whole number nearest to the fraction, as long as the ends do not meet.
pub(crate) fn end_size(fraction: f64, count: usize) -> usize {
    share(fraction, count).min(count / 2)
}

fn threshold_sizes(values: &[f64], rankings: &[Vec<usize>], low: f64, high: f64) -> Vec<Sizes> {
    let beyond = |ranking: &Vec<usize>| Sizes {
        high: ranking.partition_point(|&index| values[index] >= high),
        low: ranking.len() - ranking.partition_point(|&index| values[index] > low),
    };
    // With one ranking the smallest share is its own, and every sample beyond the threshold stays.
    let (mut high_share, mut low_share) = (1.0_f64, 1.0_f64);
    for ranking in rankings {
        let Sizes { high, low } = beyond(ranking);
        high_share = high_share.min(high as f64 / ranking.len() as f64);
        low_share = low_share.min(low as f64 / ranking.len() as f64);
    }
    let sizes = rankings
        .iter()
        .map(|ranking| Sizes { high: share(high_share, ranking.len()), low: share(low_share, ranking.len()) });
    sizes.collect()
}

/// The whole number nearest to `fraction * count`, for a fraction in [0, 1].
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the rounded product lies between 0 and `count`"
)]
fn share(fraction: f64, count: usize) -> usize {
    (fraction * count as f64).round() as usize
}

/// The samples of a ranking that share the value of the outermost `bound` of a part, if the part has some of them and not
/// all.
fn tie(values: &[f64], ranking: &[usize], (part, bound): (&[usize], Option<&usize>)) -> Option<Tie> {
    let value = values[*bound?];
    let count = |rows: &[usize]| rows.iter().filter(|&&row| values[row] == value).count();
    let tie = Tie { samples: count(ranking), taken: count(part) };
    (tie.taken < tie.samples).then_some(tie)
}

/// The values next to the middle: of the last low sample and of the last high one.
fn end_values(values: &[f64], ranking: &[usize], sizes: Sizes) -> Option<(f64, f64)> {
    let last_high = ranking[..sizes.high].last()?;
    let last_low = ranking[ranking.len() - sizes.low..].first()?;
    Some((values[*last_low], values[*last_high]))
}
