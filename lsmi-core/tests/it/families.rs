//! Families against published means, against each other and against numerical densities.
//!
//! Means are over 200,000 samples of a fixed seed, so that a mean of terms of about 1 nat of deviation has a standard
//! error near 0.002; the tolerance of 0.01 leaves room for the error of the published means, which are Monte Carlo means
//! themselves, while the means that it must tell apart differ by 0.05 and more.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use lsmi_core::{
    Draw, Error, Family, FamilyName, Kind, Means, Measure, Settings, TermMeans,
    families::{Cell, Gate, Gauss, Groups, Mixed, Mixture},
    random::stream,
    statistics::{log_sum_exp, mean},
};

const SAMPLES: usize = 200_000;
const TOLERANCE: f64 = 0.01;

fn means(family: &dyn Family) -> (TermMeans, Means) {
    let draw = family.sample(SAMPLES, &mut stream(0, "families test"));
    let terms = family.terms(&draw).unwrap();
    (terms.means(), Measure::Pm.decompose(&terms, &draw.labels).means())
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() < tolerance, "{found} instead of {expected}");
}

/// The published exact means of the reference implementation's demonstration.
#[test]
fn gauss_has_its_published_means() {
    for (classes, correlation, [i, i12, r, u, s]) in [
        (2, 0.0, [0.500, 0.634, 0.571, -0.070, 0.204]),
        (2, 0.5, [0.5015, 0.564, 0.570, -0.068, 0.131]),
        (2, 0.9, [0.500, 0.511, 0.534, -0.034, 0.046]),
        (10, 0.0, [1.336, 1.925, 1.406, -0.070, 0.658]),
        (10, 0.5, [1.336, 1.594, 1.430, -0.090, 0.351]),
        (10, 0.9, [1.339, 1.385, 1.392, -0.053, 0.100]),
    ] {
        let (terms, parts) = means(&Gauss::new(classes, classes, correlation, 0.5).unwrap());
        for (found, expected) in
            [(terms.i1, i), (terms.i2, i), (terms.i12, i12), (parts.r, r), (parts.u1, u), (parts.u2, u), (parts.s, s)]
        {
            assert_near(found, expected, TOLERANCE);
        }
    }
}

/// Coordinates in which no class lies add the entropy of their noise and nothing else.
#[test]
fn gauss_has_no_information_beyond_its_classes() {
    let (terms, _) = means(&Gauss::new(3, 3, 0.5, 0.5).unwrap());
    let (wide, _) = means(&Gauss::new(3, 5, 0.5, 0.5).unwrap());
    assert_near(wide.i1, terms.i1, TOLERANCE);
    assert_near(wide.i12, terms.i12, TOLERANCE);
    let entropy = (2.0 * std::f64::consts::PI * std::f64::consts::E * 0.25).ln() / 2.0;
    assert_near(wide.h1 - terms.h1, 2.0 * entropy, TOLERANCE);
}

/// Two classes in two dimensions, with the joint Gaussian written out by its inverse covariance.
#[test]
fn gauss_has_its_joint_density() {
    let (correlation, noise) = (-0.3, 0.7);
    let family = Gauss::new(2, 3, correlation, noise).unwrap();
    let draw = family.sample(50, &mut stream(1, "families test"));
    let terms = family.terms(&draw).unwrap();
    let variance = noise * noise;
    let log_density = |row: usize, class: usize| -> f64 {
        (0..3)
            .map(|coordinate| {
                let centre = f64::from(coordinate == class);
                let (a, b) = (draw.x1[3 * row + coordinate] - centre, draw.x2[3 * row + coordinate] - centre);
                let determinant = 1.0 - correlation * correlation;
                let squares = (a * a - 2.0 * correlation * a * b + b * b) / (variance * determinant);
                -squares / 2.0 - (2.0 * std::f64::consts::PI * variance).ln() - determinant.ln() / 2.0
            })
            .sum()
    };
    for (row, &label) in draw.labels.iter().enumerate() {
        let both = [log_density(row, 0), log_density(row, 1)];
        let expected = both[label as usize] - log_sum_exp(&both) + 2.0_f64.ln();
        assert_near(terms.i12[row], expected, 1e-12);
    }
}

