//! Three modalities that show a table of discrete sources: closed forms of their terms, atoms and Shapley values.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use lsmi_core::discrete::{Joint, JointMeasure, lattice};
use lsmi_core::families::{RenderedDraw, Rendering, TableName, TableState};
use lsmi_core::lattice::{Lattice, LatticeColumns, PointwiseLattice};
use lsmi_core::random::stream;
use lsmi_core::shapley::Shapley;
use lsmi_core::{Error, Family, Measure, SampleIds, Settings, Subset, SubsetTerms};
use rand::Rng;

/// So clear that no state is ever mistaken, and with so many dimensions that large sets have far lower densities.
fn clear() -> Settings {
    Settings { dims: 30, amplitude: 9.0, ..Settings::default() }
}

fn terms(name: TableName, settings: &Settings, n: usize) -> SubsetTerms {
    let rendering = name.build(settings).unwrap();
    rendering.terms(&rendering.sample(n, &mut stream(1, "rendered tables"))).unwrap()
}

/// Checks that every sample has these atoms and no others.
fn assert_atoms(parts: &LatticeColumns, expected: &[(&str, f64)], tolerance: f64, what: &str) {
    for (node, atoms) in parts.nodes.iter().zip(&parts.atoms) {
        let name = node.to_string();
        let expected = expected.iter().find(|(node, _)| *node == name).map_or(0.0, |(_, value)| *value);
        for atom in atoms {
            assert!((atom - expected).abs() < tolerance, "{what} {name}: {atom} instead of {expected}");
        }
    }
}

#[test]
fn clear_tables_have_the_information_of_their_sources() {
    for (name, expected) in [
        (TableName::Parity3, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, LN_2]),
        (TableName::Copies3, [LN_2; 7]),
        (TableName::Pair3, [0.0, 0.0, 0.0, LN_2, 0.0, 0.0, LN_2]),
        (TableName::Hidden3, [0.0, 0.0, 0.0, LN_2, LN_2, LN_2, LN_2]),
        (TableName::Unique3, [LN_2, LN_2, 0.0, 2.0 * LN_2, LN_2, LN_2, 2.0 * LN_2]),
    ] {
        let terms = terms(name, &clear(), 200);
        for ((subset, found), expected) in terms.informations().zip(expected) {
            assert!(found.iter().all(|i| (i - expected).abs() < 1e-9), "{name} {subset}");
        }
    }
}

#[test]
fn ccs_finds_the_place_of_every_table() {
    for (name, expected) in [
        (TableName::Parity3, vec![("{123}", LN_2)]),
        (TableName::Copies3, vec![("{1}{2}{3}", LN_2)]),
        (TableName::Pair3, vec![("{12}", LN_2)]),
        (TableName::Hidden3, vec![("{12}{13}{23}", LN_2)]),
        (TableName::Unique3, vec![("{1}", LN_2), ("{2}", LN_2)]),
    ] {
        let parts = PointwiseLattice::<3>::new(Measure::Ccs).unwrap().decompose(&terms(name, &clear(), 500)).unwrap();
        assert_atoms(&parts, &expected, 1e-8, name.name());
    }
}

#[test]
fn measures_with_surprisals_find_parity_copies_and_secrets() {
    for measure in [Measure::Pm, Measure::Sx] {
        for (name, node) in
            [(TableName::Parity3, "{123}"), (TableName::Copies3, "{1}{2}{3}"), (TableName::Hidden3, "{12}{13}{23}")]
        {
            let parts = PointwiseLattice::<3>::new(measure).unwrap().decompose(&terms(name, &clear(), 500)).unwrap();
            assert_atoms(&parts, &[(node, LN_2)], 1e-5, &format!("{measure} {name}"));
        }
    }
}

/// With noise on every information, parity stays in {123}, though in an eighth of the samples every sign agrees.
#[test]
fn noise_does_not_turn_parity_into_redundancy() {
    let mut random = stream(2, "rendered tables");
    let n = 4000;
    let mut noisy = |value: f64| (0..n).map(|_| value + random.random_range(-0.05..0.05)).collect::<Vec<f64>>();
    let columns: Vec<_> = Subset::all(3).map(|s| (s, noisy(if s.len() == 3 { LN_2 } else { 0.0 }))).collect();
    let terms = SubsetTerms::new(SampleIds::rows(n), 3, columns, []).unwrap();
    let parts = PointwiseLattice::<3>::new(Measure::Ccs).unwrap().decompose(&terms).unwrap();
    // The atom of {123} collects the noise of several others.
    assert_atoms(&parts, &[("{123}", LN_2)], 0.4, "noisy parity");
    for means in parts.means() {
        let expected = if means.node.to_string() == "{123}" { LN_2 } else { 0.0 };
        assert!((means.atom - expected).abs() < 0.05, "{}: {}", means.node, means.atom);
    }
}

