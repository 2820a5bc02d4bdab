//! Newton's method for the logits of the distribution of maximum entropy.
//!
//! The second derivative of the convex function is, for two cells of one pair (x1, x2) with the shares c and c' of its
//! probability p, `p (c [same cell] - c c')` at the places of their logits. It is singular, since adding a constant to
//! all logits of a state of x1, or moving one from a to b, changes nothing.

use super::{Fit, TOLERANCE, linear::Symmetric};

/// The largest number of logits for which the matrix is decomposed: at this size a step takes some tenths of a second.
const MOST_LOGITS: usize = 1000;

const MOST_STEPS: usize = 100;

/// The largest change of a logit in a step, so that far from the minimum the step is no leap.
const LONGEST_STEP: f64 = 20.0;

/// Returns whether the matrix of the second derivatives can be decomposed in little time.
pub(super) fn is_affordable(fit: &Fit) -> bool {
    fit.logits[0].len() + fit.logits[1].len() <= MOST_LOGITS
}

/// Makes steps until the tolerance is reached or a step brings no improvement. Returns their number.
pub(super) fn run(fit: &mut Fit) -> usize {
    for step in 0..MOST_STEPS {
        if fit.deviation() <= TOLERANCE || !improve(fit) {
            return step;
        }
    }
    MOST_STEPS
}

/// Makes one step, halved until it brings an improvement. Returns whether it did.
fn improve(fit: &mut Fit) -> bool {
    let direction = second_derivative(fit).solve(&gradient(fit));
    let longest = direction.iter().fold(0.0, |longest: f64, change| longest.max(change.abs()));
    let (value, deviation) = (function(fit), fit.deviation());
    let before = fit.logits.clone();
    let mut length = (LONGEST_STEP / longest).min(1.0);
    for _ in 0..30 {
        let mut changes = direction.iter();
        for (logits, before) in fit.logits.iter_mut().zip(&before) {
            for ((logit, before), change) in logits.iter_mut().zip(before).zip(&mut changes) {
                *logit = before + length * change;
            }
        }
        fit.evaluate();
        // Near the minimum the function does not change any more, but the deviations do.
        if fit.deviation() < deviation || function(fit) < value {
            return true;
        }
        length /= 2.0;
    }
    fit.logits = before;
    fit.evaluate();
    false
}

/// Returns the convex function: the sum of p(x1, x2) log(sum of exp(a + b)), less the mean logits under the data.
fn function(fit: &Fit) -> f64 {
    let mut value = 0.0;
    fit.each_pair(|_, probability, cells| {
        // Every cell of a pair has the same log(sum of exp) = a + b - log(share); the first with a share tells it.
        let cell = cells.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
        if let Some(cell) = cell {
            let logit = fit.logits[0][cell.first as usize] + fit.logits[1][cell.second as usize];
            value += probability * (logit - (cell.probability / probability).ln());
        }
    });
    let means = fit.required.iter().flatten().zip(fit.logits.iter().flatten());
    value - means.map(|(required, logit)| required * logit).sum::<f64>()
}

/// Returns the probabilities that are missing, in the order of the logits: a(x1, y), then b(x2, y).
fn gradient(fit: &Fit) -> Vec<f64> {
    let found = fit.found();
    fit.required.iter().flatten().zip(found.iter().flatten()).map(|(required, found)| required - found).collect()
}

fn second_derivative(fit: &Fit) -> Symmetric {
    let firsts = fit.logits[0].len();
    let mut matrix = Symmetric::zeros(firsts + fit.logits[1].len());
    fit.each_pair(|_, probability, cells| {
        for (place, cell) in cells.iter().enumerate() {
            let own = [cell.first as usize, firsts + cell.second as usize];
            for (other_place, other) in cells.iter().enumerate() {
                // A share's distance from 1 is the sum of the other shares: 1 less a share has no digits near 0.
                let element = if place == other_place {
                    let others = cells.iter().enumerate().filter(|(k, _)| *k != place).map(|(_, c)| c.probability);
                    cell.probability * (others.sum::<f64>() / probability)
                } else {
                    -cell.probability * (other.probability / probability)
                };
                for row in own {
                    for column in [other.first as usize, firsts + other.second as usize] {
                        if row >= column {
                            matrix.add(row, column, element);
                        }
                    }
                }
            }
        }
    });
    matrix
}