/// At amplitude 8 the bits are read without error, so that the means are those of the discrete gates (0.75 log(4/3) ...).
#[test]
fn clear_bits_have_the_information_of_their_gates() {
    let (ln2, ln3) = (2.0_f64.ln(), 3.0_f64.ln());
    // H(1/4) - H(1/2) / 2 and H(1/4)
    let of_one = 2.0 * ln2 - 0.75 * ln3 - ln2 / 2.0;
    let of_both = 2.0 * ln2 - 0.75 * ln3;
    for (name, [i1, i2, i12]) in [
        (FamilyName::Xor, [0.0, 0.0, ln2]),
        (FamilyName::Or, [of_one, of_one, of_both]),
        (FamilyName::And, [of_one, of_one, of_both]),
        (FamilyName::Copy1, [ln2, 0.0, ln2]),
        (FamilyName::Rdn, [ln2, ln2, ln2]),
        (FamilyName::Mixed, [0.0, ln2 / 2.0, ln2]),
        // Modality 1 tells all about two of the five groups, so does modality 2, and both together about four.
        (FamilyName::Groups, [0.4 * ln2, 0.4 * ln2, 0.8 * ln2]),
    ] {
        let family = name.build(&Settings { amplitude: 8.0, ..Settings::default() }).unwrap();
        let (terms, _) = means(family.as_ref());
        for (found, expected) in [(terms.i1, i1), (terms.i2, i2), (terms.i12, i12)] {
            assert_near(found, expected, TOLERANCE);
        }
    }
}

/// A mixture in one dimension: the surprisal against the sum of densities, and the density against 1.
#[test]
fn a_mixture_has_a_density_that_integrates_to_one() {
    let cells = vec![
        Cell { centre1: 0, centre2: 0, label: 0, probability: 0.2 },
        Cell { centre1: 1, centre2: 0, label: 1, probability: 0.5 },
        Cell { centre1: 1, centre2: 1, label: 0, probability: 0.3 },
    ];
    let mixture = Mixture::new(vec![vec![-1.0], vec![2.0]], vec![vec![0.0], vec![1.0]], 0.5, cells).unwrap();
    let step = 0.01;
    let x1: Vec<f64> = (-800..800).map(|k| f64::from(k) * step).collect();
    let n = x1.len();
    let at = |label: u32| {
        let labels = vec![label; n];
        mixture
            .terms(&Draw { x1: x1.clone(), x2: vec![0.0; n], labels, dims: (1, 1), classes: 2, groups: None })
            .unwrap()
    };
    let (zero, one) = (at(0), at(1));
    let mass: f64 = zero.h1.iter().map(|h| (-h).exp() * step).sum();
    assert_near(mass, 1.0, 1e-9);
    // Both classes are equally probable, so the posteriors exp(i) / 2 sum to 1.
    for row in 0..n {
        assert_near(zero.i1[row].exp() + one.i1[row].exp(), 2.0, 1e-12);
        assert_near(zero.i12[row].exp() + one.i12[row].exp(), 2.0, 1e-12);
    }
    // The class has mean information where it is averaged over its own density.
    let share: f64 = zero.h1.iter().zip(&zero.i1).map(|(h, i)| (-h + i).exp() * 0.5 * step).sum();
    assert_near(share, 0.5, 1e-9);
}

/// Small noise costs no digits: the exact information stays log 2 where squares of 1e12 cancel.
#[test]
fn small_noise_costs_no_digits() {
    let gauss = Gauss::new(2, 2, 0.5, 1e-6).unwrap();
    let gate = Gate { pmf: Gate::RDN, w1: vec![1.0], w2: vec![1.0], amplitude: 1e3, sigma: 1e-3 };
    let gate = gate.mixture().unwrap();
    for (family, scale) in [(&gauss as &dyn Family, 1e-6_f64), (&gate, 1e-3)] {
        let terms = family.terms(&family.sample(20_000, &mut stream(2, "families test"))).unwrap();
        let dims = family.dims().0 as f64;
        let entropy = dims * ((2.0 * std::f64::consts::PI * std::f64::consts::E).ln() / 2.0 + scale.ln());
        let ln2 = std::f64::consts::LN_2;
        assert!(terms.i1.iter().chain(&terms.i12).all(|i| (i - ln2).abs() < 1e-9));
        // The deviation of a surprisal is sqrt(dims / 2), its standard error here 0.007.
        assert_near(mean(&terms.h1), entropy + ln2, 0.03);
    }
}

#[test]
fn one_parameter_seed_is_one_distribution() {
    for name in FamilyName::ALL {
        let settings = Settings::default();
        let build = |parameter_seed| name.build(&Settings { parameter_seed, ..settings.clone() }).unwrap();
        let draw = |family: &dyn Family, seed| family.sample(5, &mut stream(seed, "draw"));
        let family = build(3);
        assert_eq!(draw(family.as_ref(), 0), draw(build(3).as_ref(), 0));
        assert_ne!(draw(family.as_ref(), 0), draw(family.as_ref(), 1));
        if name != FamilyName::Gauss {
            assert_ne!(draw(family.as_ref(), 0), draw(build(4).as_ref(), 0));
        }
        let draw = draw(family.as_ref(), 0);
        assert_eq!((draw.dims, draw.classes), (family.dims(), family.classes()));
        assert_eq!((draw.x1.len(), draw.x2.len(), draw.labels.len()), (50, 50, 5));
        assert_eq!(draw.groups.map(|groups| groups.len()), (name == FamilyName::Groups).then_some(5));
    }
}

