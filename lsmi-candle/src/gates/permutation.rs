//! Within-class permutation: whether the joint head knows all that it should.
//!
//! The rows of x2 are shuffled within every class. Both modalities keep what they tell of the label, but are independent
//! of each other once it is known, so that the joint posterior follows from those of the modalities:
//!
//! ```text
//! p(y|x1, x2) = p(y|x1) p(y|x2) / p(y) / Z,   Z = the sum over classes c of p(c|x1) p(c|x2) / p(c)
//! ```
//!
//! Models are fitted to four fifths of the rows and asked for the rest. A joint head that gives less information than this
//! closed form misses what there is, and understates synergy; one that gives more shows heads of single modalities that miss
//! something, which overstates it. The [figure](super::Gate::figure) is the mean i12 of the closed form less that of the
//! joint head, in nats.

use lsmi_core::ClassPrior;
use lsmi_core::random::stream;
use lsmi_core::statistics::{log_sum_exp, mean};
use rand::seq::SliceRandom;

use super::bench::{Bench, standard_error};
use super::rows::{rows_of_classes, sample_rows};
use super::{BEYOND_CHANCE, Gate, Verdict, figures};
use crate::error::Result;
use crate::estimator::Estimator;
use crate::estimator::folds::divide_groups;
use crate::features::{FeatureSet, Unlabelled};

/// The nats that pass, unless chance alone gives more.
const PASS: f64 = 0.05;
/// Nats beyond which the data fails.
const WARN: f64 = 0.2;
/// Standard errors that count as chance.
const ERRORS: f64 = 2.0;

pub(super) fn ask(bench: &Bench<'_>) -> Result<Option<Gate>> {
    let rows = permuted(bench);
    let (kept, held) = divided(&rows, bench);
    if held.is_empty() {
        return Ok(None);
    }
    let (kept, held) = (rows.select(&kept), rows.select(&held));
    let fit = bench.fit("within-class permutation", &kept, bench.classes, &bench.settings)?;
    let frequencies = ClassPrior::empirical(&kept.labels, bench.classes.len())?;
    let (closed_form, joint) = information(&fit.estimator, &held, &frequencies)?;

    let differences: Vec<f64> =
        closed_form.iter().zip(&joint).map(|(closed_form, joint)| closed_form - joint).collect();
    let figure = mean(&differences);
    let error = standard_error(&differences);
    let threshold = PASS.max(ERRORS * error);
    let verdict = Verdict::from_bounds(figure.abs(), threshold, WARN.max(BEYOND_CHANCE * threshold));
    Ok(Some(Gate {
        name: "permutation".into(),
        did: format!(
            "shuffled the rows of modality 2 within every class, fitted to {} rows, and held the joint head against p(y|x1) p(y|x2) / p(y) on the other {}",
            kept.rows(),
            held.rows()
        ),
        figure,
        figures: figures([
            ("i12_closed_form", mean(&closed_form)),
            ("i12_joint", mean(&joint)),
            ("standard_error", error),
        ]),
        threshold,
        why: format!(
            "both ways lead to the same posterior: apart by more than {PASS} nats, or two standard errors where these are more, they do not"
        ),
        verdict,
        advice: (verdict > Verdict::Pass).then(|| {
            if figure > 0.0 {
                format!("the joint head misses {figure:.3} nats of what it should know, and S is understated by as much; use more rows or fewer columns")
            } else {
                format!("the heads of single modalities miss {:.3} nats of what the joint head finds, and S is overstated by as much; use more rows", -figure)
            }
        }),
    }))
}

/// Divides the rows into four fifths to fit to and a fifth to be judged on, groups whole.
fn divided(rows: &FeatureSet, bench: &Bench<'_>) -> (Vec<usize>, Vec<usize>) {
    let of_groups = rows
        .groups
        .as_ref()
        .and_then(|groups| divide_groups(&rows.labels, groups, (0, 5), bench.settings.seed, "gate permutation parts"));
    of_groups.unwrap_or_else(|| {
        let kept = sample_rows(&rows.labels, rows.rows() * 4 / 5, &bench.settings);
        let held = (0..rows.rows()).filter(|row| kept.binary_search(row).is_err()).collect();
        (kept, held)
    })
}

/// Returns the rows with those of x2 shuffled within every class.
fn permuted(bench: &Bench<'_>) -> FeatureSet {
    let mut random = stream(bench.settings.seed, "gate permutation");
    let mut source: Vec<usize> = (0..bench.rows.rows()).collect();
    for rows in rows_of_classes(&bench.rows.labels) {
        let mut shuffled = rows.clone();
        shuffled.shuffle(&mut random);
        for (row, from) in rows.into_iter().zip(shuffled) {
            source[row] = from;
        }
    }
    bench.with_features(bench.rows.x1.clone(), bench.rows.x2.select(&source))
}

