//! Networks of rectified units, of one wide layer or of several. The path is the number of epochs.

use super::{Classifier, Family, Listener, Problem, Training};
use crate::error::Result;
use crate::heads::rows::Rows;
use crate::heads::{Head, NetworkHead, NetworkParams, View};

/// The most columns that are taken as they are: of more, leading components.
const MOST_COLUMNS: usize = 192;
/// The number of components of a modality for several layers.
const COMPONENTS: usize = 64;

pub(super) struct Networks {
    view: View,
    params: NetworkParams,
}

impl Networks {
    pub(super) fn shallow(problem: &Problem) -> Self {
        Self { view: view(problem), params: NetworkParams::shallow() }
    }

    pub(super) fn deep(problem: &Problem) -> Self {
        Self { view: view(problem), params: NetworkParams::deep() }
    }
}

fn view(problem: &Problem) -> View {
    if problem.columns.iter().sum::<usize>() <= MOST_COLUMNS { View::Columns } else { View::Components(COMPONENTS) }
}

impl Family for Networks {
    fn name(&self, setting: usize) -> String {
        format!("network {} of {} epochs", self.params.name(), self.params.checkpoints()[setting])
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        let sample = training.sample(self.view)?;
        let rows = Rows { sample: &sample, labels: training.labels, classes: training.classes };
        let (held_out, epochs) = (training.points(self.view, held_out)?, self.params.checkpoints());
        NetworkHead::path(&rows, &held_out, self.params, training.seed, epochs, listener)
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        let sample = training.sample(self.view)?;
        let rows = Rows { sample: &sample, labels: training.labels, classes: training.classes };
        let head = NetworkHead::train_for(&rows, self.params.checkpoints()[setting], self.params, training.seed)?;
        Ok(Classifier { view: self.view, map: None, head: Head::Network(head) })
    }
}
