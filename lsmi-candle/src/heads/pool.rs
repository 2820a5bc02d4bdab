//! Pools of heads, which give the posteriors of a modality or of both.

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
    /// The pool of modality 0 (x1) or 1 (x2), in the pool of both.
    Part(usize),
    /// The late fusion of these two, `p(y|x1) p(y|x2) / p(y)`, calibrated: the information of both if neither changes
    /// the meaning of the other.
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
    /// posteriors of both modalities if the pool needs them.
    pub(crate) fn log_posteriors(
        &self,
        features: &Features<'_>,
        rows: &[usize],
        parts: [&[f64]; 2],
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
                Member::Part(modality) => parts[*modality].to_vec(),
                Member::Fusion(calibration) => {
                    let mut posteriors = late_fusion(parts, &self.stack.log_frequencies);
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

/// Returns `log p(y|x1) + log p(y|x2) - log p(y)`, not normalised, `[n, classes]`, row-major.
pub(super) fn late_fusion(parts: [&[f64]; 2], log_frequencies: &[f64]) -> Vec<f64> {
    let frequencies = log_frequencies.iter().cycle();
    parts[0]
        .iter()
        .zip(parts[1])
        .zip(frequencies)
        .map(|((first, second), frequency)| first + second - frequency)
        .collect()
}
