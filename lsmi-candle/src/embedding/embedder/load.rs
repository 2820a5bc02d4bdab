//! From the files of a model to the stages that its inputs go through.

use candle_core::{DType, Device};

use super::error::{EmbedError, Result};
use super::{Applied, FrameEncoder, Options, Preprocessing, Prompt, Stages};
use crate::embedding::encoders::tokens::Tokenizer;
use crate::embedding::encoders::{
    Architecture, Config, Modality, Pooling, Poolings, Variables, Weights, layers::Linear,
};
use crate::embedding::encoders::{audio, image, text, video};
use crate::embedding::manifests::{self, Dense, Description, Resolved, Step};
use crate::embedding::preprocess::audio::{LogMelSettings, Preparation, Settings as AudioSettings};
use crate::files::{Digest, sha256};

/// The stages of a model, and what it does to inputs.
pub(super) fn stages(
    model: &Resolved,
    options: &Options,
    dtype: DType,
    device: &Device,
) -> Result<(Stages, Preprocessing)> {
    let description = &model.description;
    let weights = Weights::read_files(&model.weights(), dtype, device)?;
    let config = configuration(model)?;
    match description.modality {
        Modality::Text => text_stages(model, options, &config, &weights),
        Modality::Image => {
            let encoder = image::load(&config, &weights)?;
            let Some(manifests::Preprocessing::Image(settings)) = description.preprocessing.clone() else {
                return Err(unsaid(description, "how pictures are prepared"));
            };
            Ok((Stages::Image { encoder, settings: settings.clone() }, Preprocessing::Image(settings)))
        }
        Modality::Audio => {
            let encoder = audio::load(&config, &weights)?;
            let settings = audio_settings(description, &config)?;
            let preprocessing = Preprocessing::Audio {
                settings: settings.clone(),
                padding_left_out: encoder.leaves_padding_out(),
                windows: options.windows,
            };
            let preparation = Box::new(Preparation::new(settings)?);
            Ok((Stages::Audio { encoder, preparation, windows: options.windows }, preprocessing))
        }
        Modality::Video => {
            let Some(manifests::Preprocessing::Video(settings)) = description.preprocessing.clone() else {
                return Err(unsaid(description, "which frames of videos are read"));
            };
            let encoder = if config.network(Modality::Video).is_ok() {
                FrameEncoder::Clips(video::load(&config, &weights)?)
            } else {
                FrameEncoder::Pictures(image::load(&config, &weights)?)
            };
            if let FrameEncoder::Clips(encoder) = &encoder
                && encoder.frames() != settings.frames
            {
                return Err(EmbedError::File {
                    file: description.name.clone(),
                    reason: format!(
                        "reads clips of {} frames, but {} are to be prepared; correct the manifest",
                        encoder.frames(),
                        settings.frames
                    ),
                });
            }
            Ok((Stages::Video { encoder, settings: settings.clone() }, Preprocessing::Video(settings)))
        }
        Modality::Depth => {
            let encoder = image::load_depth(&config, &weights)?;
            let Some(manifests::Preprocessing::Depth(settings)) = description.preprocessing.clone() else {
                return Err(unsaid(description, "how depth is prepared"));
            };
            Ok((Stages::Depth { encoder, settings: settings.clone() }, Preprocessing::Depth(settings)))
        }
    }
}

/// How sounds are prepared: as the files say, else as is usual for the architecture where only one way is.
fn audio_settings(description: &Description, config: &Config) -> Result<AudioSettings> {
    match description.preprocessing.clone() {
        Some(manifests::Preprocessing::Audio(settings)) => Ok(settings),
        // Of Whisper's only the number of bins and the length differ between models.
        _ if description.architecture == Architecture::Whisper => Ok(AudioSettings::LogMel(LogMelSettings {
            sample_rate: 16_000,
            seconds: config.count(&["max_source_positions"], 1500)? as f64 / 50.0,
            mel_bins: config.count(&["num_mel_bins"], 80)?,
            window: 400,
            hop: 160,
        })),
        _ => Err(unsaid(description, "how sounds are prepared")),
    }
}

fn text_stages(
    model: &Resolved,
    options: &Options,
    config: &Config,
    weights: &Weights,
) -> Result<(Stages, Preprocessing)> {
    let description = &model.description;
    let encoder = text::load(config, weights)?;
    let tokenizer = Tokenizer::read(model.file("tokenizer.json")?, &description.text, encoder.as_ref())?;
    let prompt = prompt(description, &options.prompt);
    let leading = match &prompt {
        Some(prompt) if description.prompts.left_out && options.pooling.is_none() => {
            tokenizer.length_of_prompt(prompt)?
        }
        _ => 0,
    };
    let preprocessing = Preprocessing::Text {
        max_tokens: tokenizer.max_tokens(),
        lower_case: description.text.lower_case,
        prompt: prompt.clone(),
        prompt_left_out: leading > 0,
    };
    let prompt = prompt.unwrap_or_default();
    Ok((Stages::Text { encoder, tokenizer: Box::new(tokenizer), prompt, leading }, preprocessing))
}

