//! Makes a table and a figure of what the benches measured.
//!
//! Reads the results that `cargo bench` has left in the target folder, draws time against n, d, K and the number of
//! classes into an SVG file, and prints every result as a row of a Markdown table. A bench names its sizes `n=1000 d=10`;
//! results that differ in one size alone are a line. Times are medians.
//!
//! ```sh
//! cargo bench
//! cargo run --release -p lsmi-candle --example measure -- cost_figure [docs/cost.svg [target/criterion]]
//! ```

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use plotters::coord::Shift;
use plotters::prelude::*;
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The sizes on the horizontal axes.
const SIZES: [(&str, &str); 4] = [
    ("n", "samples n"),
    ("d", "dimensions d of each modality"),
    ("K", "components K"),
    ("classes", "number of classes"),
];
const PANEL: (u32, u32) = (560, 500);
/// Of a panel's height, what names the lines.
const LEGEND: u32 = 150;
/// Colours that are told apart by most eyes (Okabe, Ito 2008), and grey.
const COLOURS: [(u8, u8, u8); 8] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (0, 0, 0),
    (150, 150, 150),
];

/// One result of a bench.
struct Measured {
    name: String,
    sizes: BTreeMap<String, f64>,
    seconds: f64,
    /// Samples an iteration, where the bench says so.
    elements: Option<f64>,
}

/// Names, and the results that differ in one size alone, by rising size: size and seconds.
type Lines = Vec<(String, Vec<(f64, f64)>)>;

/// Runs the study.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut arguments = arguments.iter().cloned();
    let figure = arguments.next().unwrap_or_else(|| "docs/cost.svg".to_owned());
    let folder = arguments.next().map_or_else(target_folder, PathBuf::from);
    let mut results = Vec::new();
    read(&folder, &mut results)?;
    if results.is_empty() {
        return Err(format!("{}: no results; run `cargo bench` first", folder.display()).into());
    }
    let sizes = |of: &Measured| -> Vec<f64> { of.sizes.values().copied().collect() };
    results.sort_by(|a, b| a.name.cmp(&b.name).then(sizes(a).partial_cmp(&sizes(b)).unwrap_or(Ordering::Equal)));
    table(&results);
    draw(&figure, &results)
}

fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from).join("criterion")
}

/// Adds the newest result of every bench below a folder.
fn read(folder: &Path, results: &mut Vec<Measured>) -> Result<()> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("{}: {error}; run `cargo bench` first", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name() == Some(OsStr::new("new")) {
                results.push(Measured::read(&path)?);
            } else {
                read(&path, results)?;
            }
        }
    }
    Ok(())
}

impl Measured {
    fn read(folder: &Path) -> Result<Self> {
        let json = |file: &str| -> Result<Value> {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
        };
        let (bench, estimates) = (json("benchmark.json")?, json("estimates.json")?);
        let words = ["group_id", "function_id", "value_str"].map(|key| bench[key].as_str().unwrap_or_default());
        let (mut name, mut sizes) = (Vec::new(), BTreeMap::new());
        for word in words.into_iter().flat_map(str::split_whitespace) {
            match word.split_once('=').map(|(size, value)| (size, value.parse())) {
                Some((size, Ok(value))) => _ = sizes.insert(size.to_owned(), value),
                _ => name.push(word),
            }
        }
        let nanoseconds = estimates["median"]["point_estimate"].as_f64();
        let nanoseconds = nanoseconds.ok_or_else(|| format!("{}: no median", folder.display()))?;
        let elements = bench["throughput"]["Elements"].as_f64();
        Ok(Self { name: name.join(" "), sizes, seconds: nanoseconds / 1e9, elements })
    }
}

fn table(results: &[Measured]) {
    println!("| bench | n | d | K | classes | time | samples a second |\n|---|---|---|---|---|---|---|");
    for Measured { name, sizes, seconds, elements } in results {
        let of = |size: &str| sizes.get(size).map_or_else(String::new, f64::to_string);
        let rate = elements.map_or_else(String::new, |elements| significant(elements / seconds));
        let [n, d, k, classes] = ["n", "d", "K", "classes"].map(of);
        println!("| {name} | {n} | {d} | {k} | {classes} | {} | {rate} |", duration(*seconds));
    }
}

/// Two significant digits, in full.
fn significant(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "the digits of a number that is printed")]
    let digits = value.log10().floor() as i32 - 1;
    // Powers of ten above 1 are exact, those below are not.
    let scale = 10_f64.powi(digits.abs());
    let rounded = if digits < 0 { (value * scale).round() / scale } else { (value / scale).round() * scale };
    rounded.to_string()
}

fn duration(seconds: f64) -> String {
    let (unit, scale) = match seconds {
        _ if seconds < 0.999e-3 => ("µs", 1e6),
        _ if seconds < 0.999 => ("ms", 1e3),
        _ => ("s", 1.0),
    };
    format!("{} {unit}", significant(seconds * scale))
}

/// The lines of the results against a size.
fn lines(results: &[Measured], against: &str) -> Lines {
    let mut lines = Lines::new();
    for result in results {
        let Some(size) = result.sizes.get(against) else { continue };
        let others = result.sizes.iter().filter(|(other, _)| *other != against);
        let others = others.map(|(other, value)| format!("{other} = {value}"));
        let name = [result.name.clone()].into_iter().chain(others).collect::<Vec<_>>().join(", ");
        let point = (*size, result.seconds);
        match lines.iter_mut().find(|(line, _)| *line == name) {
            Some((_, points)) => points.push(point),
            None => lines.push((name, vec![point])),
        }
    }
    lines.retain(|(_, points)| points.len() > 1);
    for (_, points) in &mut lines {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    lines
}

fn draw(file: &str, results: &[Measured]) -> Result<()> {
    let root = SVGBackend::new(file, (2 * PANEL.0, 2 * PANEL.1)).into_drawing_area();
    root.fill(&WHITE)?;
    for ((size, title), area) in SIZES.into_iter().zip(root.split_evenly((2, 2))) {
        panel(&area, title, &lines(results, size))?;
    }
    root.present()?;
    Ok(())
}

/// One panel: time against one size, both on logarithmic axes, and the names of the lines below.
fn panel(area: &Area<'_>, title: &str, lines: &Lines) -> Result<()> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    if lines.is_empty() {
        return Ok(());
    }
    let (chart, legend) = area.split_vertically(PANEL.1 - LEGEND);
    let mut chart =
        ChartBuilder::on(&chart).margin(12).x_label_area_size(40).y_label_area_size(70).build_cartesian_2d(
            around(points().map(|point| point.0)).log_scale(),
            around(points().map(|point| point.1)).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(title)
        .x_label_formatter(&|size| significant(*size))
        .y_label_formatter(&|seconds| duration(*seconds))
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 14))
        .max_light_lines(0)
        .draw()?;
    for (index, (name, points)) in lines.iter().enumerate() {
        let (red, green, blue) = COLOURS[index % COLOURS.len()];
        let colour = RGBColor(red, green, blue);
        chart.draw_series([PathElement::new(points.clone(), colour.stroke_width(2))])?;
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
        let top = i32::try_from(14 * index)?;
        legend.draw(&Rectangle::new([(82, top + 3), (98, top + 7)], colour.filled()))?;
        legend.draw(&Text::new(name.clone(), (106, top), ("sans-serif", 12)))?;
    }
    Ok(())
}

/// A range that leaves some room around values above 0.
fn around(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (lowest, highest) =
        values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    lowest / 1.3..highest * 1.3
}