#[test]
fn shapley_values_of_the_tables() {
    let (third, half) = (LN_2 / 3.0, LN_2 / 2.0);
    for (name, values, interactions) in [
        // Of the pairs of parity each has half of log 2 given the third modality.
        (TableName::Parity3, [third; 3], [half; 3]),
        (TableName::Copies3, [third; 3], [-half; 3]),
        (TableName::Pair3, [half, half, 0.0], [LN_2, 0.0, 0.0]),
        // Without the third modality log 2, with it -log 2.
        (TableName::Hidden3, [third; 3], [0.0; 3]),
        (TableName::Unique3, [LN_2, LN_2, 0.0], [0.0; 3]),
    ] {
        let parts = Shapley::new(3).unwrap().of(&terms(name, &clear(), 100)).unwrap();
        for (columns, expected) in [(&parts.values, values), (&parts.interactions, interactions)] {
            for (column, expected) in columns.iter().zip(expected) {
                assert!(column.iter().all(|value| (value - expected).abs() < 1e-8), "{name}: {column:?}");
            }
        }
    }
}

/// Beside a source that is constant, two sources have the terms of a mixture of two modalities.
#[test]
fn terms_of_a_pair_are_those_of_the_two_modalities() {
    use lsmi_core::families::{Cell, Mixture};

    let centres = [vec![vec![-2.0, 0.5], vec![1.5, 0.0]], vec![vec![1.0], vec![-1.0]], vec![vec![0.0; 3]]];
    let rows = [(0, 0, 0_u32, 0.4), (0, 1, 1, 0.1), (1, 0, 1, 0.2), (1, 1, 0, 0.3)];
    let table = rows.map(|(s1, s2, label, probability)| TableState { sources: vec![s1, s2, 0], label, probability });
    let rendering = Rendering::new(centres.to_vec(), 0.8, table.to_vec()).unwrap();
    let draw = rendering.sample(300, &mut stream(3, "rendered tables"));
    let terms = rendering.terms(&draw).unwrap();

    let cells = rows.map(|(centre1, centre2, label, probability)| Cell { centre1, centre2, label, probability });
    let mixture = Mixture::new(centres[0].clone(), centres[1].clone(), 0.8, cells.to_vec()).unwrap();
    let two = lsmi_core::Draw {
        x1: draw.modalities[0].clone(),
        x2: draw.modalities[1].clone(),
        labels: draw.labels.clone(),
        dims: (2, 1),
        classes: 2,
        groups: None,
    };
    let expected = mixture.terms(&two).unwrap();
    let found = terms.pair(0, 1).unwrap();
    for (found, expected) in [
        (&found.h1, &expected.h1),
        (&found.h2, &expected.h2),
        (&found.i1, &expected.i1),
        (&found.i2, &expected.i2),
        (&found.i12, &expected.i12),
    ] {
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12));
    }
    // The third modality is noise: it adds its own surprisal and no information.
    let (pair, whole) = (Subset::whole(2), Subset::whole(3));
    let of = |subset| (terms.information(subset), terms.surprisal(subset).unwrap());
    for row in 0..300 {
        assert!((of(pair).0[row] - of(whole).0[row]).abs() < 1e-12);
        let alone = of("3".parse().unwrap()).1[row];
        assert!((of(pair).1[row] + alone - of(whole).1[row]).abs() < 1e-11);
    }
}

/// States that are often mistaken for each other tell less than the table does, and symmetric pairs as much.
#[test]
fn means_of_a_blurred_table_are_informations() {
    let terms = terms(TableName::Hidden3, &Settings { dims: 3, amplitude: 1.0, ..Settings::default() }, 100_000);
    let of = |name: &str| terms.means().informations[&name.parse::<Subset>().unwrap()];
    assert!(of("1").abs() < 1e-12 && of("2").abs() < 1e-12, "one source is independent of the secret");
    assert!((of("12") - of("23")).abs() < 0.01 && (of("12") - of("13")).abs() < 0.01);
    assert!(of("12") > 0.02 && of("123") > of("12") + 0.02 && of("123") < LN_2);
}

#[test]
fn draws_that_do_not_fit_are_refused() {
    let rendering = TableName::Unique3.build(&Settings { dims: 2, ..Settings::default() }).unwrap();
    let draw = rendering.sample(4, &mut stream(0, "rendered tables"));
    assert_eq!((draw.dims.as_slice(), draw.classes), (&[2, 2, 2][..], 4));
    let refused = |change: fn(&mut RenderedDraw)| {
        let mut draw = draw.clone();
        change(&mut draw);
        rendering.terms(&draw).unwrap_err()
    };
    let error = refused(|draw| draw.modalities.truncate(2));
    assert_eq!(error, Error::Modalities { expected: 3, found: 2 });
    let error = refused(|draw| draw.modalities[1].truncate(7));
    assert_eq!(error, Error::Length { array: "modalities", expected: 8, found: 7 });
    assert_eq!(refused(|draw| draw.labels[2] = 4), Error::Label { row: 2, found: 4, classes: 4 });
    let error = refused(|draw| draw.modalities[0][2] = f64::NAN);
    assert!(matches!(error, Error::TermNotFinite { row: 1, .. }), "{error}");
}

