//! Pools of heads, which give the posteriors of one modality or of several together.

use candle_core::Device;

use super::absent::give_shares;
use super::families::Classifier;
use super::view::Features;
use super::{Calibration, Stack};
use crate::densities::points::Points;
use crate::error::Result;

/// A member of a pool.
#[derive(Debug, Clone)]
pub(crate) enum Member {
    /// A classifier of its own, calibrated.
    Own(Box<Classifier>, Calibration),
    /// The pool of a part of the modalities, in the pool of all: 0 (x1), 1 (x2) and so on for each by itself, and then, of
    /// three or more, all without one of them, the last left out first.
    Part(usize),
    /// The late fusion of each by itself, `p(y|x1) p(y|x2) / p(y)` of two and `p(y) prod_m p(y|xm) / p(y)` of any number,
    /// calibrated: the information of all if none changes the meaning of another.
    Fusion(Calibration),
}

/// Heads whose posteriors are combined.
#[derive(Debug, Clone)]
pub(crate) struct HeadPool {
    /// The members, in the order of the stack's weights; if there are none, the pool knows the class frequencies alone.
    pub members: Vec<Member>,
    /// The combination of their posteriors.
    pub stack: Stack,
    /// The classes that it has seen no row of, where they are told from others; rising.
    pub absent: Vec<usize>,
}

impl HeadPool {
    /// Returns whether the pool needs the posteriors of modality 0 or 1.
    pub(crate) fn needs_part(&self, modality: usize) -> bool {
        self.members.iter().any(|member| match member {
            Member::Own(..) => false,
            Member::Part(part) => *part == modality,
            Member::Fusion(_) => true,
        })
    }

    /// Returns pooled `log p(y|x)` of every class for the given rows, `[rows, classes]`, row-major; `parts` are the log
    /// posteriors of the parts of the modalities if the pool needs them.
    pub(crate) fn log_posteriors(
        &self,
        features: &Features<'_>,
        rows: &[usize],
        parts: &[&[f64]],
        device: &Device,
    ) -> Result<Vec<f64>> {
        let mut posteriors = Vec::with_capacity(self.members.len());
        for member in &self.members {
            posteriors.push(match member {
                Member::Own(classifier, calibration) => {
                    let mut posteriors = classifier.log_posteriors(features, rows, device)?;
                    calibration.apply(&mut posteriors);
                    posteriors
                }
                Member::Part(part) => parts[*part].to_vec(),
                Member::Fusion(calibration) => {
                    let mut posteriors = late_fusion(&parts[..features.modalities()], &self.stack.log_frequencies);
                    calibration.apply(&mut posteriors);
                    posteriors
                }
            });
        }
        let posteriors: Vec<&[f64]> = posteriors.iter().map(Vec::as_slice).collect();
        let mut combined = self.stack.combine(&posteriors, rows.len());
        give_shares(&mut combined, &self.absent, &self.stack.log_frequencies);
        Ok(combined)
    }
}

impl Classifier {
    /// Returns `log p(y|x)` of every class for the given rows, `[rows, classes]`, row-major.
    pub(crate) fn log_posteriors(&self, features: &Features<'_>, rows: &[usize], device: &Device) -> Result<Vec<f64>> {
        let mut values = features.gather(self.view, rows);
        let mut width = features.width(self.view);
        if let Some(map) = &self.map {
            (values, width) = (map.apply(&values), map.outputs());
        }
        self.head.log_posteriors(&Points::new(values, width, device)?)
    }
}

/// Returns `log p(y) + sum_m (log p(y|xm) - log p(y))`, not normalised, `[n, classes]`, row-major, of two modalities or more.
pub(super) fn late_fusion(modalities: &[&[f64]], log_frequencies: &[f64]) -> Vec<f64> {
    let prior_count = modalities.len() as f64 - 1.0;
    let mut fused = modalities[0].to_vec();
    for posteriors in &modalities[1..] {
        for (sum, value) in fused.iter_mut().zip(*posteriors) {
            *sum += value;
        }
    }
    for (sum, frequency) in fused.iter_mut().zip(log_frequencies.iter().cycle()) {
        *sum -= prior_count * frequency;
    }
    fused
}
