//! Softmax regression on features of a Gaussian kernel, with a ridge penalty: boundaries of any smooth shape. There is a
//! family for each bandwidth; the path is the penalty, falling.

use lsmi_core::random::stream;

use super::ridge::{hear_path, last_of};
use super::{Classifier, Family, Listener, Problem, Training};
use crate::densities::points::Points;
use crate::error::Result;
use crate::heads::classifiers::ridge::{Linear, Stop, path};
use crate::heads::maps::kernel::{KernelFeatures, MOST_LANDMARKS};
use crate::heads::{FeatureMap, View};

/// Penalties, falling.
const PENALTIES: [f64; 5] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
/// The largest number of components of a modality whose distances are taken.
const MOST: usize = 128;

/// The number of columns up to which a narrow kernel is tried in the place of a wide one: in many, few rows are near
/// any other.
const FEW_COLUMNS: usize = 8;

pub(super) struct Kernel {
    /// The squared bandwidth, in units of the median squared distance of two rows.
    bandwidth: f64,
}

impl Kernel {
    /// Returns a kernel of medium width, which fits most features.
    pub(super) fn medium() -> Self {
        Self { bandwidth: 0.4 }
    }

    /// Returns a narrow kernel for few columns, a wide one for many.
    pub(super) fn other(problem: &Problem) -> Self {
        let is_narrow = problem.columns.iter().sum::<usize>() <= FEW_COLUMNS;
        Self { bandwidth: if is_narrow { 0.04 } else { 2.0 } }
    }

    const VIEW: View = View::Components(MOST);

    fn heads(&self, training: &Training<'_>, values: &[f32], penalties: &[f64]) -> Result<(FeatureMap, Vec<Linear>)> {
        let mut random = stream(training.seed, "kernel landmarks");
        let columns = training.features.width(Self::VIEW);
        let features = KernelFeatures::fit(values, columns, MOST_LANDMARKS, self.bandwidth, &mut random);
        let failed = || candle_core::Error::Msg("kernel features of rows that are not finite".to_owned());
        let map = FeatureMap::Kernel(features.ok_or_else(failed)?);
        let mapped = map.apply(values);
        let linears = path(&mapped, map.outputs(), training.labels, training.classes, penalties, Stop::default());
        Ok((map, linears))
    }
}

impl Family for Kernel {
    fn name(&self, setting: usize) -> String {
        format!("softmax of a kernel of width {} with ridge {}", self.bandwidth, PENALTIES[setting])
    }

    fn is_costly(&self) -> bool {
        true
    }

    fn path(&self, training: &Training<'_>, held_out: &[usize], listener: Listener<'_>) -> Result<()> {
        let values = training.features.gather(Self::VIEW, training.rows);
        let (map, linears) = self.heads(training, &values, &PENALTIES)?;
        let held_out = map.apply(&training.features.gather(Self::VIEW, held_out));
        hear_path(linears, &Points::new(held_out, map.outputs(), training.device)?, listener)
    }

    fn fit(&self, training: &Training<'_>, setting: usize) -> Result<Classifier> {
        let values = training.features.gather(Self::VIEW, training.rows);
        let (map, linears) = self.heads(training, &values, &PENALTIES[..=setting])?;
        Ok(Classifier { view: Self::VIEW, map: Some(map), head: last_of(linears) })
    }
}
