//! Measures how long KNIFE takes to a held-out likelihood, by default and as published.
//!
//! Rows are of four normal components of unit covariance, their means `spread` apart in random directions; 4,000 to fit
//! and 4,000 fresh ones. Timed in turn: the published fit (30 epochs of gradient steps in batches of 32), the default one,
//! which seeks structure and number of components, and one of four full covariances. Prints one JSON line a number of
//! dimensions: seconds, the median of several turns, and how many nats each mean surprisal of fresh rows is above the truth.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- knife_likelihood [d ...]
//! ```

use std::error::Error;
use std::time::Instant;

use candle_core::Device;
use lsmi_candle::densities::knife::{Knife, KnownParams, Params};
use lsmi_candle::densities::mixture::Covariance;
use lsmi_core::random::stream;
use lsmi_core::statistics::{log_sum_exp, mean, quantile};
use rand::Rng;
use rand_distr::StandardNormal;
use serde_json::json;

const ROWS: usize = 4000;
const COMPONENTS: usize = 4;
const SPREAD: f64 = 4.0;
const TURNS: usize = 3;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let named: Vec<usize> = arguments.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    for dims in if named.is_empty() { vec![10, 64, 256, 512, 768] } else { named } {
        measure(dims)?;
    }
    Ok(())
}

fn measure(dims: usize) -> Result<(), Box<dyn Error>> {
    let truth = Truth::new(dims);
    let (train, fresh) = (truth.rows("train"), truth.rows("fresh"));
    let known = KnownParams::new(COMPONENTS, Covariance::Full);
    let fits = [("published", Params::published()), ("default", Params::default()), ("known", Params::Known(known))];
    let exact = truth.mean_surprisal(&fresh);
    let mut seconds = vec![Vec::new(); fits.len()];
    let mut excess = vec![0.0; fits.len()];
    for turn in 0..TURNS {
        for (index, (name, params)) in fits.iter().enumerate() {
            // Once is enough where it takes minutes.
            if *name == "published" && turn > 0 && dims > 64 {
                continue;
            }
            let begun = Instant::now();
            let knife = Knife::fit(&train, dims, params, 0, &Device::Cpu)?;
            seconds[index].push(begun.elapsed().as_secs_f64());
            excess[index] = mean(&knife.surprisal(&fresh, dims)?) - exact;
        }
    }
    let median = |index: usize| (quantile(&seconds[index], 0.5) * 1e4).round() / 1e4;
    let above = |index: usize| (excess[index] * 1e3).round() / 1e3;
    println!(
        "{}",
        json!({
            "d": dims, "n": ROWS,
            "seconds": {"published": median(0), "default": median(1), "known": median(2)},
            "nats_above_truth": {"published": above(0), "default": above(1), "known": above(2)},
        })
    );
    Ok(())
}

/// Normal components with random means.
struct Truth {
    dims: usize,
    means: Vec<f64>,
}

impl Truth {
    fn new(dims: usize) -> Self {
        let mut random = stream(0, "means");
        let scale = SPREAD / (2.0 * dims as f64).sqrt();
        let mut normal = || random.sample::<f64, _>(StandardNormal);
        Self { dims, means: (0..COMPONENTS * dims).map(|_| scale * normal()).collect() }
    }

    fn rows(&self, name: &str) -> Vec<f64> {
        let mut random = stream(0, name);
        let of_row = |row: usize| &self.means[row % COMPONENTS * self.dims..][..self.dims];
        (0..ROWS).flat_map(of_row).map(|mean| mean + random.sample::<f64, _>(StandardNormal)).collect()
    }

    fn mean_surprisal(&self, rows: &[f64]) -> f64 {
        let constant = -(COMPONENTS as f64).ln() - 0.5 * self.dims as f64 * std::f64::consts::TAU.ln();
        let surprisals: Vec<f64> = rows
            .chunks_exact(self.dims)
            .map(|row| {
                let of_means = self.means.chunks_exact(self.dims).map(|mean| {
                    let square: f64 = row.iter().zip(mean).map(|(value, mean)| (value - mean) * (value - mean)).sum();
                    constant - 0.5 * square
                });
                -log_sum_exp(&of_means.collect::<Vec<_>>())
            })
            .collect();
        mean(&surprisals)
    }
}
