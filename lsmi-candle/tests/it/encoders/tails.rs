//! The last blocks of encoders as they are trained: the vectors before a step are those of inference, and gradients are
//! those of finite differences.

#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::collections::BTreeMap;

use crate::golden::{Fixture, difference};
use candle_core::{DType, Device, Tensor, Var};
use lsmi_candle::embedding::encoders::{
    Encoder, EncoderError, Entered, Entry, Hidden, Pooling, Tail, Variables, image, text,
};

/// An architecture, with the checkpoint that it is tested on.
#[derive(Debug, Clone, Copy)]
enum Model {
    Text(&'static str),
    Image(&'static str),
}

const MODELS: [Model; 11] = [
    Model::Text("tiny-bert"),
    Model::Text("electra/small"),
    Model::Text("tiny-distilbert"),
    Model::Text("tiny-xlm-roberta"),
    Model::Text("roberta/data2vec"),
    Model::Text("tiny-clip"),
    Model::Image("tiny-clip"),
    Model::Image("tiny-vit"),
    Model::Image("tiny-dinov2"),
    Model::Image("dinov2_with_registers/small"),
    Model::Image("dinov2_with_registers/classifier"),
];

/// What an encoder for inference makes of a batch, and the states before the first block that is trained.
struct Whole {
    hidden: Hidden,
    blocks: usize,
    entries: Vec<Entry>,
    offered: Vec<Pooling>,
}

impl Model {
    fn fixture(self) -> Fixture {
        let (Self::Text(name) | Self::Image(name)) = self;
        Fixture::tiny(name)
    }

    fn whole(self, dtype: DType, trained: usize) -> Whole {
        let fixture = self.fixture();
        let (config, weights) = (fixture.config("config.json"), fixture.weights(dtype));
        let offered = |encoder: &dyn Encoder| {
            Pooling::ALL.into_iter().filter(|pooling| encoder.width(*pooling).is_ok()).collect::<Vec<_>>()
        };
        match self {
            Self::Text(_) => {
                let (ids, mask) = (fixture.whole("input_ids"), fixture.whole("attention_mask"));
                let encoder = text::load(&config, &weights).unwrap();
                let stages = encoder.stages().unwrap();
                let blocks = stages.tail().blocks();
                let entered = stages.enter(&ids, &mask, None).unwrap();
                let entered = stages.tail().advance(entered, blocks - trained).unwrap();
                let hidden = encoder.encode(&ids, &mask, None).unwrap();
                Whole { hidden, blocks, entries: entered.rows().unwrap(), offered: offered(encoder.as_ref()) }
            }
            Self::Image(_) => {
                let pixels = fixture.get(if fixture.has("pixel_values") { "pixel_values" } else { "0.pixels" });
                let encoder = image::load(&config, &weights).unwrap();
                let stages = encoder.stages().unwrap();
                let blocks = stages.tail().blocks();
                let entered = stages.tail().advance(stages.enter(pixels).unwrap(), blocks - trained).unwrap();
                let hidden = encoder.encode(pixels).unwrap();
                Whole { hidden, blocks, entries: entered.rows().unwrap(), offered: offered(encoder.as_ref()) }
            }
        }
    }

    fn tail(self, dtype: DType, trained: usize) -> (Box<dyn Tail>, Variables) {
        let fixture = self.fixture();
        let (config, variables) = (fixture.config("config.json"), Variables::default());
        let weights = fixture.weights(dtype).trained(&variables);
        let tail = match self {
            Self::Text(_) => text::load_tail(&config, &weights, trained),
            Self::Image(_) => image::load_tail(&config, &weights, trained),
        };
        (tail.unwrap(), variables)
    }
}

fn together(entries: &[Entry]) -> Entered {
    Entered::of_rows(&entries.iter().collect::<Vec<_>>()).unwrap()
}

/// All variables, whatever they are read by.
fn all(variables: &Variables) -> BTreeMap<String, Var> {
    let poolings = lsmi_candle::embedding::encoders::Poolings::joined(Pooling::ALL).unwrap();
    variables.read_by(&poolings)
}

#[test]
fn vectors_before_training_are_those_of_inference() {
    for model in MODELS {
        let blocks = model.whole(DType::F32, 1).blocks;
        for trained in 1..=blocks {
            let whole = model.whole(DType::F32, trained);
            let (tail, _) = model.tail(DType::F32, trained);
            assert_eq!(tail.blocks(), trained);
            let hidden = tail.finish(&together(&whole.entries)).unwrap();
            for pooling in &whole.offered {
                let [found, expected] = [&hidden, &whole.hidden].map(|hidden| hidden.pool(*pooling).unwrap());
                // Values of order 1, through two blocks.
                let error = difference(&found, &expected);
                assert!(error < 1e-5, "{model:?}, {trained} of {blocks}, {pooling}: {error}");
            }
        }
    }
}

/// A number that all states and vectors play a part in, each with a share of its own.
fn loss(hidden: &Hidden, keep: Option<&Tensor>) -> Tensor {
    let weighed = |tensor: &Tensor| {
        let count = tensor.elem_count();
        let shares: Vec<f64> = (0..count).map(|index| (index as f64 * 0.7).sin()).collect();
        let shares = Tensor::from_vec(shares, tensor.shape(), &Device::Cpu).unwrap();
        (tensor * shares.to_dtype(tensor.dtype()).unwrap()).unwrap().sum_all().unwrap()
    };
    let states = match keep {
        None => hidden.states.clone(),
        // What stands at padding is nobody's.
        Some(keep) => {
            let keep = keep.to_dtype(hidden.states.dtype()).unwrap().unsqueeze(2).unwrap();
            hidden.states.broadcast_mul(&keep).unwrap()
        }
    };
    let mut sum = weighed(&states);
    for vectors in [&hidden.pooled, &hidden.projected].into_iter().flatten() {
        sum = (sum + weighed(vectors)).unwrap();
    }
    sum
}

/// In f64 a step of 1e-4 leaves differences with errors near 1e-8.
#[test]
fn gradients_are_those_of_differences() {
    for model in MODELS {
        let trained = model.whole(DType::F64, 1).blocks.min(2);
        let entered = together(&model.whole(DType::F64, trained).entries);
        let (tail, variables) = model.tail(DType::F64, trained);
        let of = || loss(&tail.finish(&entered).unwrap(), entered.keep.as_ref());
        let gradients = of().backward().unwrap();
        for (name, variable) in all(&variables) {
            let gradient = gradients.get(variable.as_tensor());
            let Some(gradient) = gradient else { panic!("{model:?}: {name} has no gradient") };
            let gradient = gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let start = variable.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            for index in [0, 1, start.len() / 2, start.len() - 1] {
                let at = |offset: f64| {
                    let mut moved = start.clone();
                    moved[index] += offset;
                    variable.set(&Tensor::from_vec(moved, variable.shape(), &Device::Cpu).unwrap()).unwrap();
                    of().to_scalar::<f64>().unwrap()
                };
                let expected = (at(1e-4) - at(-1e-4)) / 2e-4;
                let error = (gradient[index] - expected).abs();
                assert!(error < 1e-6 * expected.abs().max(1.0), "{model:?} {name}[{index}]: {error} off {expected}");
            }
            variable.set(&Tensor::from_vec(start, variable.shape(), &Device::Cpu).unwrap()).unwrap();
        }
    }
}

/// The layers of f32 are others than those of f64 where nothing is trained.
#[test]
fn gradients_in_f32_are_those_of_f64() {
    for model in MODELS {
        let gradients = [DType::F32, DType::F64].map(|dtype| {
            let entered = together(&model.whole(dtype, 1).entries);
            let (tail, variables) = model.tail(dtype, 1);
            let gradients = loss(&tail.finish(&entered).unwrap(), entered.keep.as_ref()).backward().unwrap();
            let of = |(name, variable): (String, Var)| (name, gradients.get(variable.as_tensor()).unwrap().clone());
            all(&variables).into_iter().map(of).collect::<BTreeMap<_, _>>()
        });
        for ((name, found), expected) in gradients[0].iter().zip(gradients[1].values()) {
            let scale = expected.abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
            let error = difference(found, expected);
            assert!(error < 1e-4 * scale.max(1.0), "{model:?} {name}: {error} of {scale}");
        }
    }
}

/// A loss must reach all that is trained, or a step of training would be refused.
#[test]
fn the_vectors_of_a_pooling_depend_on_what_is_trained_for_it_and_on_nothing_else() {
    for model in MODELS {
        let whole = model.whole(DType::F32, 1);
        for pooling in whole.offered {
            let (tail, variables) = model.tail(DType::F32, 1);
            let vectors = tail.finish(&together(&whole.entries)).unwrap().pool(pooling).unwrap();
            let gradients = vectors.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            let read = variables.read_by(&pooling.into());
            for (name, variable) in all(&variables) {
                let has_gradient = gradients.get(variable.as_tensor()).is_some();
                assert_eq!(has_gradient, read.contains_key(&name), "{model:?} {pooling}: {name}");
            }
        }
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let trained = |fixture: &Fixture| fixture.weights(DType::F32).trained(&Variables::default());
    for (name, known) in [("tiny-modernbert", "bert, xlm-roberta, distilbert, clip"), ("mpnet/sentence", "bert")] {
        let fixture = Fixture::tiny(name);
        let error = text::load_tail(&fixture.config("config.json"), &trained(&fixture), 1).err().unwrap();
        assert!(matches!(error, EncoderError::NotTrainable { modality: "texts", .. }), "{error}");
        assert!(error.to_string().contains(known) && error.to_string().contains("config.json"), "{error}");
    }
    for name in ["tiny-convnext", "tiny-siglip", "dinov2_with_registers/giant"] {
        let fixture = Fixture::tiny(name);
        let error = image::load_tail(&fixture.config("config.json"), &trained(&fixture), 1).err().unwrap();
        assert!(!matches!(error, EncoderError::MissingTensor { .. }), "{error}");
    }
    let fixture = Fixture::tiny("tiny-bert");
    for blocks in [0, 3] {
        let error = text::load_tail(&fixture.config("config.json"), &trained(&fixture), blocks).err().unwrap();
        assert!(error.to_string().contains("ask for 1 to 2"), "{error}");
    }
}