/// What is put before every text; None where it is nothing.
fn prompt(description: &Description, asked: &Prompt) -> Option<String> {
    let prompts = &description.prompts;
    let of_name = |name: &String| prompts.texts.get(name).cloned();
    let prompt = match asked {
        Prompt::Authors => prompts.default.as_ref().and_then(of_name),
        Prompt::None => None,
        Prompt::Given(text) => Some(of_name(text).unwrap_or_else(|| text.clone())),
    };
    prompt.filter(|prompt| !prompt.is_empty())
}

/// How one vector is made of hidden states: as the user says, else as the authors do, else as is usual.
pub(super) fn poolings(description: &Description, options: &Options, usual: Pooling) -> Poolings {
    let chosen = options.pooling.clone().or_else(|| description.pooling.clone());
    chosen.unwrap_or_else(|| usual.into())
}

/// What is done to a vector of `width` numbers then: the layers, which become variables where these are given, and whether it
/// is at last divided by its length.
pub(super) fn steps(
    model: &Resolved,
    options: &Options,
    poolings: &Poolings,
    mut width: usize,
    device: &Device,
    variables: Option<&Variables>,
) -> Result<Vec<(Applied, Option<String>)>> {
    // What compares two modalities compares directions.
    let usual = || if *poolings == Pooling::Projection.into() { vec![Step::Normalize] } else { Vec::new() };
    let mut steps = model.description.steps.clone().unwrap_or_else(usual);
    if options.pooling.is_some() {
        // The layers were trained on vectors of another pooling.
        let normalizes = steps.last() == Some(&Step::Normalize);
        steps = if normalizes { vec![Step::Normalize] } else { Vec::new() };
    }
    if let Some(normalize) = options.normalize {
        while steps.last() == Some(&Step::Normalize) {
            steps.pop();
        }
        steps.extend(normalize.then_some(Step::Normalize));
    }
    let mut applied = Vec::with_capacity(steps.len());
    for step in &steps {
        applied.push(match step {
            Step::Normalize => (Applied::Normalize, None),
            Step::Dense(dense) => {
                if dense.inputs != width {
                    return Err(EmbedError::File {
                        file: format!("{}/config.json", dense.folder),
                        reason: format!("takes {} numbers, but is given {width}; get both anew", dense.inputs),
                    });
                }
                width = dense.outputs;
                layer(model, dense, device, variables)?
            }
        });
    }
    Ok(applied)
}

/// A layer, and what it is in words.
fn layer(
    model: &Resolved,
    dense: &Dense,
    device: &Device,
    variables: Option<&Variables>,
) -> Result<(Applied, Option<String>)> {
    let Dense { folder, inputs, outputs, bias, activation, residual } = dense;
    let path = &model.files[&format!("{folder}/model.safetensors")];
    let weights = Weights::read(path, DType::F32, device)?;
    let weights = variables.map_or_else(|| weights.clone(), |variables| weights.trained(&variables.within(folder)));
    let linear = Linear::load(&weights, "linear", *inputs, *outputs, *bias)?;
    let around = if *residual && inputs != outputs {
        Some(Linear::load(&weights, "residual", *inputs, *outputs, false)?)
    } else {
        None
    };
    weights.finish(&[])?;
    let words =
        format!("{inputs} to {outputs}, {activation:?}, weights {}", hash(std::slice::from_ref(path))?).to_lowercase();
    Ok((Applied::Dense { linear, activation: *activation, residual: *residual, around }, Some(words)))
}

/// SHA-256 of a file, or of the hashes of several in their order.
pub(super) fn hash(files: &[std::path::PathBuf]) -> Result<String> {
    let of_file = |path: &std::path::PathBuf| {
        let read = |source| EmbedError::Read { file: path.display().to_string(), source };
        Digest::of_file(path).map(|digest| digest.sha256).map_err(read)
    };
    let hashes = files.iter().map(of_file).collect::<Result<Vec<_>>>()?;
    Ok(match &hashes[..] {
        [only] => only.clone(),
        several => sha256(several.join("\n")),
    })
}

/// The configuration, or one that names nothing but the architecture.
pub(super) fn configuration(model: &Resolved) -> Result<Config> {
    if let Ok(path) = model.file("config.json") {
        return Ok(Config::read(path)?);
    }
    let text = serde_json::json!({ "model_type": model.description.architecture }).to_string();
    Ok(Config::parse(&model.description.name, &text)?)
}

fn unsaid(description: &Description, what: &str) -> EmbedError {
    EmbedError::File { file: description.name.clone(), reason: format!("nothing says {what}; write a manifest") }
}
