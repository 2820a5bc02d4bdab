//! `lsmi discrete`: the decomposition of a joint distribution that is known, or of samples of discrete variables.

use std::path::Path;

use lsmi_core::discrete::broja::Status;
use lsmi_core::discrete::lattice::{Lattice, decompose};
use lsmi_core::discrete::{Bias, Counts, Error, Joint, JointMeasure};
use lsmi_core::random::stream;
use lsmi_core::statistics::Bootstrap;

use crate::arguments::Discrete;
use crate::discrete::report::{self, Report, Units};
use crate::discrete::{Distribution, Given, Read, read, table};
use crate::process::console;
use crate::process::failure::Failure;

pub(super) fn run(arguments: &Discrete) -> Result<(), Failure> {
    let Read { distribution, notes } = read(&arguments.file, arguments.missing)?;
    let mut report = match distribution {
        Distribution::Two(given) => of_two(arguments, &given),
        Distribution::Three(given) => of_more(arguments, &given),
        Distribution::Four(given) => of_more(arguments, &given),
    }
    .map_err(|failure| failure.about(&arguments.file))?;
    report.notes.splice(0..0, notes);
    if !arguments.common.quiet {
        console::say(&table::result(&report));
    }
    if arguments.common.json { console::print_json(&report) } else { Ok(()) }
}

/// The counts of a file that has some, where options need them.
fn counts<'given, const S: usize>(
    arguments: &Discrete,
    given: &'given Given<S>,
) -> Result<Option<&'given Counts<S>>, Failure> {
    match given {
        Given::Counts(counts) => Ok(Some(counts)),
        Given::Probabilities(_) if arguments.bias != Bias::PlugIn => Err(needs_samples("--bias", &arguments.file)),
        Given::Probabilities(_) if arguments.bootstrap.is_some() => Err(needs_samples("--bootstrap", &arguments.file)),
        Given::Probabilities(_) => Ok(None),
    }
}

fn needs_samples(option: &str, file: &Path) -> Failure {
    Failure::usage(format!("{option} is about samples, but {} gives probabilities; leave it out", file.display()))
}

fn units(arguments: &Discrete) -> Units {
    if arguments.bits { Units::Bits } else { Units::Nats }
}

fn of_two(arguments: &Discrete, given: &Given<2>) -> Result<Report, Failure> {
    let units = units(arguments);
    let counts = counts(arguments, given)?;
    let measures = arguments.measures().unwrap_or(&JointMeasure::ALL);
    let (information, decompositions, intensity, states) = match given {
        Given::Probabilities(joint) => {
            let decompose = |&measure: &JointMeasure| Ok((measure, measure.decompose(joint)?));
            (joint.information(), measures.iter().map(decompose).collect::<Result<_, Error>>()?, None, joint.states())
        }
        Given::Counts(counts) => {
            let estimate = counts.decompose(measures, arguments.bias)?;
            (estimate.information, estimate.decompositions, estimate.intensity, counts.states())
        }
    };
    let mut notes = notes(arguments, counts);
    for (measure, parts) in &decompositions {
        if let Some(convergence) = parts.convergence.filter(|convergence| !convergence.converged) {
            notes.push(format!(
                "{measure} did not converge in {} iterations: probabilities of pairs are off by up to {:.0e} of themselves",
                convergence.iterations, convergence.deviation
            ));
        }
    }
    let certificates =
        decompositions.iter().filter_map(|(measure, parts)| Some((measure, parts.certificate.as_ref()?)));
    notes.extend(certificates.map(|(measure, certificate)| {
        let gap = units.of(certificate.gap);
        let ending = match certificate.status {
            Status::Converged => "",
            Status::Stalled => "; the solvers stopped before it was small enough",
        };
        format!("{measure} is within {gap:.0e} {} of its exact value, by bounds from both sides{ending}", units.name())
    }));
    let lattice = Lattice::new();
    let on_lattice = measures.iter().copied().filter(|measure| arguments.lattice && measure.has_lattice());
    let of_lattice = on_lattice.map(|measure| atoms(arguments, measure, &lattice, given)).collect::<Result<_, _>>()?;
    let parts = |(measure, parts)| (measure, report::parts(units, parts, states, arguments.pointwise));
    Ok(Report {
        units,
        samples: counts.map(Counts::total),
        bias: counts.map(|_| arguments.bias),
        intensity,
        information: report::information(units, information),
        measures: decompositions.into_iter().map(parts).collect(),
        lattice: of_lattice,
        intervals: match (counts, arguments.bootstrap) {
            (Some(counts), Some(resamples)) => {
                let bootstrap = Bootstrap { resamples: resamples as usize, ..Bootstrap::default() };
                let mut random = stream(arguments.common.seed, "bootstrap of counts");
                let intervals = counts.intervals(measures, arguments.bias, &bootstrap, &mut random)?;
                Some(report::intervals(units, bootstrap, intervals))
            }
            _ => None,
        },
        notes,
    })
}