#[test]
fn tables_that_are_none_are_refused() {
    let state = |sources: &[usize], label, probability| TableState { sources: sources.to_vec(), label, probability };
    let new = |states: &[TableState]| {
        Rendering::new(vec![vec![vec![0.0], vec![1.0]]; 2], 1.0, states.to_vec()).unwrap_err().to_string()
    };
    let message = new(&[state(&[0, 2], 0, 1.0)]);
    assert!(message.starts_with("`states` is a row of the sources [0, 2]"), "{message}");
    assert!(new(&[state(&[0], 0, 1.0)]).contains("one for every modality"));
    assert!(new(&[state(&[0, 0], 0, -0.5), state(&[0, 1], 1, 1.5)]).contains("from 0 to 1"));
    assert!(new(&[state(&[0, 0], 0, 0.5)]).starts_with("the probabilities of the table sum to 0.5"));
    assert!(new(&[state(&[0, 0], 1, 1.0)]).starts_with("no sample has the class 0"));
    let one = Rendering::new(vec![vec![vec![0.0]]], 1.0, vec![state(&[0], 0, 1.0)]).unwrap_err();
    assert!(one.to_string().starts_with("`modalities` is 1"));
}

/// Probabilities of the marginals of a table, with the label and without.
fn marginal(table: &[TableState], subset: Subset, row: &TableState, with_label: bool) -> f64 {
    let is_like = |other: &&TableState| {
        subset.members().all(|member| other.sources[member] == row.sources[member])
            && (!with_label || other.label == row.label)
    };
    table.iter().filter(is_like).map(|other| other.probability).sum()
}

/// Surprisals and informations of outcomes make the very atoms that the decomposition of the distribution has.
#[test]
fn terms_of_outcomes_have_the_atoms_of_their_distribution() {
    let mut random = stream(4, "rendered tables");
    for _ in 0..20 {
        let weights: Vec<f64> = (0..24).map(|_| random.random_range(0.05..1.0)).collect();
        let total: f64 = weights.iter().sum();
        let table: Vec<TableState> = weights
            .iter()
            .enumerate()
            .map(|(k, weight)| TableState {
                sources: vec![k % 3, k / 3 % 2, k / 6 % 2],
                label: u32::from(k >= 12),
                probability: weight / total,
            })
            .collect();
        let class = |row: &TableState| -> f64 {
            table.iter().filter(|other| other.label == row.label).map(|other| other.probability).sum()
        };
        let h = |subset| table.iter().map(|row| -marginal(&table, subset, row, false).ln()).collect::<Vec<_>>();
        let given = |subset, row| marginal(&table, subset, row, true) / class(row);
        let i = |subset| -> Vec<f64> {
            table.iter().map(|row| (given(subset, row) / marginal(&table, subset, row, false)).ln()).collect()
        };
        let terms = SubsetTerms::new(
            SampleIds::rows(table.len()),
            3,
            Subset::all(3).map(|subset| (subset, i(subset))),
            Subset::all(3).map(|subset| (subset, h(subset))),
        )
        .unwrap();

        let name = |k: usize| ["0", "1", "2"][k];
        let named =
            |row: &TableState| ([0, 1, 2].map(|m| name(row.sources[m])), name(row.label as usize), row.probability);
        let joint = Joint::<3>::from_probabilities(table.iter().map(named)).unwrap();
        let row_of: BTreeMap<Vec<usize>, usize> = table
            .iter()
            .enumerate()
            .map(|(place, row)| (row.sources.iter().copied().chain([row.label as usize]).collect(), place))
            .collect();
        for (measure, of_joint) in [(Measure::Pm, JointMeasure::Pm), (Measure::Sx, JointMeasure::Sx)] {
            let parts = PointwiseLattice::<3>::new(measure).unwrap().decompose(&terms).unwrap();
            let expected = lattice::decompose(of_joint, &joint, &Lattice::<3>::new(), true).unwrap();
            for outcome in expected.pointwise.unwrap() {
                let sources = outcome.outcome.sources.iter().chain([&outcome.outcome.target]);
                let row = row_of[&sources.map(|&state| state as usize).collect::<Vec<_>>()];
                let atoms: Vec<f64> =
                    outcome.informative.iter().zip(&outcome.misinformative).map(|(plus, minus)| plus - minus).collect();
                for (place, node) in parts.nodes.iter().enumerate() {
                    let lattice = Lattice::<3>::new();
                    let below = (0..=place).filter(|&below| lattice.is_at_most(below, place));
                    let redundancy: f64 = below.map(|below| atoms[below]).sum();
                    // Events overlap, which densities do not: `sx` is the same for one set, which overlaps with none.
                    if measure == Measure::Pm || node.sets.len() == 1 {
                        assert!((parts.redundancies[place][row] - redundancy).abs() < 1e-12, "{measure} {node}");
                    }
                    if measure == Measure::Pm {
                        assert!((parts.atoms[place][row] - atoms[place]).abs() < 1e-12, "{node}");
                    }
                }
            }
        }
    }
}
