//! A plain sentence where the split between redundancy and uniqueness follows from the gauge rather than from the data.

use lsmi_core::{GaugeVerdict, Modality, Sweep};

use crate::tables::cells::nats;
use lsmi_candle::analysis::names::Words;

/// The mean hardly moves where it moves by less than this share of what single samples do.
const ALIKE: f64 = 0.25;

/// The sentence for one split; none where the means are much the same in every gauge.
pub(crate) fn gauge_sentence(words: Words<'_>, sweep: &Sweep) -> Option<String> {
    let start = match sweep.verdict {
        GaugeVerdict::Robust => return None,
        GaugeVerdict::Sensitive => String::new(),
        GaugeVerdict::Decided { modality } => {
            let (name, share) = match modality {
                Modality::One => (&words.names.x1, sweep.present.lower1),
                Modality::Two => (&words.names.x2, sweep.present.lower2),
            };
            // 99.96 % are not all.
            let share = (1000.0 * share).floor() / 10.0;
            format!(
                "{name} has the lower surprisal in {share} % of the samples, so what it tells counts as redundant: "
            )
        }
    };
    let (lowest, highest) = bounds(sweep);
    let moved = if sweep.range > ALIKE * sweep.sample_range {
        format!("raw R would lie anywhere between {} and {} in other gauges", nats(lowest), nats(highest))
    } else {
        // The modalities tell much the same on average, but not of single samples.
        format!(
            "in other gauges the r of a sample would move by up to {} on average, though raw R stays between {} and {}",
            nats(sweep.sample_range),
            nats(lowest),
            nats(highest)
        )
    };
    Some(format!(
        "{start}{moved}: the split between R and U is decided by the choice of coordinates; S - R = {} is not.",
        nats(sweep.present.means.s - sweep.present.means.r)
    ))
}

/// The lowest and the highest mean redundancy of any gauge: those of the sweep, and its limits I1 and I2.
fn bounds(sweep: &Sweep) -> (f64, f64) {
    let present = sweep.present.means;
    let limits = [present.r + present.u1, present.r + present.u2];
    let all = sweep.points.iter().map(|point| point.means.r).chain(limits);
    all.fold((f64::INFINITY, f64::NEG_INFINITY), |(lowest, highest), r| (lowest.min(r), highest.max(r)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::{Measure, SampleIds, Terms};

    /// Two samples: modality 1 tells 0.5 nats of each, modality 2 nothing, and both together 0.7.
    fn of(h1: f64, h2: [f64; 2]) -> Option<String> {
        let (ids, h1, i1, i2) = (SampleIds::rows(2), vec![h1; 2], vec![0.5; 2], vec![0.0; 2]);
        let terms = Terms::new(ids, h1, h2.to_vec(), i1, i2, vec![0.7; 2]).unwrap();
        let names = "picture,name".parse().unwrap();
        gauge_sentence(Words { names: &names, label: "the label" }, &Sweep::new(&terms, Measure::Pm).unwrap())
    }

    #[test]
    fn the_redundancy_moves() {
        assert_eq!(
            of(1.0, [0.0, 2.0]).unwrap(),
            "raw R would lie anywhere between 0.000 and 0.500 in other gauges: the split between R and U is decided by \
             the choice of coordinates; S - R = 0.200 is not."
        );
    }

    #[test]
    fn one_modality_has_the_lower_surprisal() {
        let text = of(9.0, [0.0, 0.0]).unwrap();
        let start = "name has the lower surprisal in 100 % of the samples, so what it tells counts as redundant: raw R";
        assert!(text.starts_with(start) && text.ends_with("S - R = 0.200 is not."), "{text}");
        assert!(of(-9.0, [0.0, 0.0]).unwrap().starts_with("picture has the lower surprisal in 100 %"));
    }

    #[test]
    fn samples_move_though_the_mean_does_not() {
        let ids = SampleIds::rows(2);
        let terms = Terms::new(ids, vec![0.0; 2], vec![9.0; 2], vec![0.5, 0.0], vec![0.0, 0.5], vec![0.5; 2]).unwrap();
        let names = "a,b".parse().unwrap();
        let sweep = Sweep::new(&terms, Measure::Pm).unwrap();
        let text = gauge_sentence(Words { names: &names, label: "the label" }, &sweep).unwrap();
        let expected =
            "the r of a sample would move by up to 0.500 on average, though raw R stays between 0.250 and 0.250";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn nothing_is_said_where_it_does_not_matter() {
        let zeros = || vec![0.0; 2];
        let terms = Terms::new(SampleIds::rows(2), zeros(), vec![9.0; 2], zeros(), zeros(), vec![0.5; 2]).unwrap();
        let names = "a,b".parse().unwrap();
        let sweep = Sweep::new(&terms, Measure::Pm).unwrap();
        assert_eq!(gauge_sentence(Words { names: &names, label: "the label" }, &sweep), None);
    }
}
