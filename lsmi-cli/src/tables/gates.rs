//! Gates for people: the table of `check`, and what `--check` adds to the closing table of an analysis.
//!
//! What the data cannot support comes first: failed gates, then those that warn, then those passed. The conclusion names
//! the quantities that each verdict is about.

use std::fmt::Write;

use lsmi_candle::gates::{Gate, Verdict};

use crate::tables::cells::nats;

/// Characters of a line, where there are spaces to break it at.
const WIDTH: usize = 100;
/// What texts of a gate are moved in by.
const INDENT: &str = "      ";

/// All gates, the worst first, and the conclusion.
pub(crate) fn gate_table(gates: &[Gate]) -> String {
    let mut text = format!("\n{:<6}{:<14}{:>9}{:>11}\n", "", "gate", "figure", "threshold");
    for verdict in Verdict::ALL.into_iter().rev() {
        for gate in gates.iter().filter(|gate| gate.verdict == verdict) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", block(gate));
        }
    }
    format!("{text}\n{}", wrapped("", &conclusion(gates)).trim_end())
}

/// A gate with its figure and threshold, what was done and, unless it passed, why it did not and what to do.
fn block(gate: &Gate) -> String {
    let verdict = gate.verdict.name().to_uppercase();
    let mut text = format!("{verdict:<6}{:<14}{:>9}{:>11}\n", gate.name, nats(gate.figure), nats(gate.threshold));
    text.push_str(&wrapped(INDENT, &gate.did));
    if gate.verdict > Verdict::Pass {
        text.push_str(&wrapped(INDENT, &format!("threshold: {}", gate.why)));
    }
    if let Some(advice) = &gate.advice {
        text.push_str(&wrapped(INDENT, &format!("so: {advice}")));
    }
    text
}

/// A line for each failed gate, to stand before any number; nothing where none failed.
pub(crate) fn failed(gates: &[Gate]) -> String {
    lines(gates, Verdict::Fail, "FAILED GATE")
}

/// A line for each gate that warns.
pub(crate) fn warned(gates: &[Gate]) -> String {
    lines(gates, Verdict::Warn, "warning of gate")
}

fn lines(gates: &[Gate], verdict: Verdict, start: &str) -> String {
    let found = gates.iter().filter(|gate| gate.verdict == verdict);
    found.fold(String::new(), |mut text, gate| {
        let _ = write!(text, "\n{start} {}: {}", gate.name, gate.advice.as_deref().unwrap_or(&gate.did));
        text
    })
}

/// What gates can be about, in the order in which it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Single,
    Joint,
    Redundancy,
    Uniqueness,
    Synergy,
    Evaluation,
}

impl Subject {
    const ALL: [Self; 6] =
        [Self::Single, Self::Joint, Self::Redundancy, Self::Uniqueness, Self::Synergy, Self::Evaluation];

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Single => &["I(x1;y)", "I(x2;y)"],
            Self::Joint => &["I(x1,x2;y)"],
            Self::Redundancy => &["R"],
            Self::Uniqueness => &["U1", "U2"],
            Self::Synergy => &["S"],
            Self::Evaluation => &["the terms of evaluation rows"],
        }
    }

    /// What cannot be taken as it is when a gate is not passed.
    fn of(gate: &Gate) -> &'static [Self] {
        match (gate.name.as_ref(), gate.verdict) {
            // What only both together tell is missed, or taken for what both tell alike.
            ("power", _) => &[Self::Joint, Self::Redundancy, Self::Uniqueness, Self::Synergy],
            ("specificity", _) => &[Self::Uniqueness, Self::Synergy],
            ("split_halves", _) => &[Self::Synergy],
            ("permutation", _) => &[Self::Joint, Self::Synergy],
            ("coverage", _) => &[Self::Evaluation],
            // Cross-fitting keeps it out of all that is reported.
            ("memorisation", Verdict::Warn) => &[],
            // Heads that are wrong about new rows or about themselves.
            _ => &[Self::Single, Self::Joint, Self::Redundancy, Self::Uniqueness, Self::Synergy],
        }
    }
}

