//! Softmax regression on all principal components with a ridge penalty (Hoerl, Kennard 1970; le Cessie, van Houwelingen
//! 1992). The path is the penalty, falling: with a strong one only directions of large variance speak.

use super::{Classifier, Family, Listener, Problem, Training};
use crate::densities::points::Points;
use crate::error::Result;
use crate::heads::classifiers::ridge::{Linear, Stop, path};
use crate::heads::{Head, NetworkHead, View};

/// Penalties, falling.
pub(super) const PENALTIES: [f64; 7] = [1.0, 0.2, 0.05, 0.01, 2e-3, 3e-4, 3e-5];
/// The largest number of values in the rows of a fit, times the classes: with more, fewer components are taken.
const MOST_NUMBERS: usize = 600_000_000;

pub(super) struct Ridge {
    view: View,
}

impl Ridge {
    pub(super) fn new(problem: &Problem) -> Self {
        let affordable = MOST_NUMBERS / (problem.rows * problem.classes).max(1) / problem.components.len();
        Self { view: View::Components(affordable.max(64)) }
    }

    fn heads(&self, training: &Training<'_>, penalties: &[f64]) -> Vec<Linear> {
        let values = training.features.gather(self.view, training.rows);
        path(&values, training.features.width(self.view), training.labels, training.classes, penalties, Stop::default())
    }
}

impl Family for Ridge {
    fn name(&self, setting: usize) -> String {
        format!("softmax with ridge {}", PENALTIES[setting])
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        let held_out = training.points(self.view, held_out)?;
        hear_path(self.heads(training, &PENALTIES), &held_out, listener)
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        Ok(Classifier { view: self.view, map: None, head: last_of(self.heads(training, &PENALTIES[..=setting])) })
    }
}

/// Returns the head at the end of a path.
#[expect(clippy::expect_used, reason = "a path has a head for every penalty, and there is one at least")]
pub(super) fn last_of(path: Vec<Linear>) -> Head {
    Head::Network(path.into_iter().next_back().expect("at least one penalty").into())
}

/// Calls `listener` with the log posteriors of the held-out rows under every head of a path.
pub(super) fn hear_path(linears: Vec<Linear>, held_out: &Points, listener: Listener<'_>) -> Result<()> {
    for linear in linears {
        if !listener(NetworkHead::from(linear).log_posteriors(held_out)?) {
            break;
        }
    }
    Ok(())
}
