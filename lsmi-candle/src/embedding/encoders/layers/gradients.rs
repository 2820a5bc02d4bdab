//! Layers whose gradients are asked for: they are those of finite differences, or the layer refuses.

use candle_core::{DType, Device, Tensor, Var};

use super::{
    Activation, Attention, Convolution, Depthwise, LayerNorm, Linear, Mask, Rectifier, RmsNorm, Window, passes,
};
use crate::embedding::encoders::error::{EncoderError, Result};
use crate::embedding::encoders::weights::Weights;

/// Numbers between -2 and 2, none of them near 0, where rectifiers have no slope.
fn numbers(shape: &[usize], first: usize) -> Tensor {
    let count: usize = shape.iter().product();
    let value = |index: usize| {
        let value = ((first + index) as f64 * 0.7).sin() * 2.0;
        if value.abs() < 0.1 { 0.5 } else { value }
    };
    Tensor::from_vec((0..count).map(value).collect::<Vec<_>>(), shape, &Device::Cpu).unwrap()
}

/// A checkpoint of f32.
fn weights(tensors: &[(&str, &Tensor)]) -> Weights {
    let bytes = safetensors::serialize(tensors.iter().map(|(name, tensor)| (*name, *tensor)), None).unwrap();
    Weights::from_bytes(vec![("weights".to_owned(), bytes)], DType::F32, &Device::Cpu).unwrap()
}

/// Compares the gradient of a sum of what a layer gives, each number with a share of its own, with central differences.
#[track_caller]
fn assert_gradient(layer: impl Fn(&Tensor) -> Result<Tensor>, x: &Tensor, what: &str) {
    let variable = Var::from_tensor(x).unwrap();
    let of = || {
        let y = layer(variable.as_tensor()).unwrap();
        let shares = numbers(y.dims(), 5);
        (y * shares).unwrap().sum_all().unwrap()
    };
    let gradients = of().backward().unwrap();
    let gradient = gradients.get(variable.as_tensor()).map(|gradient| gradient.flatten_all().unwrap());
    let gradient = gradient.unwrap_or_else(|| panic!("{what} has no gradient")).to_vec1::<f64>().unwrap();
    let start = x.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    for (index, found) in gradient.into_iter().enumerate() {
        let at = |offset: f64| {
            let mut moved = start.clone();
            moved[index] += offset;
            variable.set(&Tensor::from_vec(moved, x.shape(), &Device::Cpu).unwrap()).unwrap();
            of().to_scalar::<f64>().unwrap()
        };
        // Errors of the differences are near 1e-8.
        let expected = (at(1e-4) - at(-1e-4)) / 2e-4;
        assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{what}[{index}]: {found}, {expected}");
    }
}

const ACTIVATIONS: [Activation; 8] = [
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::QuickGelu,
    Activation::Relu,
    Activation::Silu,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Identity,
];

#[test]
fn of_activations_and_gates() {
    for activation in ACTIVATIONS {
        assert_gradient(|x| activation.forward(x), &numbers(&[3, 4], 0), &format!("{activation:?}"));
        assert_gradient(|x| activation.gated(x), &numbers(&[3, 4], 1), &format!("gated {activation:?}"));
    }
}

#[test]
fn of_norms_and_shares() {
    let (weight, bias) = (numbers(&[5], 3), numbers(&[5], 9));
    let norm = LayerNorm::new(weight, bias, 1e-5);
    assert_gradient(|x| norm.forward(x), &numbers(&[2, 5], 0), "layer norm");
    assert_gradient(|x| passes::shares(x.clone()), &numbers(&[2, 3, 5], 0), "softmax");
}

/// In f32 the layers for inference would be taken, whose gradients are none: what is tracked takes others.
#[test]
fn in_f32_nothing_is_cut_off() {
    let x = Var::from_tensor(&numbers(&[2, 3, 8], 0).to_dtype(DType::F32).unwrap()).unwrap();
    let of = |first| numbers(&[8], first).to_dtype(DType::F32).unwrap();
    let weight = |rows: usize, first| numbers(&[rows, 8], first).to_dtype(DType::F32).unwrap();
    let trained = |rows, first| Var::from_tensor(&weight(rows, first)).unwrap().as_tensor().clone();
    let linear =
        |rows, first| Linear::new(trained(rows, first), Some(of(1).narrow(0, 0, rows.min(8)).unwrap())).unwrap();
    let norm = LayerNorm::new(of(0), of(1), 1e-5);
    let rms = RmsNorm::load(&weights(&[("norm.weight", &of(0))]), "norm", 8, 1e-6, 0.0).unwrap();
    let keep = Tensor::new(vec![vec![1u32, 1, 1], vec![1, 1, 0]], &Device::Cpu).unwrap();
    let mask = Mask::padding(&keep).unwrap();
    let mut layers: Vec<(String, Result<Tensor>)> = vec![
        ("linear".to_owned(), linear(4, 2).forward(&x)),
        ("linear and activation".to_owned(), linear(4, 2).activated(&x, Activation::Gelu)),
        ("layer norm".to_owned(), norm.forward(&x)),
        ("root mean square norm".to_owned(), rms.forward(&x)),
        ("softmax".to_owned(), passes::shares(x.as_tensor().clone())),
    ];
    let heads = x.reshape((2, 3, 2, 4)).unwrap().transpose(1, 2).unwrap();
    layers.push(("attention".to_owned(), super::attention(&heads, &heads, &heads, mask.as_ref())));
    for activation in ACTIVATIONS {
        layers.push((format!("{activation:?}"), activation.forward(&x)));
        layers.push((format!("gated {activation:?}"), activation.gated(&x)));
    }
    for (layer, y) in layers {
        let gradients = y.unwrap().sqr().unwrap().sum_all().unwrap().backward().unwrap();
        assert!(gradients.get(x.as_tensor()).is_some(), "{layer}");
    }
}

#[test]
fn layers_without_gradients_refuse() {
    let x = Var::from_tensor(&numbers(&[1, 2, 2, 8], 0).to_dtype(DType::F32).unwrap()).unwrap();
    let of = |shape: &[usize]| numbers(shape, 1).to_dtype(DType::F32).unwrap();
    let frozen = || Linear::new(of(&[4, 8]), None).unwrap();
    let convolution = Convolution::new(&of(&[3, 8, 2, 2]), of(&[3]), Window::tile(2), Rectifier::None).unwrap();
    let tensors = [("layer.weight", &of(&[8, 1, 2, 2])), ("layer.bias", &of(&[8]))];
    let depthwise = Depthwise::load(&weights(&tensors), "layer", 8, Window::tile(2)).unwrap();
    let attention = Attention::new(&of(&[24, 8]), None, Linear::new(of(&[8, 8]), None).unwrap(), 2).unwrap();
    let refused = [
        ("linear", frozen().forward(&x)),
        ("linear", attention.forward(&x.reshape((1, 4, 8)).unwrap(), None)),
        ("convolution", convolution.forward(&x)),
        ("depthwise convolution", depthwise.forward(&x)),
    ];
    for (expected, found) in refused {
        let error = found.unwrap_err();
        assert!(matches!(error, EncoderError::NoGradient { layer } if layer == expected), "{error}");
    }
}