/// What the data can support and what not, in one sentence for each verdict.
pub(crate) fn conclusion(gates: &[Gate]) -> String {
    let with = |verdict: Verdict| gates.iter().filter(move |gate| gate.verdict == verdict);
    let is_about = |verdict, subject: &Subject| with(verdict).any(|gate| Subject::of(gate).contains(subject));
    let verdict_on = |subject: &Subject| match subject {
        subject if is_about(Verdict::Fail, subject) => Some(Verdict::Fail),
        subject if is_about(Verdict::Warn, subject) => Some(Verdict::Warn),
        // Without evaluation rows there is nothing to say of them.
        Subject::Evaluation if gates.iter().all(|gate| gate.name != "coverage") => None,
        _ => Some(Verdict::Pass),
    };
    let subjects = |verdict: Verdict| {
        let found = Subject::ALL.iter().filter(|subject| verdict_on(subject) == Some(verdict));
        listed(found.flat_map(|subject| subject.names()).copied())
    };
    let names = |verdict: Verdict| {
        let decides = |gate: &&Gate| Subject::of(gate).iter().any(|subject| verdict_on(subject) == Some(verdict));
        listed(with(verdict).filter(decides).map(|gate| gate.name.as_ref())).unwrap_or_default()
    };
    let mut sentences = Vec::new();
    if let Some(subjects) = subjects(Verdict::Fail) {
        sentences
            .push(format!("This data cannot support conclusions from {subjects}: it failed {}.", names(Verdict::Fail)));
    }
    if let Some(subjects) = subjects(Verdict::Warn) {
        sentences.push(format!("Conclusions from {subjects} need care: {} warned.", names(Verdict::Warn)));
    }
    if let Some(subjects) = subjects(Verdict::Pass) {
        let it = if with(Verdict::Fail).next().is_some() { "It" } else { "This data" };
        let every = if gates.iter().all(|gate| gate.verdict == Verdict::Pass) { ": it passed every gate" } else { "" };
        sentences.push(format!("{it} can support conclusions from {subjects}{every}."));
    }
    sentences.join(" ")
}

/// Words as `a, b and c`; none for no words.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let words: Vec<&str> = words.collect();
    match words.as_slice() {
        [] => None,
        [only] => Some((*only).to_owned()),
        [most @ .., last] => Some(format!("{} and {last}", most.join(", "))),
    }
}

/// A text in lines of at most [`WIDTH`] characters, or of one word.
fn wrapped(indent: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = indent.to_owned();
    for word in text.split_whitespace() {
        let is_first = line.len() == indent.len();
        if !is_first && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(lines, "{line}");
            indent.clone_into(&mut line);
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn gate(name: &'static str, verdict: Verdict) -> Gate {
        Gate {
            name: name.into(),
            did: format!("did {name}"),
            figure: 0.25,
            figures: BTreeMap::new(),
            threshold: 0.5,
            why: format!("why {name}"),
            verdict,
            advice: (verdict > Verdict::Pass).then(|| format!("advice on {name}")),
        }
    }

    #[test]
    fn the_worst_comes_first() {
        let gates = [
            gate("specificity", Verdict::Pass),
            gate("split_halves", Verdict::Warn),
            gate("permutation", Verdict::Pass),
            gate("power", Verdict::Fail),
        ];
        assert_eq!(
            gate_table(&gates),
            "
      gate             figure  threshold
FAIL  power             0.250      0.500
      did power
      threshold: why power
      so: advice on power
WARN  split_halves      0.250      0.500
      did split_halves
      threshold: why split_halves
      so: advice on split_halves
PASS  specificity       0.250      0.500
      did specificity
PASS  permutation       0.250      0.500
      did permutation

This data cannot support conclusions from I(x1,x2;y), R, U1, U2 and S: it failed power. It can
support conclusions from I(x1;y) and I(x2;y)."
        );
        assert_eq!(failed(&gates), "\nFAILED GATE power: advice on power");
        assert_eq!(warned(&gates), "\nwarning of gate split_halves: advice on split_halves");
    }

    #[test]
    fn each_quantity_is_named_once() {
        let all = ["power", "specificity", "split_halves", "permutation", "memorisation", "calibration", "coverage"];
        let of = |verdict: &dyn Fn(&str) -> Verdict| conclusion(&all.map(|name| gate(name, verdict(name))));
        assert!(of(&|_| Verdict::Pass).ends_with("S and the terms of evaluation rows: it passed every gate."));
        for failed in all {
            for warned in all {
                let verdict = |name: &str| match name {
                    name if name == failed => Verdict::Fail,
                    name if name == warned => Verdict::Warn,
                    _ => Verdict::Pass,
                };
                let text = of(&verdict);
                for subject in Subject::ALL.iter().flat_map(|subject| subject.names()) {
                    let words = format!(" {text}").replace([',', ':', '.'], " ");
                    let subject = subject.replace(',', " ");
                    assert_eq!(words.matches(&format!(" {subject} ")).count(), 1, "{subject}: {text}");
                }
                assert!(text.contains(&format!("it failed {failed}.")), "{text}");
            }
        }
        // A warning is named where it is about more than what failed already.
        let gates =
            |permutation| [gate("specificity", Verdict::Fail), gate("split_halves", Verdict::Warn), permutation];
        let text = conclusion(&gates(gate("permutation", Verdict::Warn)));
        assert!(text.contains("Conclusions from I(x1,x2;y) need care: permutation warned."), "{text}");
        assert!(!conclusion(&gates(gate("permutation", Verdict::Pass))).contains("care"));
        assert!(!conclusion(&[gate("power", Verdict::Pass)]).contains("evaluation"));
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        let text = wrapped("  ", &"word ".repeat(30));
        assert!(text.lines().all(|line| line.starts_with("  word") && line.len() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 30);
        assert_eq!(text.lines().count(), 2);
        assert_eq!(wrapped("", &"é".repeat(200)).lines().count(), 1);
    }
}
