//! What a comparison comes to, in words.

use serde::Serialize;

use super::source::Source;
use crate::report::number::thousands;
use crate::tables::cells::{nats, signed};
use crate::tables::diff::joined;
use lsmi_candle::analysis::diff::TwoMeans;

/// The opening of the page.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    paragraphs: Vec<String>,
}

impl Answer {
    pub(super) fn new(source: &Source<'_>) -> Self {
        let diff = source.diff;
        let (total, parts) = (diff.means.information.i12, diff.means.parts);
        let label = &source.label;
        let told = format!("What both together tell about {label}, I(x1,x2;y),");
        let level = format!("{:.0} % interval", 100.0 * diff.level);
        let parts = [("R", parts.r), ("U1", parts.u1), ("U2", parts.u2), ("S", parts.s)];
        let kinds = diff.kinds.as_ref().and_then(|kinds| kinds.changed).map(|changed| {
            let (changed, shared) = (thousands(&changed.to_string()), thousands(&diff.shared.to_string()));
            format!("{changed} of {shared} samples are of another kind in the second.")
        });
        let paragraphs = [
            Some(format!("{}.", capitalised(&joined(diff)))),
            Some(format!("{told} {}.", movement(&total, &level))),
            Some(moved(&parts, &level)),
            kinds,
        ];
        Self { paragraphs: paragraphs.into_iter().flatten().collect() }
    }
}

/// What the intervals hold: where they do not hold what other fits would do, the samples alone.
fn varying(means: &TwoMeans) -> &'static str {
    if means.differs.is_some() { "samples and fits" } else { "samples" }
}

/// Which of the interactions differ by more than samples and fits vary, and which do not.
fn moved(parts: &[(&str, TwoMeans)], level: &str) -> String {
    let (differ, same): (Vec<_>, Vec<_>) = parts.iter().partition(|(_, means)| differ(means));
    let differ: Vec<String> = differ.iter().map(|(name, means)| format!("{name} {}", movement(means, level))).collect();
    let same: Vec<&str> = same.iter().map(|(name, _)| *name).collect();
    let what = parts.first().map_or("samples", |(_, means)| varying(means));
    let unmoved = |names: &[&str]| {
        let verb = if names.len() == 1 { "does" } else { "do" };
        format!("{} {verb} not differ by more than the {what} vary.", listed(names))
    };
    match (differ.as_slice(), same.as_slice()) {
        ([], _) => format!("None of the mean interactions differs by more than the {what} vary."),
        (differ, []) => format!("{}.", listed(differ)),
        (differ, same) => format!("{}; {}", listed(differ), unmoved(same)),
    }
}

/// Whether means differ: as it was found where fits are known, else where the interval leaves 0 out.
fn differ(TwoMeans { difference, differs, .. }: &TwoMeans) -> bool {
    differs.unwrap_or(difference.lower > 0.0 || difference.upper < 0.0)
}

/// `rises by 0.100 nats to 0.500 (95 % interval +0.050 to +0.150)`.
fn movement(means: &TwoMeans, level: &str) -> String {
    let difference = &means.difference;
    let interval = format!("{level} {} to {}", signed(difference.lower), signed(difference.upper));
    if !differ(means) {
        let what = varying(means);
        return format!("does not differ by more than the {what} vary ({}, {interval})", signed(difference.mean));
    }
    let verb = if difference.mean > 0.0 { "rises" } else { "falls" };
    let (by, from, to) = (nats(difference.mean.abs()), nats(means.first), nats(means.second));
    format!("{verb} by {by} nats from {from} to {to} ({interval})")
}

/// `a`, `a and b`, `a, b and c`.
fn listed<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::statistics::Interval;

    fn means(lower: f64, upper: f64) -> TwoMeans {
        let mean = f64::midpoint(lower, upper);
        let difference = Interval { mean, standard_error: None, lower, upper };
        TwoMeans { first: 0.25, second: 0.25 + mean, difference, differs: None }
    }

    #[test]
    fn what_moved_and_what_did_not() {
        let (up, down, none) = (means(0.5, 1.0), means(-0.5, -0.25), means(-0.5, 0.25));
        let told = moved(&[("R", up), ("U1", none), ("U2", none), ("S", down)], "95 % interval");
        assert_eq!(
            told,
            "R rises by 0.750 nats from 0.250 to 1.000 (95 % interval +0.500 to +1.000) and S falls by 0.375 nats from \
             0.250 to -0.125 (95 % interval -0.500 to -0.250); U1 and U2 do not differ by more than the samples vary."
        );
        assert!(moved(&[("R", none); 4], "").starts_with("None of the mean interactions"));
        let known = TwoMeans { differs: Some(false), ..none };
        assert!(moved(&[("R", known)], "").ends_with("by more than the samples and fits vary."));
        assert!(moved(&[("R", up), ("S", none)], "").ends_with("; S does not differ by more than the samples vary."));
        assert!(moved(&[("R", up); 3], "x").contains("(x +0.500 to +1.000), R rises"));
        assert_eq!(movement(&none, "x"), "does not differ by more than the samples vary (-0.125, x -0.500 to +0.250)");
    }
}
