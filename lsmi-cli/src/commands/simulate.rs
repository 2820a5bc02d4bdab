//! `lsmi simulate`: samples of a known density, with their exact terms and decomposition.

use std::collections::BTreeMap;
use std::io::Write;

use lsmi_candle::features::{ArrayValues, Format, write_safetensors};
use lsmi_candle::numbers::matrix::Matrix;
use lsmi_core::families::{Family, Groups};
use lsmi_core::random::stream;
use lsmi_core::{Adjusted, FamilyName, Kind, Means, Measure, Settings, TermMeans, adjust};
use serde::Serialize;

use crate::arguments::Simulate;
use crate::process::console;
use crate::process::failure::Failure;
use crate::process::staging::{Staging, check_file};
use crate::tables::cells::nats;
use lsmi_candle::analysis::summary::Information;

/// What `--json` prints: the exact means over the samples drawn.
#[derive(Debug, Serialize)]
struct Exact {
    family: FamilyName,
    parameters: Settings,
    seed: u64,
    units: &'static str,
    measure: Measure,
    n: u32,
    information: Information,
    raw: Means,
    adjusted: Adjusted,
}

/// Makes sure that the samples fit into memory: twice their features, as drawn and as written, and their terms.
fn reserve(rows: usize, family: &dyn Family) -> Result<(), Failure> {
    let (d1, d2) = family.dims();
    let numbers = rows.saturating_mul(2 * (d1 + d2) + 20);
    Vec::<f64>::new().try_reserve_exact(numbers).map_err(|_| {
        let gigabytes = numbers as f64 * 8e-9;
        Failure::failed(format!(
            "{rows} samples need about {gigabytes:.0} GB of memory: choose a smaller --n or --dims"
        ))
    })
}

pub(super) fn run(arguments: &Simulate) -> Result<(), Failure> {
    if Format::from_path(&arguments.out) != Some(Format::SafeTensors) {
        let out = arguments.out.display();
        return Err(Failure::usage(format!("{out}: samples are written as safetensors; end the name in .safetensors")));
    }
    check_file(&arguments.out, arguments.common.force, &[])?;

    let settings = arguments
        .settings()
        .map_err(|option| Failure::usage(format!("the family {} has no `{option}`: leave it out", arguments.family)))?;
    let family = arguments.family.build(&settings).map_err(Failure::usage)?;
    reserve(arguments.n as usize, family.as_ref())?;
    let draw = family.sample(arguments.n as usize, &mut stream(arguments.common.seed, "simulated samples"));
    let terms = family.terms(&draw).map_err(|error| {
        Failure::usage(format!("the parameters of {} are beyond what numbers can hold ({error})", arguments.family))
    })?;
    let parts = arguments.measure.decompose(&terms, &draw.labels);

    let (rows, (d1, d2)) = (draw.labels.len(), draw.dims);
    let x1 = Matrix::new(rows, d1, draw.x1).map_err(Failure::failed)?;
    let x2 = Matrix::new(rows, d2, draw.x2).map_err(Failure::failed)?;
    let integers = |values: Vec<u32>| values.into_iter().map(i64::from).collect::<Vec<_>>();
    let (y, groups) = (integers(draw.labels), draw.groups.map(integers));
    let values = [
        ("h1", &terms.h1),
        ("h2", &terms.h2),
        ("i1", &terms.i1),
        ("i2", &terms.i2),
        ("i12", &terms.i12),
        ("r", &parts.r),
        ("u1", &parts.u1),
        ("u2", &parts.u2),
        ("s", &parts.s),
    ];
    let mut arrays: BTreeMap<&str, ArrayValues<'_>> =
        values.into_iter().map(|(name, values)| (name, ArrayValues::Vector(values))).collect();
    arrays.extend([
        ("x1", ArrayValues::Matrix(&x1)),
        ("x2", ArrayValues::Matrix(&x2)),
        ("y", ArrayValues::Integers(&y)),
    ]);
    let mut metadata = BTreeMap::from([
        ("family", arguments.family.to_string()),
        ("parameters", serde_json::to_string(&settings).map_err(Failure::failed)?),
        ("seed", arguments.common.seed.to_string()),
        ("units", "nats".to_owned()),
        ("measure", arguments.measure.to_string()),
    ]);
    if let Some(groups) = &groups {
        arrays.insert("group", ArrayValues::Integers(groups));
        metadata.insert("groups", Groups::KINDS.map(Kind::name).join(","));
    }
    let bytes = write_safetensors(&arrays, &metadata).map_err(Failure::failed)?;
    let mut staging = Staging::default();
    staging.write(&arguments.out, |file| Ok(file.write_all(&bytes)?))?;
    staging.commit(&[])?;

    let TermMeans { i1, i2, i12, .. } = terms.means();
    let raw = parts.means();
    let exact = Exact {
        family: arguments.family,
        parameters: settings,
        seed: arguments.common.seed,
        units: "nats",
        measure: arguments.measure,
        n: arguments.n,
        information: Information { i1, i2, i12 },
        raw,
        adjusted: adjust(&raw),
    };
    if !arguments.common.quiet {
        console::say(&words(&exact));
    }
    if arguments.common.json { console::print_json(&exact) } else { Ok(()) }
}

fn words(exact: &Exact) -> String {
    let Exact { n, family, information, raw, .. } = exact;
    let [i1, i2, i12] = [information.i1, information.i2, information.i12].map(nats);
    let [r, u1, u2, s] = [raw.r, raw.u1, raw.u2, raw.s].map(nats);
    format!(
        "{n} samples of {family}; exact means over them, in nats:\n\
         I(x1;y) {i1}  I(x2;y) {i2}  I(x1,x2;y) {i12}\n\
         R {r}  U1 {u1}  U2 {u2}  S {s}"
    )
}