/// Returns the information i12 of every row by the closed form, and that of the joint head.
fn information(estimator: &Estimator, rows: &FeatureSet, frequencies: &ClassPrior) -> Result<(Vec<f64>, Vec<f64>)> {
    let prior = estimator.prior();
    let [i1, i2, i12] = estimator.candidates(&Unlabelled::from(rows))?.information;
    let classes = prior.classes();
    let single = i1.chunks_exact(classes).zip(i2.chunks_exact(classes)).zip(&rows.labels);
    let closed_form = single.map(|((i1, i2), label)| information_of_both(i1, i2, *label, prior, frequencies));
    let joint = i12.chunks_exact(classes).zip(&rows.labels).map(|(i12, label)| i12[*label as usize]);
    Ok((closed_form.collect(), joint.collect()))
}

/// Returns the information of two modalities together that are independent given the label, from i1 and i2 of every
/// class.
///
/// Information is measured against `prior`, while posteriors are those of data with the `frequencies` of classes.
fn information_of_both(i1: &[f64], i2: &[f64], label: u32, prior: &ClassPrior, frequencies: &ClassPrior) -> f64 {
    let classes = prior.log_probabilities().iter().zip(frequencies.log_probabilities());
    // log p(c|x1) + log p(c|x2) - log p(c) for every class c.
    let products: Vec<f64> = i1
        .iter()
        .zip(i2)
        .zip(classes)
        .map(|((i1, i2), (prior, frequency))| i1 + i2 + 2.0 * prior - frequency)
        .collect();
    let label = label as usize;
    products[label] - log_sum_exp(&products) - prior.log_probability(label)
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Fits, tests};
    use super::*;
    use lsmi_core::FamilyName;

    #[test]
    fn rows_stay_in_their_class() {
        let (settings, classes) = tests::settings();
        let rows = tests::draw(FamilyName::Or, 60, 2);
        let bench = Bench::new(rows, &classes, &settings, Fits::new(None, 1)).unwrap();
        let after = permuted(&bench);
        assert_eq!((&after.x1, &after.labels), (&bench.rows.x1, &bench.rows.labels));
        let of_class = |rows: &FeatureSet, class: u32| {
            let mut members: Vec<Vec<u64>> = (0..60)
                .filter(|row| rows.labels[*row] == class)
                .map(|row| rows.x2.row(row).iter().map(|value| value.to_bits()).collect())
                .collect();
            members.sort_unstable();
            members
        };
        for class in [0, 1] {
            assert_eq!(of_class(&after, class), of_class(&bench.rows, class));
        }
        let same = (0..60).filter(|row| after.x2.row(*row) == bench.rows.x2.row(*row)).count();
        assert!(same < 10, "{same}");
    }

    #[test]
    fn the_closed_form_is_bayes_rule_whatever_the_prior() {
        let frequencies = [0.7, 0.2, 0.1];
        let likelihoods = [[0.2, 0.7, 0.3], [0.5, 0.3, 0.9]];
        let posterior = |likelihood: &dyn Fn(usize) -> f64, class: usize| {
            let joint = |class: usize| frequencies[class] * likelihood(class);
            joint(class) / (0..3).map(joint).sum::<f64>()
        };
        let both = |class: usize| likelihoods[0][class] * likelihoods[1][class];
        for prior in [frequencies, [0.25, 0.25, 0.5]] {
            let information =
                |likelihood: &dyn Fn(usize) -> f64, class| (posterior(likelihood, class) / prior[class]).ln();
            let [first, second] = likelihoods.map(|of| [0, 1, 2].map(|class| information(&|class| of[class], class)));
            let given = |probabilities: &[f64]| ClassPrior::given(probabilities).unwrap();
            for label in 0..3 {
                let found = information_of_both(&first, &second, label, &given(&prior), &given(&frequencies));
                assert!((found - information(&both, label as usize)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_joint_head_that_sees_all_agrees() {
        let (settings, classes) = tests::settings();
        let settings = crate::estimator::Settings { prior: lsmi_core::PriorChoice::Uniform, ..settings };
        let rows = tests::draw(FamilyName::And, 500, 2);
        let bench = Bench::new(rows, &classes, &settings, Fits::new(None, 1)).unwrap();
        let gate = ask(&bench).unwrap().unwrap();
        assert_eq!(gate.verdict, Verdict::Pass, "{gate:?}");
        assert!(gate.figures["i12_joint"] > 0.2, "{gate:?}");
    }
}
