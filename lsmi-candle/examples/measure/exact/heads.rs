//! Measures the information that heads find in real and known data: I1, I2 and I12 of cross-fitted rows and of evaluation
//! rows, over seeds.
//!
//! Every argument is a feature file. One whose name ends in `_train` is scored on its `_eval` file, too, and held against the
//! exact terms of its `_exact` file where there are any. docs/accuracy.md has a table made so.
//!
//! ```sh
//! cargo run --release -p lsmi-candle --example measure -- heads [--seeds 3] [--repeats 1] FILE ...
//! ```

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lsmi_candle::densities::gauge::GaugeKind;
use lsmi_candle::estimator::{Scores, Settings, cross_fit};
use lsmi_candle::features::{FeatureSet, Keys, read_with_keys};
use lsmi_core::statistics::{mean, pearson, standard_deviation};
use lsmi_core::{Terms, adjust};

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let (mut seeds, mut repeats, mut files) = (3u64, 1usize, Vec::new());
    let mut arguments = arguments.iter().cloned();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seeds" => seeds = arguments.next().ok_or("--seeds takes a number")?.parse()?,
            "--repeats" => repeats = arguments.next().ok_or("--repeats takes a number")?.parse()?,
            _ => files.push(PathBuf::from(argument)),
        }
    }
    println!(
        "set                  rows   I1     I2     I12    sd     accuracy            adjusted R U1 U2 S             s"
    );
    for file in files {
        report(&file, seeds, repeats)?;
    }
    Ok(())
}

/// Prints a line for cross-fitted rows and one for every set of evaluation rows.
fn report(path: &Path, seeds: u64, repeats: usize) -> Result<(), Box<dyn Error>> {
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let file = read_with_keys(path, &Keys::default())?;
    let sibling = |ending: &str| {
        let name = name.strip_suffix("_train")?;
        let path = path.with_file_name(format!("{name}_{ending}.npz"));
        path.exists().then_some(path)
    };
    let mut evaluations: Vec<(String, FeatureSet)> =
        file.splits.iter().skip(1).map(|split| (split.name.clone(), split.features.clone())).collect();
    if let Some(path) = sibling("eval") {
        evaluations.push(("eval".to_owned(), read_with_keys(&path, &Keys::default())?.splits.remove(0).features));
    }
    let mut found: Vec<Vec<Scores>> = vec![Vec::new(); 1 + evaluations.len()];
    let begun = Instant::now();
    for seed in 0..seeds {
        let settings = Settings { seed, repeats, gauge: GaugeKind::Raw, ..Settings::default() };
        let fit = cross_fit(&file.splits[0].features, &file.classes, &settings, None)?;
        for (found, (_, rows)) in found[1..].iter_mut().zip(&evaluations) {
            found.push(fit.estimator.score(rows)?);
        }
        found[0].push(fit.scores);
    }
    let seconds = begun.elapsed().as_secs_f64() / seeds as f64;
    line(&name, &found[0], seconds);
    for (found, (split, _)) in found[1..].iter().zip(&evaluations) {
        line(&format!("  {split}"), found, 0.0);
    }
    if let (Some(path), Some(scores)) = (sibling("exact"), found.get(1).and_then(|scores| scores.first())) {
        against(&path, &scores.terms)?;
    }
    Ok(())
}

fn line(name: &str, scores: &[Scores], seconds: f64) {
    let information: Vec<[f64; 3]> = scores
        .iter()
        .map(|scores| [&scores.terms.i1, &scores.terms.i2, &scores.terms.i12].map(|values| mean(values)))
        .collect();
    let over = |index: usize| information.iter().map(|of_seed| of_seed[index]).collect::<Vec<_>>();
    let adjusted = |scores: &Scores| {
        let means = adjust(&lsmi_core::Measure::Pm.decompose(&scores.terms, &scores.labels).means());
        [means.r, means.u1, means.u2, means.s]
    };
    let adjusted: Vec<[f64; 4]> = scores.iter().map(adjusted).collect();
    let parts: [f64; 4] =
        std::array::from_fn(|part| mean(&adjusted.iter().map(|of_seed| of_seed[part]).collect::<Vec<_>>()));
    let accuracy = scores[0].accuracy();
    println!(
        "{name:<20} {:>5} {:>6.3} {:>6.3} {:>6.3} {:>6.4}  {:.3} {:.3} {:.3}   {:>6.3} {:>6.3} {:>6.3} {:>6.3}  {seconds:>6.1}",
        scores[0].labels.len(),
        mean(&over(0)),
        mean(&over(1)),
        mean(&over(2)),
        if scores.len() > 1 { standard_deviation(&over(2)) } else { 0.0 },
        accuracy[0],
        accuracy[1],
        accuracy[2],
        parts[0],
        parts[1],
        parts[2],
        parts[3],
    );
}

/// Prints means and correlations with exact terms, which a file has as `i1`, `i2`, `i12`, `h1`, `h2`.
fn against(path: &Path, terms: &Terms) -> Result<(), Box<dyn Error>> {
    let mut line = "  exact".to_owned();
    for (name, estimated) in
        [("i1", &terms.i1), ("i2", &terms.i2), ("i12", &terms.i12), ("h1", &terms.h1), ("h2", &terms.h2)]
    {
        let exact = exact(path, name)?;
        let gap = mean(estimated) - mean(&exact);
        let correlation = pearson(estimated, &exact).unwrap_or(f64::NAN);
        write!(line, "   {name} {:.3} ({gap:+.3}, r {correlation:.3})", mean(&exact))?;
    }
    println!("{line}");
    Ok(())
}

/// An array of 64-bit numbers of an `.npz` file.
fn exact(path: &Path, name: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path)?)?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut archive.by_name(&format!("{name}.npy"))?, &mut bytes)?;
    // Version 1 of the format: the length of the header at byte 8, values of 8 bytes after it.
    let start = 10 + usize::from(bytes[8]) + 256 * usize::from(bytes[9]);
    Ok(bytes[start..].chunks_exact(8).map(|value| f64::from_le_bytes(value.try_into().unwrap_or_default())).collect())
}
