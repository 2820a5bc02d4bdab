//! The fit of one model: a density or a head of one fold.

use candle_core::Device;

use super::Settings;
use super::inputs::{Columns, ModelInputs};
use crate::error::Result;
use crate::heads::{self, GivenHead, HeadModel};
use crate::knife::Knife;

/// What one model is fitted to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    /// The head of modality 0 or 1, or of both (2).
    Head(usize),
    /// The density of modality 0 or 1.
    Density(usize),
}

/// A fitted model.
#[derive(Clone)]
pub(super) enum Model {
    Head(HeadModel),
    Density(Knife),
}

/// What all models are fitted to.
#[derive(Clone, Copy)]
pub(super) struct Fit<'a> {
    pub(super) inputs: &'a ModelInputs,
    pub(super) labels: &'a [u32],
    pub(super) classes: usize,
    pub(super) settings: &'a Settings,
    pub(super) device: &'a Device,
}

impl Fit<'_> {
    /// Fits a model to the given rows; with its loss, on held-out rows where there are any, in nats.
    pub(super) fn model(
        &self,
        target: Target,
        rows: &[usize],
        seed: u64,
        report: &dyn Fn(String, f64),
    ) -> Result<(Model, f64)> {
        match target {
            Target::Density(modality) => {
                let Columns { values, columns } = self.inputs.density(modality, rows);
                let fitted = Knife::fit_reporting(values, columns, &self.settings.knife, seed, self.device, report)?;
                Ok((Model::Density(fitted.knife), fitted.loss))
            }
            Target::Head(head) => {
                let (model, loss) = self.head(head, rows, seed, report)?;
                Ok((Model::Head(model), loss))
            }
        }
    }

    /// Fits head 0 (x1), 1 (x2) or 2 (both) to the given rows.
    pub(super) fn head(
        &self,
        head: usize,
        rows: &[usize],
        seed: u64,
        report: &dyn Fn(String, f64),
    ) -> Result<(HeadModel, f64)> {
        let labels: Vec<u32> = rows.iter().map(|row| self.labels[*row]).collect();
        if let Some(Columns { values, .. }) = self.inputs.logits(head, rows) {
            let given =
                if self.settings.scale_logits { GivenHead::scaled(&values, &labels) } else { GivenHead::default() };
            let loss = given.log_loss(&values, &labels);
            return Ok((HeadModel::Given(given), loss));
        }
        let Columns { values, columns } = self.inputs.head(head, rows);
        let back = self.inputs.back[head].as_deref();
        let data = heads::Data { values, columns, back, labels: &labels, classes: self.classes };
        let fitted = heads::fit(data, seed, self.device, report)?;
        Ok((HeadModel::Pool(fitted.head), fitted.loss))
    }
}

/// The name of a target, for people.
pub(super) fn target_name(target: Target) -> &'static str {
    match target {
        Target::Head(0) => "head of x1",
        Target::Head(1) => "head of x2",
        Target::Head(_) => "head of both",
        Target::Density(0) => "density of x1",
        Target::Density(_) => "density of x2",
    }
}
