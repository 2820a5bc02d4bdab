//! Distils what large encoders know of emoji into a small CNN and a small text network, under policies chosen by name.
//!
//! ```sh
//! cargo run --release -p lsmi-guide --example emoji_cnn -- PICTURES.csv interaction both none
//! ```
//!
//! `PICTURES.csv` names pictures of emoji, `id,image,text,label` with paths from its own folder, such as a file for `lsmi
//! embed`; ids are code points. The student sees their pixels and their names. Its teacher is the estimator of `lsmi demo`,
//! cross-fitted on the embedded features of all 1,906 emoji, so that what it says of one is by models that did not see it;
//! from the same fit come the interactions. The fit is on more samples than the student sees: these are judged by the
//! reference of all.
//!
//! It shows all that a model of your own needs: [`network::PictureAndName`] implements
//! [`Model`](lsmi_guide::train::student::Model), and the loop, the hook and the losses are the library's.

#![expect(clippy::print_stdout, reason = "a program for developers")]
#![expect(clippy::cast_possible_truncation, reason = "networks are of f32")]

mod data;
mod network;

use std::error::Error;
use std::path::Path;

use candle_core::{Device, Tensor};
use lsmi_candle::densities::knife::{self, KnownParams};
use lsmi_candle::densities::mixture::Covariance;
use lsmi_candle::estimator::{Settings as Estimation, cross_fit};
use lsmi_candle::training::parameters::ParameterStore;
use lsmi_core::Measure;
use lsmi_core::statistics::mean;
use lsmi_guide::decide::policy::{self, Options};
use lsmi_guide::train::distiller::{self, Distiller, Teacher};
use lsmi_guide::train::loss::label::surprisal;
use lsmi_guide::train::student::TensorStudent;
use lsmi_guide::train::trainer::{self, Rate};
use lsmi_guide::{Guide, Interactions, Pacing, Trainer};

use crate::data::Emoji;
use crate::network::{FUSED, PictureAndName};

const EPOCHS: usize = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((pictures, policies)) = arguments.split_first() else {
        return Err(
            "give a file `id,image,text,label` of emoji pictures, then policies such as `interaction both none`".into(),
        );
    };
    let (features, classes) = data::features()?;
    let settings = Estimation {
        measure: Measure::Ccs,
        // `ccs` looks at no density.
        knife: knife::Params::Known(KnownParams::new(1, Covariance::Diagonal)),
        ..Estimation::default()
    };
    println!("cross-fits the features of {} emoji", features.rows());
    let fit = cross_fit(&features, &classes, &settings, None)?;
    let of_all = Interactions::from_cross_fit(&fit)?;
    let logits = fit.candidates(&features)?.log_posteriors(2, fit.estimator.prior());
    let emoji = data::read(Path::new(pictures), &of_all)?;
    let (train, test) = emoji.divided();
    println!("trains on {} pictures and names, tests on {}", train.ids.len(), test.ids.len());

    for name in policies {
        let interactions = of_all.batch(&train.ids)?;
        let rows = of_all.rows(&train.ids)?;
        let of_rows = |values: &[f64], width: usize| -> candle_core::Result<Tensor> {
            let chosen: Vec<f32> =
                rows.iter().flat_map(|row| &values[row * width..][..width]).map(|value| *value as f32).collect();
            Tensor::from_vec(chosen, (rows.len(), width), &Device::Cpu)
        };
        let encoded = [&features.x1, &features.x2].map(|x| of_rows(x.values(), x.columns()));
        let [first, second] = encoded;
        let encoded = Tensor::cat(&[first?, second?], 1)?;
        let teacher = Teacher::new(train.ids.clone(), &encoded, &of_rows(&logits, classes.len())?)?;
        let (accuracy, log_loss) = distilled(name, &train, &test, classes.len(), teacher, interactions)?;
        println!("{name:12} accuracy {accuracy:.3}, log loss {log_loss:.3}");
    }
    Ok(())
}

/// Trains a student under a policy; returns its accuracy and log loss on samples to test on.
fn distilled(
    policy: &str,
    train: &Emoji,
    test: &Emoji,
    classes: usize,
    teacher: Teacher,
    interactions: Interactions,
) -> Result<(f32, f64), Box<dyn Error>> {
    let mut store = ParameterStore::new(0, &Device::Cpu);
    let model = PictureAndName::new(&mut store, train, classes)?;
    let factors =
        distiller::Settings { temperature: 2.0, feature: 0.3, auxiliary: 0.3, ..distiller::Settings::default() };
    let distiller = Distiller::new(teacher, factors, &mut store, classes, FUSED)?;
    let labels = train.labels.clone();
    let student = TensorStudent::new(model, store, train.ids.clone(), labels, Some(distiller), 0.01, &Device::Cpu)?;
    let guide = Guide::fixed(policy::named(policy, &Options::default())?, interactions, Pacing::default())?;
    let settings = trainer::Settings {
        batch: 32,
        rate: Rate::Cosine { start: 1e-2, epochs: EPOCHS },
        ..trainer::Settings::default()
    };
    let mut trainer = Trainer::new(student, guide, settings)?;
    for _ in 0..EPOCHS {
        trainer.epoch()?;
    }
    let logits = trainer.student().model().outputs(test)?.logits;
    let labels = Tensor::from_slice(&test.labels, test.labels.len(), &Device::Cpu)?;
    let right = logits.argmax(1)?.eq(&labels)?.to_dtype(candle_core::DType::F32)?.mean_all()?.to_scalar::<f32>()?;
    let losses: Vec<f64> = surprisal(&logits, &labels)?.to_vec1::<f32>()?.into_iter().map(f64::from).collect();
    Ok((right, mean(&losses)))
}
