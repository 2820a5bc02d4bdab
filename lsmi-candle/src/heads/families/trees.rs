//! Boosted trees on the columns themselves: steps, thresholds and interactions of few columns. The path is the number of
//! rounds.

use lsmi_core::random::stream;

use super::{Classifier, Family, Listener, Problem, Training};
use crate::error::Result;
use crate::heads::classifiers::trees::{BoostedTrees, TreesParams};
use crate::heads::{Head, View};

/// Numbers of rounds, in two stretches: most trees without information are given up after the first. The second one
/// grows the same first trees again.
const ROUNDS: [usize; 6] = [20, 40, 75, 120, 200, 300];
/// The share of the columns that a round draws if there are more than a few, and the most it draws.
const COLUMNS_SHARE: f64 = 0.4;
const FEW_COLUMNS: usize = 16;
const MOST_COLUMNS: usize = 64;
/// Numbers of rounds in the first stretch.
const FIRST: usize = 3;

pub(super) struct Trees {
    params: TreesParams,
}

impl Trees {
    pub(super) fn new(problem: &Problem) -> Self {
        let columns_share = if problem.columns.iter().sum::<usize>() <= FEW_COLUMNS { 1.0 } else { COLUMNS_SHARE };
        Self { params: TreesParams { columns_share, most_columns: MOST_COLUMNS, ..TreesParams::default() } }
    }

    fn trees(&self, training: &Training<'_>, rounds: usize) -> BoostedTrees {
        let values = training.features.gather(View::Columns, training.rows);
        let columns = training.features.width(View::Columns);
        let params = TreesParams { rounds, ..self.params.clone() };
        let mut random = stream(training.seed, "boosted trees");
        BoostedTrees::fit(&values, columns, training.labels, training.classes, &params, &mut random)
    }
}

impl Family for Trees {
    fn name(&self, setting: usize) -> String {
        format!("boosted trees of {} rounds", ROUNDS[setting])
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        let held_out = training.features.gather(View::Columns, held_out);
        for rounds in [&ROUNDS[..FIRST], &ROUNDS[FIRST..]] {
            let Some(last) = rounds.last() else { break };
            for posteriors in self.trees(training, *last).log_posteriors_at(&held_out, rounds) {
                if !listener(posteriors) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        Ok(Classifier { view: View::Columns, map: None, head: Head::Trees(self.trees(training, ROUNDS[setting])) })
    }
}
