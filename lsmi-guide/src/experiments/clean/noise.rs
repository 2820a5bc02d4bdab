//! Labels made wrong on purpose, so that it is known which are.

use lsmi_core::random::stream;
use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// Which class a wrong label names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noise {
    /// Each of the other classes as often as any other.
    #[default]
    Uniform,
    /// Each of the other classes in proportion to its share of the labels.
    ByClassShare,
}

/// Labels of which some are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The labels, wrong ones included.
    pub labels: Vec<u32>,
    /// Which labels are wrong.
    pub is_wrong: Vec<bool>,
}

impl Noise {
    /// Gives the share `rate` of the samples, chosen at random, the label of another class.
    ///
    /// The nearest whole number of labels is changed, but only as many in each class as leave `kept` samples their label.
    ///
    /// ```
    /// use lsmi_guide::experiments::clean::Noise;
    ///
    /// let labels = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0];
    /// let planted = Noise::Uniform.plant(&labels, 3, 0.2, 1, 7);
    /// assert_eq!(planted.is_wrong.iter().filter(|wrong| **wrong).count(), 2);
    /// assert!((0..10).all(|row| planted.is_wrong[row] == (planted.labels[row] != labels[row])));
    /// ```
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the samples is between 0 and their number, and classes are 32 bits wide"
    )]
    pub fn plant(self, labels: &[u32], classes: usize, rate: f64, kept: usize, seed: u64) -> Planted {
        let mut random = stream(seed, "planted labels");
        let mut counts = vec![0usize; classes];
        for label in labels {
            counts[*label as usize] += 1;
        }
        let wanted = (rate.clamp(0.0, 1.0) * labels.len() as f64).round() as usize;
        let mut rows: Vec<usize> = (0..labels.len()).collect();
        rows.shuffle(&mut random);

        let mut planted = Planted { labels: labels.to_vec(), is_wrong: vec![false; labels.len()] };
        let mut left = counts.clone();
        let mut changed = 0;
        for row in rows {
            let class = labels[row] as usize;
            if changed == wanted || classes < 2 {
                break;
            }
            if left[class] <= kept {
                continue;
            }
            planted.labels[row] = self.another(class, &counts, &mut random) as u32;
            planted.is_wrong[row] = true;
            left[class] -= 1;
            changed += 1;
        }
        planted
    }

    /// A class other than `class`.
    fn another(self, class: usize, counts: &[usize], random: &mut impl Rng) -> usize {
        let weight = |other: usize| match self {
            _ if other == class => 0,
            Self::Uniform => 1,
            Self::ByClassShare => counts[other],
        };
        let total: usize = (0..counts.len()).map(weight).sum();
        // All other classes are empty: any of them will do.
        if total == 0 {
            return (class + 1) % counts.len();
        }
        let mut drawn = random.random_range(0..total);
        for other in 0..counts.len() {
            if drawn < weight(other) {
                return other;
            }
            drawn -= weight(other);
        }
        class
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_of(planted: &Planted, class: u32) -> f64 {
        let wrong = planted.is_wrong.iter().filter(|wrong| **wrong).count();
        let named = planted.labels.iter().zip(&planted.is_wrong).filter(|(label, wrong)| **wrong && **label == class);
        named.count() as f64 / wrong as f64
    }

    /// Classes 0, 1 and 2 have 10, 20 and 70 % of 20,000 labels; a tenth of them is made wrong.
    #[test]
    fn wrong_labels_are_shared_out_as_said() {
        let labels: Vec<u32> = (0..20_000).map(|row| [0, 1, 1, 2, 2, 2, 2, 2, 2, 2][row % 10]).collect();
        // Of the wrong labels, those of class 0 were to be 1 or 2, and so on: a tenth, a fifth and seven tenths of them.
        let uniform = 0.5 * (0.2 + 0.7);
        let by_share = 0.2 * 0.1 / 0.8 + 0.7 * 0.1 / 0.3;
        for (noise, expected) in [(Noise::Uniform, uniform), (Noise::ByClassShare, by_share)] {
            let planted = noise.plant(&labels, 3, 0.1, 1, 0);
            assert_eq!(planted.is_wrong.iter().filter(|wrong| **wrong).count(), 2000);
            // Four standard errors of a share of 2,000 are at most 0.045.
            assert!((share_of(&planted, 0) - expected).abs() < 0.045, "{noise:?} {}", share_of(&planted, 0));
        }
        assert_eq!(Noise::Uniform.plant(&labels, 3, 0.1, 1, 5), Noise::Uniform.plant(&labels, 3, 0.1, 1, 5));
    }

    #[test]
    fn every_class_keeps_samples() {
        let planted = Noise::Uniform.plant(&[0, 0, 0, 1, 1, 1], 2, 1.0, 2, 0);
        assert_eq!(planted.is_wrong.iter().filter(|wrong| **wrong).count(), 2);
        assert_eq!(Noise::Uniform.plant(&[0, 0, 0], 1, 0.5, 0, 0).labels, [0, 0, 0]);
    }
}
