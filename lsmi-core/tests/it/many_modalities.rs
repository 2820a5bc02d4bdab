//! Identities of more than two modalities, which hold for every sample, whatever its terms.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use lsmi_core::lattice::{Antichain, LatticeColumns, PointwiseLattice, Redundancy};
use lsmi_core::shapley::Shapley;
use lsmi_core::{Interaction, Measure, SampleIds, Subset, SubsetTerms};
use proptest::prelude::*;

const TOLERANCE: f64 = 1e-12;
const MEASURES: [Measure; 3] = [Measure::Pm, Measure::Sx, Measure::Ccs];

/// Terms of a few samples; surprisals reach far, as those of densities in many dimensions do.
fn terms(modalities: usize) -> impl Strategy<Value = SubsetTerms> {
    let surprisal = prop_oneof![-5.0..5.0, -2000.0..2000.0];
    // Many samples have informations of one sign, or `ccs` would have nothing to count.
    let information = prop_oneof![0.0..0.5, -0.5..0.5, -20.0..5.0, Just(0.0)];
    let column = (1 << modalities) - 1;
    let sample = (prop::collection::vec(surprisal, column), prop::collection::vec(information, column));
    let magnitude = prop_oneof![Just(1.0), Just(-1.0)];
    let sample = (sample, magnitude).prop_map(|((h, i), sign)| (h, i.iter().map(|i| sign * i).collect::<Vec<f64>>()));
    prop::collection::vec(sample, 1..10).prop_map(move |samples| {
        let columns = Subset::all(modalities).enumerate();
        let (informations, surprisals): (Vec<_>, Vec<_>) = columns
            .map(|(place, subset)| {
                let i = samples.iter().map(|(_, i)| i[place]).collect();
                let h = samples.iter().map(|(h, _)| h[place]).collect();
                ((subset, i), (subset, h))
            })
            .unzip();
        SubsetTerms::new(SampleIds::rows(samples.len()), modalities, informations, surprisals).unwrap()
    })
}

fn terms_of_any() -> impl Strategy<Value = SubsetTerms> {
    (2_usize..=8).prop_flat_map(terms)
}

/// Terms, and an order of their modalities.
fn with_order(terms: impl Strategy<Value = SubsetTerms>) -> impl Strategy<Value = (SubsetTerms, Vec<usize>)> {
    terms.prop_flat_map(|terms| {
        let order: Vec<usize> = (0..terms.modalities()).collect();
        (Just(terms), Just(order).prop_shuffle())
    })
}

/// The largest magnitude among the terms, at least 1.
fn magnitude(terms: &SubsetTerms) -> f64 {
    let columns = terms.informations().chain(terms.surprisals()).collect::<Vec<_>>();
    columns.iter().flat_map(|(_, column)| *column).fold(1.0, |largest, value| value.abs().max(largest))
}

fn decompose<const M: usize>(measure: Measure, terms: &SubsetTerms) -> LatticeColumns {
    PointwiseLattice::<M>::new(measure).unwrap().decompose(terms).unwrap()
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        prop_assert!((found - expected).abs() <= tolerance, "{}: {} instead of {}", what, found, expected);
    }
    Ok(())
}

/// The node whose modalities, put in another order, are those of `node`.
fn before(node: &Antichain, order: &[usize]) -> Antichain {
    let renamed = |subset: Subset| Subset::from_members(subset.members().map(|member| order[member])).unwrap();
    Antichain::new(node.subsets().map(renamed)).unwrap()
}

fn check_sums<const M: usize>(terms: &SubsetTerms) -> Result<(), TestCaseError> {
    let tolerance = 100.0 * TOLERANCE * magnitude(terms);
    for measure in MEASURES {
        let lattice = PointwiseLattice::<M>::new(measure).unwrap();
        let parts = lattice.decompose(terms).unwrap();
        for (place, node) in parts.nodes.iter().enumerate() {
            let below: Vec<usize> = (0..=place).filter(|&below| lattice.lattice().is_at_most(below, place)).collect();
            let sums: Vec<f64> =
                (0..terms.len()).map(|row| below.iter().map(|&below| parts.atoms[below][row]).sum()).collect();
            assert_close(&sums, &parts.redundancies[place], tolerance, &node.to_string())?;
            let sets: Vec<Subset> = node.subsets().collect();
            if let [subset] = sets[..] {
                prop_assert_eq!(&parts.redundancies[place], &terms.information(subset).to_vec());
            }
        }
    }
    Ok(())
}

