//! Families of heads: kinds of classifiers, each fitted along a path of settings.
//!
//! A family is one file. Its settings (a penalty, a number of components, epochs) are in an order such that what is learned
//! from the rows mostly grows along the path; unseen rows say where to stop.

mod centroids;
mod directions;
mod discriminant;
mod kernel;
mod mixture;
mod network;
mod products;
mod quadratic;
mod ridge;
mod trees;

use candle_core::Device;

use super::view::Features;
use super::{FeatureMap, Head, View};
use crate::densities::mixture::Sample;
use crate::densities::points::Points;
use crate::error::Result;

/// Rows that a family is fitted to.
pub(super) struct Training<'a> {
    pub(super) features: &'a Features<'a>,
    /// The rows of the features that are fitted to, and the class of each.
    pub(super) rows: &'a [usize],
    pub(super) labels: &'a [u32],
    pub(super) classes: usize,
    /// The group of each row of the features, where rows belong together.
    pub(super) groups: Option<&'a [u32]>,
    pub(super) seed: u64,
    pub(super) device: &'a Device,
}

impl Training<'_> {
    /// Returns the rows in a view, with the statistics for fits of mixtures.
    pub(super) fn sample(&self, view: View) -> Result<Sample> {
        Ok(Sample::new(self.features.gather(view, self.rows), self.features.width(view), self.device)?)
    }

    /// Returns other rows in a view.
    pub(super) fn points(&self, view: View, rows: &[usize]) -> Result<Points> {
        Ok(Points::new(self.features.gather(view, rows), self.features.width(view), self.device)?)
    }
}

/// A fitted classifier with its view.
#[derive(Debug, Clone)]
pub(crate) struct Classifier {
    /// The part of the features that it takes.
    pub view: View,
    /// The map from that part to the inputs of the head.
    pub map: Option<FeatureMap>,
    /// The head.
    pub head: Head,
}

/// A function that takes the log posteriors of held-out rows under the next setting, `[n, classes]`, and returns
/// whether to continue.
pub(super) type Listener<'a> = &'a mut dyn FnMut(Vec<f64>) -> bool;

/// A kind of classifier.
pub(super) trait Family: Send + Sync {
    /// Returns the name of a setting, for messages.
    fn name(&self, setting: usize) -> String;

    /// Returns whether fits take long: costly families are only fitted further if their first fits are of use.
    fn is_costly(&self) -> bool {
        false
    }

    /// Fits every setting of the path in turn and calls `listener` with the log posteriors of the held-out rows, until
    /// it returns false.
    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()>;

    /// Fits one setting.
    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier>;
}

/// The sizes that decide which families are worth a try.
pub(super) struct Problem {
    /// Rows that a fold's models are fitted to.
    pub(super) rows: usize,
    pub(super) classes: usize,
    /// Whether all heads are to be class means with one covariance.
    pub(super) prototypes: bool,
    /// Columns and principal components of each modality.
    pub(super) columns: Vec<usize>,
    pub(super) components: Vec<usize>,
    pub(super) are_tails_heavy: bool,
}

/// Fewest rows that a network of several hidden layers is tried with.
const ROWS_OF_A_DEEP_NETWORK: usize = 150;

/// Classes above which only class means compete: the posteriors of all other families would take tens of gigabytes.
const MOST_CLASSES: usize = 2000;

/// Returns the families that compete, cheap ones first.
pub(super) fn all(problem: &Problem) -> Vec<Box<dyn Family>> {
    if problem.prototypes || problem.classes > MOST_CLASSES {
        return vec![Box::new(centroids::ShrunkenCentroids)];
    }
    let mut families: Vec<Box<dyn Family>> = vec![
        Box::new(discriminant::Discriminant::new(problem)),
        Box::new(ridge::Ridge::new(problem)),
        Box::new(quadratic::Quadratic::new(problem)),
    ];
    if centroids::are_means_noisy(problem) {
        families.push(Box::new(centroids::ShrunkenCentroids));
    }
    if problem.components.len() == 2 {
        families.push(Box::new(directions::Directions::new(problem)));
    }
    families.push(Box::new(mixture::Mixtures::new(problem, None)));
    if problem.are_tails_heavy {
        families.push(Box::new(mixture::Mixtures::new(problem, Some(crate::densities::mixture::FREEDOMS))));
    }
    families.push(Box::new(kernel::Kernel::medium()));
    families.push(Box::new(trees::Trees::new(problem)));
    families.push(Box::new(network::Networks::shallow(problem)));
    if problem.rows >= ROWS_OF_A_DEEP_NETWORK {
        families.push(Box::new(network::Networks::deep(problem)));
    }
    families.push(Box::new(kernel::Kernel::other(problem)));
    if (2..=products::MOST_MODALITIES).contains(&problem.components.len()) {
        families.push(Box::new(products::Products::new(problem)));
    }
    families
}

/// Returns numbers of leading components of each modality, in steps of two, up to all of the widest.
fn leading(problem: &Problem, least: usize, most: usize) -> Vec<usize> {
    let all = problem.components.iter().copied().max().unwrap_or(1);
    let mut numbers: Vec<usize> = std::iter::successors(Some(least), |number| Some(number * 2))
        .take_while(|number| *number < all.min(most))
        .collect();
    numbers.push(all.min(most));
    numbers
}
