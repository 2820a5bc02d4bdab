//! The encoders of `--unfreeze N`, with the inputs of all samples by their ids.

use std::collections::BTreeMap;
use std::error::Error;
use std::num::NonZero;
use std::thread;

use candle_core::{Tensor, Var};
use crossbeam_channel::unbounded;
use lsmi_candle::embedding::embedder::{EmbedError, Options, Trainable, TrainedTail};
use lsmi_candle::embedding::encoders::{EncoderError, Entry};
use lsmi_candle::embedding::pipeline::table::{Columns, OptionalColumn};
use lsmi_candle::embedding::pipeline::{InputTable, PipelineError, Watch};
use lsmi_candle::features::{FeatureFile, FeatureSet};
use lsmi_core::SampleIds;
use lsmi_guide::experiments::align::{Encoder, Training, Unfrozen};

use crate::arguments::Align;
use crate::commands::{embed, model_source};
use crate::process::console;
use crate::process::failure::Failure;

/// An encoder and the states of inputs that enter the first block that is trained.
struct WithInputs {
    model: Trainable,
    entries: Vec<Entry>,
}

/// A training of it.
struct OfInputs<'a> {
    tail: TrainedTail,
    entries: &'a [Entry],
}

impl Encoder for WithInputs {
    fn name(&self) -> &str {
        &self.model.embedder().provenance().model
    }

    fn weights(&self) -> &str {
        &self.model.embedder().provenance().weights
    }

    fn blocks(&self) -> usize {
        self.model.blocks()
    }

    fn inputs(&self) -> usize {
        self.entries.len()
    }

    fn begin(&self) -> Result<Box<dyn Training + '_>, Box<dyn Error + Send + Sync>> {
        Ok(Box::new(OfInputs { tail: self.model.tail()?, entries: &self.entries }))
    }
}

impl Training for OfInputs<'_> {
    fn embed(&self, rows: &[usize]) -> Result<Tensor, Box<dyn Error + Send + Sync>> {
        let entries: Vec<&Entry> = rows.iter().map(|row| &self.entries[*row]).collect();
        Ok(self.tail.embed(&entries)?)
    }

    fn variables(&self) -> &BTreeMap<String, Var> {
        self.tail.variables()
    }
}

/// Loads the encoders, and takes the inputs of all samples to their blocks.
pub(super) fn unfrozen(
    arguments: &Align,
    file: &FeatureFile,
    sets: &[&FeatureSet],
) -> Result<Option<Unfrozen>, Failure> {
    let options = &arguments.unfreeze;
    let (Some(blocks), Some(path)) = (options.blocks, &options.table) else { return Ok(None) };
    let [first, second] = options.encoders.0.as_slice() else {
        return Err(Failure::usage(format!(
            "--unfreeze trains two encoders, but {} named; give two, such as --image MODEL --text MODEL",
            match options.encoders.0.len() {
                0 => "none is".to_owned(),
                1 => "one is".to_owned(),
                several => format!("{several} are"),
            }
        )));
    };
    let ids = ids(file, sets)?;
    let columns = embed::columns(&options.columns, &options.encoders)?;
    // Labels are those of the samples.
    let columns = Columns { id: OptionalColumn { is_needed: true, ..columns.id }, ..columns };
    let common = &arguments.common;
    let device = common.device.open().map_err(EmbedError::from)?;
    let load = |chosen| -> Result<Trainable, Failure> {
        let model = model_source::find(&options.origin, chosen, false, common.quiet)?;
        Trainable::load(&model, &Options::default(), usize::from(blocks), &device).map_err(refused)
    };
    let models = [load(first)?, load(second)?];
    let threads = common.threads.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from);
    let table = InputTable { path, columns: &columns, follow_links: options.follow_links, threads };
    let (sender, receiver) = unbounded();
    let entries = thread::scope(|scope| {
        scope.spawn(|| embed::show(receiver, common.quiet));
        let watch = Watch { progress: Some(sender), ..Watch::default() };
        table.enter(&[&models[0], &models[1]], &ids, &watch)
    });
    let entries = entries.map_err(|error| match error {
        PipelineError::Embed(error) => Failure::from(error).about(path),
        // Hints for rows of `embed` speak of options that are not here.
        error @ (PipelineError::Row { .. } | PipelineError::UnknownId { .. }) => Failure::data(error),
        error => error.into(),
    })?;
    let mut with_inputs = models
        .into_iter()
        .zip(entries)
        .map(|(model, entries)| -> Box<dyn Encoder> { Box::new(WithInputs { model, entries }) });
    let (Some(first), Some(second)) = (with_inputs.next(), with_inputs.next()) else { return Ok(None) };
    let ids = SampleIds::from_names(&ids).map_err(Failure::data)?;
    Ok(Some(Unfrozen::new([first, second], ids, threads)?))
}

/// The ids of all samples, by which inputs are found.
fn ids(file: &FeatureFile, sets: &[&FeatureSet]) -> Result<Vec<String>, Failure> {
    if sets.iter().any(|set| set.ids.are_row_numbers()) {
        let reason = "the samples have no ids, by which --unfreeze finds their inputs in --table";
        return Err(Failure::data(reason).about(&file.path).with_hint("give DATA an array of ids"));
    }
    Ok(sets.iter().flat_map(|set| set.ids.iter().map(std::borrow::Cow::into_owned)).collect())
}

/// What a model cannot do that the options ask of it.
fn refused(error: EmbedError) -> Failure {
    match error {
        EmbedError::Encoder(EncoderError::Blocks { .. }) => Failure::usage(error).with_hint("--unfreeze says how many"),
        EmbedError::Encoder(EncoderError::NotTrainable { .. }) => {
            Failure::usage(error).with_hint("leave --unfreeze out to train heads alone")
        }
        error => error.into(),
    }
}

/// Notes on features that were not made by the encoders that are trained.
pub(super) fn say_other_features(differences: [Option<f64>; 2]) {
    /// What is beyond rounding.
    const ROUNDING: f64 = 1e-3;
    for (name, difference) in ["x1", "x2"].into_iter().zip(differences) {
        let what = match difference {
            Some(difference) if difference <= ROUNDING => continue,
            Some(_) => "has other values than",
            None => "has other columns than",
        };
        console::say(&format!(
            "note: {name} of DATA {what} the vectors of its encoder before training: parts are taken by DATA, and what is \
             trained and measured are the encoder's"
        ));
    }
}