fn check_symmetry<const M: usize>(terms: &SubsetTerms, order: &[usize]) -> Result<(), TestCaseError> {
    for measure in MEASURES {
        let (parts, permuted) =
            (decompose::<M>(measure, terms), decompose::<M>(measure, &terms.permuted(order).unwrap()));
        for (node, atoms) in permuted.nodes.iter().zip(&permuted.atoms) {
            let expected = parts.atom(&before(node, order)).unwrap();
            assert_close(atoms, expected, 100.0 * TOLERANCE * magnitude(terms), &format!("{measure} {node}"))?;
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn atoms_below_a_node_sum_to_its_information(terms in terms(3)) {
        check_sums::<3>(&terms)?;
    }

    #[test]
    fn atoms_do_not_depend_on_the_order_of_the_modalities((terms, order) in with_order(terms(3))) {
        check_symmetry::<3>(&terms, &order)?;
    }

    #[test]
    fn two_modalities_are_decomposed_as_ever(terms in terms(2)) {
        let pair = terms.pair(0, 1).unwrap();
        for measure in MEASURES {
            let expected = measure.decompose(&pair, &vec![0; pair.len()]);
            prop_assert_eq!(&Redundancy::of_all(measure, 2).unwrap().of(&terms).unwrap(), &expected.r);
            let parts = decompose::<2>(measure, &terms);
            let names: Vec<String> = parts.nodes.iter().map(ToString::to_string).collect();
            prop_assert_eq!(names, ["{1}{2}", "{1}", "{2}", "{12}"]);
            prop_assert_eq!(&parts.atoms[0], &expected.r);
            for (interaction, atoms) in Interaction::ALL.into_iter().zip(&parts.atoms) {
                assert_close(atoms, expected.values(interaction), 10.0 * TOLERANCE * magnitude(&terms), "atoms")?;
            }
        }
    }

    #[test]
    fn what_all_share_is_the_bottom_of_the_lattice(terms in terms(3)) {
        for measure in MEASURES {
            let parts = decompose::<3>(measure, &terms);
            prop_assert_eq!(&parts.atoms[0], &Redundancy::of_all(measure, 3).unwrap().of(&terms).unwrap());
        }
    }

    #[test]
    fn what_all_share_follows_its_formula((terms, order) in with_order(terms_of_any())) {
        let m = terms.modalities();
        let singles: Vec<Subset> = Subset::all(m).take(m).collect();
        let shared = |measure| Redundancy::of_all(measure, m).unwrap();
        let tolerance = 1000.0 * TOLERANCE * magnitude(&terms);
        let (pm, sx) = (shared(Measure::Pm).of(&terms).unwrap(), shared(Measure::Sx).of(&terms).unwrap());
        for row in 0..terms.len() {
            let h = |subset: &Subset| terms.surprisal(*subset).unwrap()[row];
            let given = |subset: &Subset| h(subset) - terms.information(*subset)[row];
            let lowest = singles.iter().map(h).fold(f64::INFINITY, f64::min);
            let expected = lowest - singles.iter().map(given).fold(f64::INFINITY, f64::min);
            prop_assert!((pm[row] - expected).abs() <= tolerance);
            prop_assert!((sx[row] - pm[row]).abs() <= (m as f64).ln() + tolerance);
        }
        for measure in MEASURES {
            let permuted = shared(measure).of(&terms.permuted(&order).unwrap()).unwrap();
            assert_close(&permuted, &shared(measure).of(&terms).unwrap(), tolerance, measure.name())?;
        }
    }

    #[test]
    fn ccs_shares_no_more_than_any_modality_pair_does(terms in terms(4)) {
        let all = Redundancy::of_all(Measure::Ccs, 4).unwrap().of(&terms).unwrap();
        for pair in Subset::all(4).filter(|subset| subset.len() == 2) {
            let singles = pair.members().map(|member| Subset::from_members([member]).unwrap());
            let node = Antichain::new(singles).unwrap();
            let of_pair = Redundancy::new(Measure::Ccs, 4, &node).unwrap().of(&terms).unwrap();
            for (all, of_pair) in all.iter().zip(of_pair) {
                prop_assert!(all.abs() <= of_pair.abs() && all * of_pair >= 0.0);
            }
        }
    }

    #[test]
    fn shapley_values_sum_to_the_information((terms, order) in with_order(terms_of_any())) {
        let m = terms.modalities();
        let shapley = Shapley::new(m).unwrap();
        let parts = shapley.of(&terms).unwrap();
        let tolerance = 100.0 * TOLERANCE * magnitude(&terms);
        let sums: Vec<f64> =
            (0..terms.len()).map(|row| parts.values.iter().map(|values| values[row]).sum()).collect();
        assert_close(&sums, terms.information(Subset::whole(m)), tolerance, "sum of the values")?;

        let permuted = shapley.of(&terms.permuted(&order).unwrap()).unwrap();
        for (place, values) in permuted.values.iter().enumerate() {
            assert_close(values, &parts.values[order[place]], tolerance, "permuted values")?;
        }
        for (pair, interactions) in permuted.pairs.iter().zip(&permuted.interactions) {
            let old = Subset::from_members(pair.members().map(|member| order[member])).unwrap();
            assert_close(interactions, parts.interaction(old).unwrap(), tolerance, "permuted interactions")?;
        }
    }

    #[test]
    fn shapley_values_are_means_over_all_orders(terms in terms(3)) {
        let parts = Shapley::new(3).unwrap().of(&terms).unwrap();
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for row in 0..terms.len() {
            let i = |members: &[usize]| match members {
                [] => 0.0,
                _ => terms.information(Subset::from_members(members.iter().copied()).unwrap())[row],
            };
            let mut sums = [0.0; 3];
            for order in orders {
                for place in 0..3 {
                    sums[order[place]] += i(&order[..=place]) - i(&order[..place]);
                }
            }
            for (values, sum) in parts.values.iter().zip(sums) {
                prop_assert!((values[row] - sum / 6.0).abs() <= 100.0 * TOLERANCE * magnitude(&terms));
            }
        }
    }

    #[test]
    fn the_interaction_of_two_is_synergy_less_redundancy(terms in terms(2)) {
        let parts = Shapley::new(2).unwrap().of(&terms).unwrap();
        let pair = terms.pair(0, 1).unwrap();
        let expected: Vec<f64> = (0..pair.len()).map(|row| pair.i12[row] - pair.i1[row] - pair.i2[row]).collect();
        assert_close(&parts.interactions[0], &expected, TOLERANCE * magnitude(&terms), "interaction")?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn four_modalities_have_a_lattice_too((terms, order) in with_order(terms(4))) {
        check_sums::<4>(&terms)?;
        check_symmetry::<4>(&terms, &order)?;
    }
}
