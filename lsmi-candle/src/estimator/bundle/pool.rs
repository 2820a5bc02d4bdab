//! Stores the pool or the user's own model of a head as tensors of a bundle.

use serde::{Deserialize, Serialize};

use super::classifier::{ClassifierLayout, read_classifier, write_classifier};
use super::tensors::{Reader, Writer, is_distribution};
use crate::densities::gauge::HeadCoordinates;
use crate::error::BundleError;
use crate::heads::{Calibration, Combination, GivenHead, HeadModel, HeadPool, Member, Stack};

type Result<T> = std::result::Result<T, BundleError>;

/// The structure of a head model.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum HeadModelLayout {
    Pool(PoolLayout),
    Given,
}

/// The structure of pooled heads.
#[derive(Serialize, Deserialize)]
pub(super) struct PoolLayout {
    /// Whether posteriors are averaged or their evidence is added up.
    combination: CombinationLayout,
    members: Vec<MemberLayout>,
    /// Classes that no row of the fit has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    absent: Vec<usize>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CombinationLayout {
    Linear,
    LogLinear,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum MemberLayout {
    Own(ClassifierLayout),
    /// The pool of a part of the modalities, see [`Member::Part`].
    Part(usize),
    Fusion,
}

pub(super) fn write_head_model(writer: &mut Writer, name: &str, model: &HeadModel) -> HeadModelLayout {
    match model {
        HeadModel::Pool(pool) => HeadModelLayout::Pool(write_pool(writer, name, pool)),
        HeadModel::Given(given) => {
            writer.numbers(&format!("{name}.temperature"), &[1], &[given.temperature]);
            HeadModelLayout::Given
        }
    }
}

pub(super) fn read_given(reader: &Reader<'_>, name: &str) -> Result<GivenHead> {
    let name = format!("{name}.temperature");
    match reader.numbers(&name, &[1])?[0] {
        temperature if temperature > 0.0 => Ok(GivenHead { temperature }),
        temperature => Err(reader.wrong(&name, "above 0", &temperature.to_string())),
    }
}

pub(super) fn write_pool(writer: &mut Writer, name: &str, pool: &HeadPool) -> PoolLayout {
    let Stack { combination, log_frequencies, floor } = &pool.stack;
    let (layout, weights) = match combination {
        Combination::Linear(weights) => (CombinationLayout::Linear, weights),
        Combination::LogLinear(powers) => (CombinationLayout::LogLinear, powers),
    };
    writer.numbers(&format!("{name}.weights"), &[weights.len()], weights);
    writer.numbers(&format!("{name}.log_frequencies"), &[log_frequencies.len()], log_frequencies);
    writer.numbers(&format!("{name}.floor"), &[1], &[*floor]);
    let members = pool.members.iter().enumerate();
    let members = members.map(|(index, member)| write_member(writer, &format!("{name}.{index}"), member)).collect();
    PoolLayout { combination: layout, members, absent: pool.absent.clone() }
}

/// Reads the pool of heads that see these modalities.
pub(super) fn read_pool(
    reader: &Reader<'_>,
    name: &str,
    layout: &PoolLayout,
    modalities: &[&HeadCoordinates],
    classes: usize,
) -> Result<HeadPool> {
    let of = |part: &str| format!("{name}.{part}");
    let weights = reader.numbers(&of("weights"), &[layout.members.len()])?;
    let combination = match layout.combination {
        CombinationLayout::Linear if weights.is_empty() || is_distribution(&weights) => Combination::Linear(weights),
        CombinationLayout::LogLinear if weights.iter().all(|power| *power > 0.0) => Combination::LogLinear(weights),
        _ => {
            return Err(reader.wrong(
                &of("weights"),
                "positive weights, of a linear pool with sum 1",
                &format!("{weights:?}"),
            ));
        }
    };
    let log_frequencies = reader.numbers(&of("log_frequencies"), &[classes])?;
    let floor = reader.numbers(&of("floor"), &[1])?[0];
    if !(0.0..1.0).contains(&floor) {
        return Err(reader.wrong(&of("floor"), "from 0 to below 1", &floor.to_string()));
    }
    let stack = Stack { combination, log_frequencies, floor };
    let mut members = Vec::with_capacity(layout.members.len());
    for (index, member) in layout.members.iter().enumerate() {
        members.push(read_member(reader, &of(&index.to_string()), member, modalities, &stack)?);
    }
    let absent = layout.absent.clone();
    let are_rising = absent.windows(2).all(|pair| pair[0] < pair[1]);
    if !are_rising || absent.len() >= classes || absent.last().is_some_and(|class| *class >= classes) {
        let expected = format!("some of {classes} classes that no row has");
        return Err(reader.wrong(name, &expected, &format!("{absent:?}")));
    }
    Ok(HeadPool { members, stack, absent })
}

fn write_member(writer: &mut Writer, name: &str, member: &Member) -> MemberLayout {
    match member {
        Member::Part(modality) => MemberLayout::Part(*modality),
        Member::Fusion(calibration) => {
            write_calibration(writer, name, calibration);
            MemberLayout::Fusion
        }
        Member::Own(classifier, calibration) => {
            write_calibration(writer, name, calibration);
            MemberLayout::Own(write_classifier(writer, name, classifier))
        }
    }
}

fn read_member(
    reader: &Reader<'_>,
    name: &str,
    layout: &MemberLayout,
    modalities: &[&HeadCoordinates],
    stack: &Stack,
) -> Result<Member> {
    // Each modality by itself and, of three or more, all without each.
    let parts = match modalities.len() {
        ..=1 => 0,
        2 => 2,
        count => 2 * count,
    };
    Ok(match layout {
        MemberLayout::Part(part) if *part < parts => Member::Part(*part),
        MemberLayout::Fusion if parts > 0 => Member::Fusion(read_calibration(reader, name, stack)?),
        MemberLayout::Part(_) | MemberLayout::Fusion => {
            return Err(reader.wrong(name, "the pool of x1 or x2 in that of both", "in another one"));
        }
        MemberLayout::Own(layout) => {
            let calibration = read_calibration(reader, name, stack)?;
            let classifier = read_classifier(reader, name, layout, modalities, stack.log_frequencies.len())?;
            Member::Own(Box::new(classifier), calibration)
        }
    })
}

fn write_calibration(writer: &mut Writer, name: &str, calibration: &Calibration) {
    writer.numbers(&format!("{name}.calibration"), &[2], &[calibration.factor, calibration.floor]);
}

/// Reads the calibration of a member, whose class frequencies are those of its pool.
fn read_calibration(reader: &Reader<'_>, name: &str, stack: &Stack) -> Result<Calibration> {
    let name = format!("{name}.calibration");
    let found = reader.numbers(&name, &[2])?;
    if found[0] >= 0.0 && (0.0..1.0).contains(&found[1]) {
        return Ok(Calibration { log_frequencies: stack.log_frequencies.clone(), factor: found[0], floor: found[1] });
    }
    Err(reader.wrong(&name, "a factor of at least 0 and a floor from 0 to below 1", &format!("{found:?}")))
}