fn of_more<const S: usize>(arguments: &Discrete, given: &Given<S>) -> Result<Report, Failure> {
    let counts = counts(arguments, given)?;
    if arguments.bootstrap.is_some() {
        return Err(Failure::usage(format!("--bootstrap is for two sources, but there are {S}; leave it out")));
    }
    let all: Vec<JointMeasure> = JointMeasure::ALL.into_iter().filter(|measure| measure.has_lattice()).collect();
    let measures = arguments.measures().unwrap_or(&all);
    if let Some(measure) = measures.iter().find(|measure| !measure.has_lattice()) {
        return Err(Failure::usage(format!(
            "`{measure}` is for two sources, but there are {S}; choose from pm, min and sx with --measures"
        )));
    }
    let lattice = Lattice::new();
    let of_measure = |&measure: &JointMeasure| atoms(arguments, measure, &lattice, given);
    let of_lattice = measures.iter().map(of_measure).collect::<Result<Vec<_>, _>>()?;
    let information = of_lattice.first().map(|(_, atoms)| report::information_on(&lattice, atoms));
    Ok(Report {
        units: units(arguments),
        samples: counts.map(Counts::total),
        bias: counts.map(|_| arguments.bias),
        intensity: match (counts, arguments.bias) {
            (Some(counts), Bias::Shrinkage) => Some(counts.shrunken()?.intensity),
            _ => None,
        },
        information: information.unwrap_or_default(),
        measures: Vec::new(),
        lattice: of_lattice,
        intervals: None,
        notes: notes(arguments, counts),
    })
}

/// The atoms of the lattice under a measure.
fn atoms<const S: usize>(
    arguments: &Discrete,
    measure: JointMeasure,
    lattice: &Lattice<S>,
    given: &Given<S>,
) -> Result<(JointMeasure, report::Atoms), Failure> {
    let of = |joint: &Joint<S>| decompose(measure, joint, lattice, arguments.pointwise);
    let parts = match given {
        Given::Probabilities(joint) => of(joint)?,
        Given::Counts(counts) => match arguments.bias {
            Bias::PlugIn => of(&counts.joint())?,
            Bias::Shrinkage => of(&counts.shrunken()?.joint)?,
            Bias::MillerMadow => {
                let mut parts = of(&counts.joint())?;
                parts.correct(lattice, counts);
                parts
            }
        },
    };
    let states = match given {
        Given::Probabilities(joint) => joint.states(),
        Given::Counts(counts) => counts.states(),
    };
    Ok((measure, report::atoms(units(arguments), parts, states)))
}

/// How many samples an outcome are plenty: the error of an information is then some 0.005 nats or less.
const PLENTY: u64 = 100;

/// Fewer samples may all be different by chance.
const LEAST_SAMPLES: u64 = 20;

/// A variable of which more than half of the samples are different is none of a few states.
fn continuous<const S: usize>(counts: &Counts<S>) -> Option<String> {
    let total = counts.total();
    let states = counts.states();
    let sources = (1..).zip(&states.sources).map(|(number, states)| (format!("x{number}"), states.len()));
    let all = sources.chain([("y".to_owned(), states.target.len())]);
    let is_continuous = |(_, states): &(String, usize)| total >= LEAST_SAMPLES && 2 * *states as u64 > total;
    let told: Vec<String> =
        all.filter(is_continuous).map(|(name, states)| format!("{name} ({states} of {total})")).collect();
    (!told.is_empty()).then(|| {
        format!(
            "nearly every value is different in {}: a continuous variable or an id, of which every state is seen about once, so \
             that informations are those of the sample and say nothing of others; cut it into a few bins first, e.g. \
             pandas.qcut(x, 4), or give its values as features to lsmi analyze",
            told.join(", ")
        )
    })
}

fn notes<const S: usize>(arguments: &Discrete, counts: Option<&Counts<S>>) -> Vec<String> {
    let mut notes: Vec<String> = counts.and_then(continuous).into_iter().collect();
    let are_few = |counts: &Counts<S>| counts.total() < PLENTY * counts.outcomes().len() as u64;
    if arguments.bias == Bias::PlugIn && counts.is_some_and(are_few) {
        notes.push(
            "so few samples for so many outcomes make informations too high: --bias corrects them, --bootstrap N gives \
             intervals"
                .to_owned(),
        );
    }
    if arguments.bias == Bias::MillerMadow {
        notes.push("only informations are corrected; redundancies stay as they are, but for that of mmi".to_owned());
    }
    notes
}