/// Read from the coordinates alone, groups and bits make the label that the group's kind says.
#[test]
fn groups_are_of_the_kinds_of_their_numbers() {
    let axis = |k: usize| (0..6).map(|place| f64::from(u8::from(place == k))).collect::<Vec<_>>();
    let q = [0, 1, 2, 3, 4, 5].map(axis);
    // Bits and groups are 16 deviations from the middle between them, so that no sample is read wrongly.
    let draw = Groups::new(&q, &q, 16.0, 1.0).unwrap().sample(5000, &mut stream(3, "families test"));
    let groups = draw.groups.unwrap();
    let mut coins = [[0; 2]; 2];
    for (((x1, x2), label), group) in draw.x1.chunks(6).zip(draw.x2.chunks(6)).zip(draw.labels).zip(&groups) {
        for x in [x1, x2] {
            assert!((0..5).all(|other| (x[other] > 16.0) == (other == *group as usize)));
        }
        let (b1, b2) = (x1[5] > 0.0, x2[5] > 0.0);
        match Groups::KINDS[*group as usize] {
            Kind::Redundant => assert!(b1 == b2 && (label == 1) == b1),
            Kind::Unique1 => assert_eq!(label == 1, b1),
            Kind::Unique2 => assert_eq!(label == 1, b2),
            Kind::Synergistic => assert_eq!(label == 1, b1 != b2),
            _ => coins[usize::from(b1)][label as usize] += 1,
        }
    }
    // 1,000 samples a group and 250 a pair of bit and label: deviations of 28 and 15.
    for group in 0..5 {
        let size = groups.iter().filter(|of| **of == group).count();
        assert!((860..1140).contains(&size), "{size} samples of group {group}");
    }
    assert!(coins.iter().flatten().all(|count| (175..325).contains(count)), "{coins:?}");
}

#[test]
fn modalities_may_differ_in_width() {
    let gate = Gate { pmf: Gate::AND, w1: vec![1.0], w2: vec![0.0, 0.6, 0.8], amplitude: 3.0, sigma: 1.0 };
    let family = gate.mixture().unwrap();
    let draw = family.sample(100, &mut stream(0, "width"));
    assert_eq!((draw.x1.len(), draw.x2.len()), (100, 300));
    assert_eq!(family.terms(&draw).unwrap().len(), 100);
}

#[test]
fn names_are_read_as_they_are_written() {
    for name in FamilyName::ALL {
        assert_eq!(name.to_string().parse::<FamilyName>().unwrap(), name);
        assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{name}\""));
    }
    assert!(matches!("nand".parse::<FamilyName>(), Err(Error::UnknownName { kind: "family", .. })));
}

