//! Quadratic discriminant analysis on leading principal components: a covariance for each class, shrunken towards the
//! common one (Friedman 1989). The path is the number of components.
//!
//! It sees every product of two components, so it finds what shows only in how features vary together.

use super::discriminant::discriminant;
use super::{Classifier, Family, Listener, Problem, Training, leading};
use crate::densities::mixture::Covariance;
use crate::error::Result;
use crate::heads::View;

/// The fewest components of a modality that are tried if there are more.
const LEAST: usize = 2;
/// The most in all.
const MOST: usize = 256;
/// The most numbers in the covariances of all classes.
const MOST_COVARIANCES: usize = 4_000_000;

pub(super) struct Quadratic {
    components: Vec<usize>,
}

impl Quadratic {
    pub(super) fn new(problem: &Problem) -> Self {
        let modalities = problem.components.len();
        let affordable = |number: &usize| {
            let width = number * modalities;
            width <= MOST && problem.classes * width * width <= MOST_COVARIANCES
        };
        Self { components: leading(problem, LEAST, MOST).into_iter().filter(affordable).collect() }
    }
}

impl Family for Quadratic {
    fn name(&self, setting: usize) -> String {
        format!("quadratic discriminant of {} components", self.components[setting])
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        for setting in 0..self.components.len() {
            let Classifier { view, head, .. } = self.fit(training, setting)?;
            if !listener(head.log_posteriors(&training.points(view, held_out)?)?) {
                break;
            }
        }
        Ok(())
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        discriminant(training, View::Components(self.components[setting]), Covariance::Full)
    }
}
