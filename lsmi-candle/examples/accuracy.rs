//! How near the estimator comes to the exact answer, sample by sample, on families whose density is known.
//!
//! Raw gauge, 10 dimensions, 4,000 training and 4,000 evaluation rows, seeds 1 to 3; for each family the worst of the
//! three seeds: the correlation with the exact r, u1, u2, s of the evaluation rows, the root mean square error, and the
//! error of the adjusted means, in nats. `--published` fits KNIFE as it was published.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example accuracy [-- --published] [family ...]
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::densities::knife;
use lsmi_candle::estimator::{Settings, cross_fit};
use lsmi_candle::features::{Classes, FeatureSet};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{Draw, Family, FamilyName, Settings as FamilySettings};
use lsmi_core::random::stream;
use lsmi_core::statistics::{pearson, root_mean_square_error};
use lsmi_core::{Decomposition, Interaction, Measure, SampleIds, adjust};

const ROWS: usize = 4000;
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;
const INTERACTIONS: [Interaction; 4] =
    [Interaction::Redundancy, Interaction::Unique1, Interaction::Unique2, Interaction::Synergy];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let published = arguments.iter().any(|argument| argument == "--published");
    let knife = if published { knife::Params::published() } else { knife::Params::default() };
    let named: Vec<FamilyName> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .map(|name| name.parse())
        .collect::<Result<_, _>>()?;
    let families = if named.is_empty() { FamilyName::ALL.to_vec() } else { named };
    println!("family   correlation r, u1, u2, s       root mean square error r, u1, u2, s   largest mean error");
    for name in families {
        let (mut correlations, mut errors, mut largest) = ([1.0f64; 4], [0.0f64; 4], 0.0f64);
        for seed in SEEDS {
            let (estimated, exact) = estimate(name, seed, &knife)?;
            for (index, interaction) in INTERACTIONS.into_iter().enumerate() {
                let (estimated, exact) = (estimated.values(interaction), exact.values(interaction));
                correlations[index] = correlations[index].min(pearson(estimated, exact).unwrap_or(f64::NAN));
                errors[index] = errors[index].max(root_mean_square_error(estimated, exact));
            }
            let (estimated, exact) = (adjust(&estimated.means()), adjust(&exact.means()));
            let gaps = [estimated.r - exact.r, estimated.u1 - exact.u1, estimated.u2 - exact.u2, estimated.s - exact.s];
            largest = gaps.iter().fold(largest, |largest, gap| largest.max(gap.abs()));
        }
        let row = |values: [f64; 4]| values.map(|value| format!("{value:.3}")).join("  ");
        println!("{:<8} {}     {}          {largest:.4}", name.to_string(), row(correlations), row(errors));
    }
    Ok(())
}

/// Estimated and exact decompositions of evaluation rows.
fn estimate(
    name: FamilyName,
    seed: u64,
    knife: &knife::Params,
) -> Result<(Decomposition, Decomposition), Box<dyn Error>> {
    let family = name.build(&FamilySettings::default())?;
    let train = draw(family.as_ref(), seed);
    let evaluation = draw(family.as_ref(), seed + 1000);
    let classes = Classes::new((0..family.classes()).map(|class| class.to_string()).collect())?;
    let settings = Settings { seed, gauge: GaugeKind::Raw, knife: knife.clone(), ..Settings::default() };
    let fit = cross_fit(&features(&train)?, &classes, &settings, None)?;
    let scores = fit.estimator.score(&features(&evaluation)?)?;
    let exact = family.terms(&evaluation)?;
    let parts = |terms| Measure::Pm.decompose(terms, &evaluation.labels);
    Ok((parts(&scores.terms), parts(&exact)))
}

fn draw(family: &dyn Family, seed: u64) -> Draw {
    family.sample(ROWS, &mut stream(seed, "simulated samples"))
}

fn features(draw: &Draw) -> Result<FeatureSet, Box<dyn Error>> {
    let (d1, d2) = draw.dims;
    Ok(FeatureSet::new(
        SampleIds::rows(ROWS),
        Matrix::new(ROWS, d1, draw.x1.clone())?,
        Matrix::new(ROWS, d2, draw.x2.clone())?,
        draw.labels.clone(),
    )?)
}
