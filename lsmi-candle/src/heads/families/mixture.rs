//! Mixtures with free components that each hold a distribution over classes (see [`GenerativeHead`]). The path is the number
//! of components; where tails are heavy, a second family has Student's components, of several degrees of freedom.

use lsmi_core::random::stream;

use super::{Classifier, Family, Listener, Problem, Training};
use crate::densities::mixture::Sample;
use crate::error::Result;
use crate::heads::rows::Rows;
use crate::heads::{GenerativeHead, Head, View};

/// Numbers of components.
const SIZES: [usize; 5] = [2, 4, 8, 16, 32];
/// Heavy-tailed components that are tried at most: normal ones in numbers make up for tails, and these need not.
const HEAVY_TAILED_SIZES: [usize; 4] = [0, 2, 4, 8];
/// Fewest rows for each of them.
const ROWS_OF_A_COMPONENT: usize = 10;
/// The most principal components of the features: in more, clusters are lost in noise.
const MOST_DIMENSIONS: usize = 64;

pub(super) struct Mixtures {
    view: View,
    /// The number of components, 0 for one a class, and the degrees of freedom of Student's.
    settings: Vec<(usize, Option<f64>)>,
}

impl Mixtures {
    pub(super) fn new(problem: &Problem, freedoms: Option<[f64; 3]>) -> Self {
        let affordable = |size: &usize| size * ROWS_OF_A_COMPONENT <= problem.rows;
        let settings = match freedoms {
            None => SIZES.into_iter().filter(affordable).map(|size| (size, None)).collect(),
            Some(freedoms) => {
                let sizes = || HEAVY_TAILED_SIZES.into_iter().filter(affordable);
                freedoms.into_iter().flat_map(|freedom| sizes().map(move |size| (size, Some(freedom)))).collect()
            }
        };
        Self { view: View::Components(MOST_DIMENSIONS / problem.components.len()), settings }
    }

    fn head(&self, training: &Training<'_>, sample: &Sample, setting: usize) -> Result<Head> {
        let rows = Rows { sample, labels: training.labels, classes: training.classes };
        let (size, freedom) = self.settings[setting];
        let head = if let (0, Some(freedom)) = (size, freedom) {
            GenerativeHead::heavy_tailed(&rows, freedom)?
        } else {
            let mut random = stream(training.seed, &format!("head mixture {size}"));
            GenerativeHead::clustered(&rows, size, freedom, &mut random)?
        };
        Ok(Head::Generative(head))
    }
}

impl Family for Mixtures {
    fn name(&self, setting: usize) -> String {
        match self.settings[setting] {
            (0, Some(freedom)) => format!("linear discriminant t({freedom})"),
            (size, Some(freedom)) => format!("mixture of {size} t({freedom})"),
            (size, None) => format!("mixture of {size}"),
        }
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        let (sample, held_out) = (training.sample(self.view)?, training.points(self.view, held_out)?);
        for setting in 0..self.settings.len() {
            if !listener(self.head(training, &sample, setting)?.log_posteriors(&held_out)?) {
                break;
            }
        }
        Ok(())
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        let head = self.head(training, &training.sample(self.view)?, setting)?;
        Ok(Classifier { view: self.view, map: None, head })
    }
}
