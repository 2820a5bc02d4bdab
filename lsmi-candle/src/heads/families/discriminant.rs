//! Linear discriminant analysis on leading principal components (Fisher 1936; components first: Belhumeur, Hespanha,
//! Kriegman 1997), one shrunken covariance for all classes. The path is the number of components.

use super::{Classifier, Family, Listener, Problem, Training, leading};
use crate::densities::mixture::Covariance;
use crate::error::Result;
use crate::heads::rows::Rows;
use crate::heads::{GenerativeHead, Head, View};

/// The fewest components of a modality that are tried if there are more.
const LEAST: usize = 8;
/// The most: the covariance of more takes too long.
const MOST: usize = 1024;

pub(super) struct Discriminant {
    components: Vec<usize>,
}

impl Discriminant {
    pub(super) fn new(problem: &Problem) -> Self {
        Self { components: leading(problem, LEAST, MOST) }
    }
}

impl Family for Discriminant {
    fn name(&self, setting: usize) -> String {
        format!("linear discriminant of {} components", self.components[setting])
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        for (setting, components) in self.components.iter().enumerate() {
            let Classifier { view, head, .. } = self.fit(training, setting)?;
            debug_assert_eq!(view, View::Components(*components));
            if !listener(head.log_posteriors(&training.points(view, held_out)?)?) {
                break;
            }
        }
        Ok(())
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        discriminant(training, View::Components(self.components[setting]), Covariance::Tied)
    }
}

/// Fits discriminant analysis in a view: linear with a tied covariance, quadratic with full ones.
pub(super) fn discriminant(training: &Training<'_>, view: View, covariance: Covariance) -> Result<Classifier> {
    let sample = training.sample(view)?;
    let rows = Rows { sample: &sample, labels: training.labels, classes: training.classes };
    Ok(Classifier { view, map: None, head: Head::Generative(GenerativeHead::discriminant(&rows, covariance)?) })
}
