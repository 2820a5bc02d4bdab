//! Compares a gradient epoch of KNIFE with the machine's matrix products.
//!
//! For each number of dimensions, five kernels of full covariance are trained in batches; in turn with each measurement a
//! plain f32 product of the same shapes is timed, `[batch, d] x [d, 5 d]`, by candle on as many threads as
//! `RAYON_NUM_THREADS` says, else on all; KNIFE trains on one. An epoch costs two such
//! products a batch, one forward and one for the gradient, so a sample counts as `4 K d^2` operations, as if W were not
//! triangular. Prints one JSON line a configuration: microseconds a sample and epoch, both throughputs in GFLOP/s, and the
//! ratio, each the median of several turns.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- knife_throughput [d ...]
//! ```

use std::error::Error;
use std::time::Instant;

use candle_core::{Device, Tensor};
use lsmi_candle::densities::knife::{GradientParams, Knife, Params};
use lsmi_core::random::stream;
use lsmi_core::statistics::quantile;
use rand::Rng;
use rand_distr::StandardNormal;
use serde_json::json;

const COMPONENTS: usize = 5;
const BATCHES: usize = 8;
const TURNS: usize = 7;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let named: Vec<usize> = arguments.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let dims = if named.is_empty() { vec![64, 256, 512, 768] } else { named };
    for dims in dims {
        for batch in [256, 1024] {
            measure(dims, batch)?;
        }
    }
    Ok(())
}

fn measure(dims: usize, batch: usize) -> Result<(), Box<dyn Error>> {
    let rows = batch * BATCHES;
    let mut random = stream(0, "throughput");
    let values: Vec<f64> = (0..rows * dims).map(|_| random.sample(StandardNormal)).collect();
    let operations = (4 * COMPONENTS * dims * dims) as f64;
    // About a second a turn at 50 GFLOP/s.
    let epochs = (25_000_000_000 / (4 * COMPONENTS * dims * dims * rows)).max(2);
    let time_of = |epochs: usize| -> Result<f64, Box<dyn Error>> {
        let params =
            GradientParams { components: COMPONENTS, batch, epochs, start_deviation: 0.01, ..Default::default() };
        let begun = Instant::now();
        Knife::fit(&values, dims, &Params::Gradient(params), 0, &Device::Cpu)?;
        Ok(begun.elapsed().as_secs_f64())
    };
    let left = Tensor::from_vec(values[..batch * dims].to_vec(), (batch, dims), &Device::Cpu)?
        .to_dtype(candle_core::DType::F32)?;
    let right = Tensor::ones((dims, COMPONENTS * dims), candle_core::DType::F32, &Device::Cpu)?;
    let products = epochs * BATCHES * 2;

    let (mut times, mut throughputs, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        // What a fit does besides its epochs is in both.
        let seconds = (time_of(epochs + 1)? - time_of(1)?) / (epochs * rows) as f64;
        times.push(seconds * 1e6);
        throughputs.push(operations / seconds / 1e9);
        let begun = Instant::now();
        for _ in 0..products {
            std::hint::black_box(left.matmul(&right)?);
        }
        let of_product = (2 * batch * dims * dims * COMPONENTS * products) as f64;
        plain.push(of_product / begun.elapsed().as_secs_f64() / 1e9);
    }
    let ratios: Vec<f64> = throughputs.iter().zip(&plain).map(|(knife, plain)| knife / plain).collect();
    let median = |values: &[f64]| (quantile(values, 0.5) * 1000.0).round() / 1000.0;
    println!(
        "{}",
        json!({
            "d": dims, "batch": batch, "components": COMPONENTS, "covariance": "full",
            "us_per_sample_epoch": median(&times), "gflops": median(&throughputs),
            "gemm_gflops": median(&plain), "share": median(&ratios),
        })
    );
    Ok(())
}