#[test]
fn settings_are_read_with_defaults_and_without_unknown_names() {
    let settings: Settings = serde_json::from_str(r#"{"dims": 4}"#).unwrap();
    assert_eq!(settings, Settings { dims: 4, ..Settings::default() });
    assert!(serde_json::from_str::<Settings>(r#"{"dimensions": 4}"#).is_err());
}

/// The parameter that an invalid setting is blamed on.
#[track_caller]
fn blamed(name: FamilyName, settings: &Settings) -> &'static str {
    match name.build(settings) {
        Err(Error::Parameter { name, .. }) => name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn invalid_dims() {
    let dims = |dims| Settings { dims, ..Settings::default() };
    assert_eq!(blamed(FamilyName::Or, &dims(0)), "dims");
    assert_eq!(blamed(FamilyName::Mixed, &dims(1)), "dims");
    assert_eq!(blamed(FamilyName::Groups, &dims(5)), "dims");
    assert_eq!(blamed(FamilyName::Gauss, &dims(9)), "dims");
}

#[test]
fn invalid_classes() {
    for classes in [0, 1] {
        assert_eq!(blamed(FamilyName::Gauss, &Settings { classes, ..Settings::default() }), "classes");
    }
}

#[test]
fn invalid_amplitude() {
    for amplitude in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let settings = Settings { amplitude, ..Settings::default() };
        assert_eq!(blamed(FamilyName::Xor, &settings), "amplitude");
        assert_eq!(blamed(FamilyName::Mixed, &settings), "amplitude");
        assert_eq!(blamed(FamilyName::Groups, &settings), "amplitude");
    }
}

#[test]
fn invalid_sigma() {
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let settings = Settings { sigma, ..Settings::default() };
        assert_eq!(blamed(FamilyName::Rdn, &settings), "sigma");
        assert_eq!(blamed(FamilyName::Mixed, &settings), "sigma");
        assert_eq!(blamed(FamilyName::Groups, &settings), "sigma");
    }
}

#[test]
fn invalid_correlation() {
    for correlation in [1.0, -1.0, f64::NAN] {
        let settings = Settings { correlation, ..Settings::default() };
        assert_eq!(blamed(FamilyName::Gauss, &settings), "correlation");
    }
}

#[test]
fn invalid_noise() {
    for noise in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(blamed(FamilyName::Gauss, &Settings { noise, ..Settings::default() }), "noise");
    }
}

fn gate(pmf: [[[f64; 2]; 2]; 2], w1: &[f64]) -> Error {
    Gate { pmf, w1: w1.to_vec(), w2: vec![1.0], amplitude: 3.0, sigma: 1.0 }.mixture().unwrap_err()
}

#[test]
fn invalid_probabilities() {
    let mut pmf = Gate::OR;
    pmf[0][0][0] = 0.5;
    assert_eq!(gate(pmf, &[1.0]), Error::ProbabilitySum { array: "the cells", found: 1.25 });
    pmf[0][0] = [-0.25, 0.5];
    assert!(matches!(gate(pmf, &[1.0]), Error::Parameter { name: "cells", .. }));
    assert_eq!(gate([[[0.0, 0.25]; 2]; 2], &[1.0]), Error::AbsentClass { class: 0 });
}

#[test]
fn invalid_directions() {
    assert!(matches!(gate(Gate::OR, &[]), Error::Parameter { name: "centres1", .. }));
    assert!(matches!(gate(Gate::OR, &[1.0, f64::NAN]), Error::Parameter { name: "centres1", .. }));
    let one = || vec![1.0];
    let mixed = Mixed { w1: one(), v1: one(), w2: one(), v2: vec![1.0, 0.0], amplitude: 3.0, sigma: 1.0 };
    assert_eq!(mixed.mixture().unwrap_err(), Error::Length { array: "v2", expected: 1, found: 2 });
    let q1 = [0.5; 6].map(|value| vec![value]);
    let mut q2 = q1.clone();
    q2[5].push(0.5);
    let error = Groups::new(&q1, &q2, 3.0, 1.0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`q2` is vectors of the lengths [1, 1, 1, 1, 1, 2]; it must be six vectors of one length"
    );
}

#[test]
fn invalid_cells() {
    let one = || vec![vec![0.0]];
    let cell = Cell { centre1: 0, centre2: 1, label: 0, probability: 1.0 };
    let error = Mixture::new(one(), one(), 1.0, vec![cell]).unwrap_err();
    assert!(matches!(error, Error::Parameter { name: "cells", .. }));
    let error = Mixture::new(vec![vec![0.0], vec![0.0, 0.0]], one(), 1.0, vec![]).unwrap_err();
    assert!(matches!(error, Error::Parameter { name: "centres1", .. }));
    let error = Mixture::new(one(), one(), 1.0, vec![]).unwrap_err();
    assert_eq!(error, Error::ProbabilitySum { array: "the cells", found: 0.0 });
}

#[test]
fn a_draw_of_another_family_is_refused() {
    let gauss = Gauss::new(2, 2, 0.5, 0.5).unwrap();
    let gate = Gate { pmf: Gate::OR, w1: vec![1.0], w2: vec![1.0], amplitude: 3.0, sigma: 1.0 };
    let gate = gate.mixture().unwrap();
    for family in [&gauss as &dyn Family, &gate] {
        let draw = family.sample(3, &mut stream(0, "refused"));
        let mut short = draw.clone();
        short.x2.pop();
        let expected = draw.x2.len();
        let error = family.terms(&short).unwrap_err();
        assert_eq!(error, Error::Length { array: "x2", expected, found: expected - 1 });
        let mut unknown = draw.clone();
        unknown.labels[1] = 2;
        assert_eq!(family.terms(&unknown).unwrap_err(), Error::Label { row: 1, found: 2, classes: 2 });
        let mut infinite = draw;
        infinite.x1[0] = f64::NAN;
        assert!(matches!(family.terms(&infinite), Err(Error::NotFinite { term: "h1", row: 0, .. })));
    }
}
