//! Logits whose columns are in another order than the classes, as far as the labels tell.
//!
//! A model that is right about most samples is wrong about nearly all of them where its columns change places. What it
//! predicts then still goes with the labels: of the samples for which a column is the greatest, most are of one class, but of
//! another than the column's.

use crate::estimator::Estimator;

use crate::samples::ScoredSplit;

/// What logits are called.
const LOGITS: [&str; 3] = ["logits1", "logits2", "logits12"];

/// Samples for which a column is the greatest, below which nothing is said of it.
const FEW: usize = 5;

/// Deviations from what guessing gives.
const FAR: f64 = 4.0;

/// Names that a warning lists.
const LISTED: usize = 10;

/// What is to be said of each split and each head that was given.
pub(super) fn warnings(estimator: &Estimator, splits: &[ScoredSplit]) -> Vec<String> {
    let (classes, given) = (estimator.classes().names(), estimator.description().given_heads);
    let mut warnings = Vec::new();
    for split in splits {
        let heads = LOGITS.iter().zip(&split.scores.predictions).zip(given).filter(|(_, is_given)| *is_given);
        for ((name, predictions), _) in heads {
            let table = Table::new(predictions, &split.scores.labels, classes.len());
            warnings.extend(table.warning(&split.name, name, classes));
        }
    }
    warnings
}

/// How often samples of each class are predicted as each.
struct Table {
    classes: usize,
    /// `[predicted, label]`, row-major.
    counts: Vec<usize>,
    total: usize,
}

impl Table {
    fn new(predictions: &[u32], labels: &[u32], classes: usize) -> Self {
        let mut counts = vec![0; classes * classes];
        for (predicted, label) in predictions.iter().zip(labels) {
            counts[*predicted as usize * classes + *label as usize] += 1;
        }
        Self { classes, counts, total: labels.len() }
    }

    fn count(&self, predicted: usize, label: usize) -> usize {
        self.counts[predicted * self.classes + label]
    }

    fn predicted(&self, class: usize) -> usize {
        (0..self.classes).map(|label| self.count(class, label)).sum()
    }

    fn share(&self, class: usize) -> f64 {
        let samples: usize = (0..self.classes).map(|predicted| self.count(predicted, class)).sum();
        samples as f64 / self.total as f64
    }

    fn accuracy(&self, order: &[usize]) -> f64 {
        let right: usize = order.iter().enumerate().map(|(column, class)| self.count(column, *class)).sum();
        right as f64 / self.total as f64
    }

    /// The class that most samples of each column are of, each class once: the pairs with most samples first.
    fn order(&self) -> Vec<usize> {
        let mut pairs: Vec<(usize, usize)> =
            (0..self.classes).flat_map(|column| (0..self.classes).map(move |class| (column, class))).collect();
        // Of equal pairs, a column's own class.
        pairs.sort_by_key(|(column, class)| (std::cmp::Reverse(self.count(*column, *class)), column != class));
        let mut order = vec![None; self.classes];
        let mut is_taken = vec![false; self.classes];
        for (column, class) in pairs {
            if order[column].is_none() && !is_taken[class] {
                order[column] = Some(class);
                is_taken[class] = true;
            }
        }
        order.into_iter().enumerate().map(|(column, class)| class.unwrap_or(column)).collect()
    }

    /// Whether a column is greatest for samples of another class: for most of them, and for its own far less often than by
    /// guessing.
    fn is_moved(&self, column: usize, class: usize) -> bool {
        let (all, share) = (self.predicted(column), self.share(column));
        let expected = all as f64 * share;
        let far = FAR * (expected * (1.0 - share)).sqrt();
        column != class
            && all >= FEW
            && 2 * self.count(column, class) > all
            && (self.count(column, column) as f64) < expected - far.min(expected * 0.75)
    }

    fn warning(&self, split: &str, name: &str, classes: &[String]) -> Option<String> {
        if self.total == 0 {
            return None;
        }
        let own: Vec<usize> = (0..self.classes).collect();
        let (order, accuracy) = (self.order(), self.accuracy(&own));
        let moved = order.iter().enumerate().filter(|(column, class)| self.is_moved(*column, **class)).count();
        let chance: f64 =
            own.iter().map(|class| self.predicted(*class) as f64 / self.total as f64 * self.share(*class)).sum();
        let deviation = (chance * (1.0 - chance) / self.total as f64).sqrt();
        if moved >= 2 && self.accuracy(&order) > accuracy + FAR * deviation {
            let listed: Vec<&str> = order.iter().take(LISTED).map(|class| classes[*class].as_str()).collect();
            let more = if order.len() > LISTED { ", ..." } else { "" };
            return Some(format!(
                "`{split}`: {name} is right about {accuracy:.2} of the samples, where guessing is about {chance:.2}: are its \
                 columns in the order of the classes ({})? As columns of {}{more}, it is right about {:.2}",
                classes.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ") + more,
                listed.join(", "),
                self.accuracy(&order)
            ));
        }
        (accuracy < chance - FAR * deviation).then(|| {
            format!(
                "`{split}`: {name} is right about {accuracy:.2} of the samples, far below the {chance:.2} of guessing: are its \
                 columns in the order of the classes?"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred samples of every class, of which 80 are predicted as the class that `order` has in its place.
    fn warning(order: &[u32]) -> Option<String> {
        let classes = u32::try_from(order.len()).unwrap();
        let (mut predictions, mut labels) = (Vec::new(), Vec::new());
        for (label, predicted) in (0..classes).zip(order) {
            for sample in 0..100 {
                labels.push(label);
                predictions.push(if sample < 80 { *predicted } else { (label + sample) % classes });
            }
        }
        let names: Vec<String> = (0..classes).map(|class| format!("c{class}")).collect();
        Table::new(&predictions, &labels, order.len()).warning("train", "logits1", &names)
    }

    #[test]
    fn columns_that_changed_places_are_found() {
        assert_eq!(warning(&[0, 1, 2]), None);
        let told = warning(&[1, 2, 0]).unwrap();
        assert!(told.contains("(c0, c1, c2)? As columns of c2, c0, c1, it is right about 0.8"), "{told}");
        // Two of five, which leaves more right than guessing would.
        let told = warning(&[0, 1, 2, 4, 3]).unwrap();
        assert!(told.contains("As columns of c0, c1, c2, c4, c3"), "{told}");
        assert!(warning(&[1, 0]).unwrap().contains("As columns of c1, c0"));
    }

    #[test]
    fn a_model_that_only_guesses_is_left_alone() {
        let labels: Vec<u32> = (0..200).map(|row| row % 2).collect();
        for period in [3, 5, 7, 11] {
            let guesses: Vec<u32> = (0..200).map(|row| u32::from(row % period < period / 2)).collect();
            let names = ["a".to_owned(), "b".to_owned()];
            assert_eq!(Table::new(&guesses, &labels, 2).warning("train", "logits1", &names), None, "{period}");
        }
        assert_eq!(Table::new(&[], &[], 2).warning("train", "logits1", &[]), None);
    }
}
