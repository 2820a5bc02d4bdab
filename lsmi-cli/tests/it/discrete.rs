//! `lsmi discrete`: exact decompositions of files of probabilities, counts and samples.

use serde_json::Value;

use crate::place::{Place, stderr, stdout};

const AND: &str = r#"{"pmf": {"000": 0.25, "010": 0.25, "100": 0.25, "111": 0.25}}"#;
const MEASURES: [&str; 6] = ["pm", "min", "sx", "mmi", "ccs", "broja"];

/// What `lsmi discrete` prints as JSON for a file of this content.
fn json(name: &str, content: &str, options: &str) -> Value {
    let place = Place::new();
    place.write(name, content);
    let shown = place.lsmi(&format!("discrete {name} --json --quiet {options}")).success();
    assert_eq!(stderr(&shown), "");
    assert_eq!(place.names("."), [name]);
    serde_json::from_str(&stdout(&shown)).unwrap()
}

fn close(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
}

/// What `lsmi discrete` says to a file that it cannot use.
fn refusal(name: &str, content: &str) -> String {
    let place = Place::new();
    place.write(name, content);
    let refused = place.lsmi(&format!("discrete {name} --json")).code(3);
    assert_eq!(stdout(&refused), "");
    assert!(stderr(&refused).contains(name), "{}", stderr(&refused));
    stderr(&refused)
}

#[test]
fn probabilities_in_nats_and_bits() {
    let (nats, bits) = (json("and.json", AND, ""), json("and.json", AND, "--bits"));
    assert_eq!((&nats["units"], &bits["units"]), (&"nats".into(), &"bits".into()));
    let names: Vec<&String> = nats["measures"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), MEASURES.len());
    for (measure, expected) in [
        ("pm", [0.561_278, -0.25, -0.25, 0.75]),
        ("min", [0.311_278, 0.0, 0.0, 0.5]),
        ("sx", [0.122_556, 0.188_722, 0.188_722, 0.311_278]),
        ("mmi", [0.311_278, 0.0, 0.0, 0.5]),
        ("ccs", [0.103_759, 0.207_519, 0.207_519, 0.292_481]),
        ("broja", [0.311_278, 0.0, 0.0, 0.5]),
    ] {
        for (component, expected) in ["r", "u1", "u2", "s"].into_iter().zip(expected) {
            close(&bits["measures"][measure][component], expected);
            close(&nats["measures"][measure][component], expected * std::f64::consts::LN_2);
        }
    }
    for (name, expected) in [("i1", 0.311_278), ("i2", 0.311_278), ("i12", 0.811_278)] {
        close(&bits["information"][name], expected);
    }
    for measure in ["ccs", "broja"] {
        assert_eq!(nats["measures"][measure]["status"], "converged");
    }
    assert!(nats["measures"]["broja"]["gap"].as_f64().unwrap() < 1e-7);
    assert!(nats.get("samples").is_none() && nats.get("bias").is_none());
}

#[test]
fn all_forms_of_one_distribution_agree() {
    let expected = json("and.json", AND, "");
    let list =
        r#"{"pmf": [["no", 0, "no", 0.25], ["no", 1, "no", 0.25], ["yes", 0, "no", 0.25], ["yes", 1, "yes", 0.25]]}"#;
    let counts = r#"{"counts": {"000": 3, "010": 3, "100": 3, "111": 3, "101": 0}}"#;
    let listed = r#"{"counts": [["a", "b", "c", 5], ["a", "B", "c", 5], ["A", "b", "c", 5], ["A", "B", "C", 5]]}"#;
    let csv = "id,y,x2,x1\n7,no,b,a\n8,no,B,a\n9,no,b,A\n10,yes,B,A\n";
    for (name, content) in [("a.json", list), ("b.json", counts), ("c.json", listed), ("d.csv", csv)] {
        let found = json(name, content, "");
        for measure in MEASURES {
            for component in ["r", "u1", "u2", "s"] {
                close(
                    &found["measures"][measure][component],
                    expected["measures"][measure][component].as_f64().unwrap(),
                );
            }
        }
    }
    assert_eq!(json("b.json", counts, "")["samples"], 12);
    assert_eq!(json("d.csv", csv, "")["bias"], "plug-in");
}

#[test]
fn outcomes_one_by_one() {
    let found = json("and.json", AND, "--pointwise --bits --measures sx,ccs");
    assert_eq!(found["measures"].as_object().unwrap().len(), 2);
    let outcomes = found["measures"]["sx"]["pointwise"].as_array().unwrap();
    assert_eq!(outcomes.len(), 4);
    assert_eq!(outcomes[1]["outcome"], serde_json::json!(["0", "1", "0"]));
    for (name, expected) in
        [("probability", 0.25), ("r", -0.169_925), ("u1", 0.584_963), ("u2", -0.415_037), ("s", 0.415_037)]
    {
        close(&outcomes[1][name], expected);
    }
    assert_eq!(found["measures"]["ccs"]["pointwise"].as_array().unwrap().len(), 4);
}

#[test]
fn three_and_four_sources_on_the_lattice() {
    let sum = r#"{"pmf": {"0000": 0.125, "0011": 0.125, "0101": 0.125, "0112": 0.125,
                          "1001": 0.125, "1012": 0.125, "1102": 0.125, "1113": 0.125}}"#;
    let found = json("sum.json", sum, "--bits");
    assert!(found.get("measures").is_none());
    assert_eq!(found["information"].as_object().unwrap().len(), 7);
    close(&found["information"]["i123"], 1.811_278);
    let atoms = found["lattice"]["min"]["atoms"].as_array().unwrap();
    assert_eq!(atoms.len(), 18);
    assert_eq!((&atoms[0]["antichain"], &atoms[17]["antichain"]), (&"{1}{2}{3}".into(), &"{123}".into()));
    close(&atoms[0]["atom"], 0.311_278);
    close(&atoms[17]["atom"], 1.0);
    let pm = &found["lattice"]["pm"]["atoms"][0];
    close(&pm["atom"], pm["informative"].as_f64().unwrap() - pm["misinformative"].as_f64().unwrap());

    let csv = "x1,x2,x3,x4,y\n0,0,0,0,0\n1,0,0,0,1\n0,1,0,1,1\n1,1,1,0,0\n";
    let found = json("four.csv", csv, "--measures sx --pointwise --bias miller-madow");
    assert_eq!(found["lattice"]["sx"]["atoms"].as_array().unwrap().len(), 166);
    let outcome = &found["lattice"]["sx"]["pointwise"][0];
    assert_eq!(outcome["informative"].as_array().unwrap().len(), 166);
    assert_eq!(outcome["outcome"].as_array().unwrap().len(), 5);

    // Of two sources, the lattice is r, u1, u2 and s.
    let found = json("and.json", AND, "--lattice");
    for measure in ["pm", "min", "sx"] {
        let atoms = found["lattice"][measure]["atoms"].as_array().unwrap();
        for (atom, component) in atoms.iter().zip(["r", "u1", "u2", "s"]) {
            close(&atom["atom"], found["measures"][measure][component].as_f64().unwrap());
        }
    }
}

#[test]
fn corrections_and_intervals_of_samples() {
    let counts = r#"{"counts": {"000": 30, "010": 24, "100": 27, "111": 19}}"#;
    let (plain, corrected) = (json("a.json", counts, ""), json("a.json", counts, "--bias miller-madow"));
    // Of x1 and y three pairs occur, of (x1, x2) and y four.
    close(&corrected["information"]["i1"], plain["information"]["i1"].as_f64().unwrap());
    close(&corrected["information"]["i12"], plain["information"]["i12"].as_f64().unwrap() + 1.0 / 200.0);
    let shrunken = json("a.json", counts, "--bias shrinkage");
    assert!(shrunken["intensity"].as_f64().unwrap() > 0.0);
    assert!(shrunken["information"]["i12"].as_f64() < plain["information"]["i12"].as_f64());

    let of = |seed: &str| json("a.json", counts, &format!("--bootstrap 100 --measures mmi,ccs --seed {seed}"));
    let found = of("1");
    assert_eq!(found["intervals"], of("1")["intervals"]);
    assert_ne!(found["intervals"], of("2")["intervals"]);
    assert_eq!(
        (found["intervals"]["resamples"].as_u64(), found["intervals"]["level"].as_f64()),
        (Some(100), Some(0.95))
    );
    let interval = &found["intervals"]["measures"]["ccs"]["s"];
    close(&interval["mean"], found["measures"]["ccs"]["s"].as_f64().unwrap());
    assert!(interval["lower"].as_f64() < interval["upper"].as_f64());
}

#[test]
fn tables_for_people() {
    let place = Place::new();
    place.write("and.json", AND);
    let shown = place.lsmi("discrete and.json --bits --lattice --pointwise --measures pm,ccs").success();
    assert_eq!(stdout(&shown), "");
    insta::assert_snapshot!("discrete_and", stderr(&shown));
    let quiet = place.lsmi("discrete and.json --quiet").success();
    assert_eq!((stdout(&quiet), stderr(&quiet)), (String::new(), String::new()));
}

#[test]
fn bad_probabilities_and_counts() {
    for (content, expected) in [
        (r#"{"pmf": {"000": 0.5, "111": 0.5, "000": 0.5}}"#, "the outcome (x1=0, x2=0, y=0) is given twice"),
        (r#"{"pmf": {"000": 0.5, "111": 0.4}}"#, "sum to 0.9 and not to 1"),
        (r#"{"pmf": {"000": 1.5, "111": -0.5}}"#, "the probability of (x1=1, x2=1, y=1) is -0.5"),
        (r#"{"pmf": {"000": 1e999, "111": 0.5}}"#, "the outcome `000`: number out of range"),
        (r#"{"pmf": {"000": "half", "111": 0.5}}"#, "the outcome `000`: invalid type: string \"half\""),
        (r#"{"pmf": {"000": NaN, "111": 0.5}}"#, "the outcome `000`: expected"),
        (r#"{"pmf": {"000": 0.5, "110": 0.5}}"#, "y has only one state, `0`"),
        (r#"{"pmf": {}}"#, "sum to 0 and not to 1"),
        (r#"{"pmf": {"00": 1}}"#, "(0, 0) has 2 states"),
        (r#"{"pmf": {"000": 0.5, "1111": 0.5}}"#, "(1, 1, 1, 1) has 4 states, but those before have 3"),
        (r#"{"pmf": {"0000000": 1}}"#, "has 7 states"),
        (
            r#"{"pmf": [["a", "b", "c", 0.5], ["a", null, "d", 0.5]]}"#,
            "line 1 of the list (from 0): `null` is no state",
        ),
        (
            r#"{"pmf": [["a", "b", "c", 0.5], ["a", "b", "d", 1e999]]}"#,
            "line 1 of the list (from 0): number out of range",
        ),
        (r#"{"pmf": [[]]}"#, "line 0 of the list (from 0)"),
        (r#"{"pmf": {"000": 1}, "counts": {"000": 1}}"#, "`counts` besides"),
        (r#"{"probabilities": {"000": 1}}"#, "found `probabilities`; give `pmf` or `counts`"),
        ("[1, 2]", "an object with `pmf` or `counts`"),
        (r#"{"pmf": {"000": 0.5"#, "EOF while parsing"),
        (r#"{"pmf": {"000": 0.5, "111": 0.5}} more"#, "trailing characters"),
        ("", "EOF while parsing"),
        (r#"{"counts": {"000": 1.5, "111": 1}}"#, "the outcome `000`: invalid type: floating point `1.5`"),
        (r#"{"counts": {"000": -1, "111": 1}}"#, "the outcome `000`: invalid value: integer `-1`"),
        (r#"{"counts": {"000": 0, "111": 0}}"#, "all counts are 0"),
        (r#"{"counts": {"000": 18446744073709551615, "111": 1}}"#, "more than 2^64 - 1"),
        (r#"{"counts": [["a", "b", "c", 1], ["a", "b", "c", 1]]}"#, "(x1=a, x2=b, y=c) is given twice"),
    ] {
        let message = refusal("bad.json", content);
        assert!(message.contains(expected), "{content}: {message}");
    }
}

#[test]
fn bad_samples() {
    for (content, expected) in [
        ("x1,x2\n0,0\n", "no column `y`"),
        ("x1,x2,x4,y\n0,0,0,0\n", "no column `x3`"),
        ("x1,x2,x1,y\n0,0,0,0\n", "two columns `x1`"),
        ("x1,x2,y\n0,0,0\n0,,1\n", "`x2` is empty at row 1"),
        ("x1,x2,y\n0,0,0\n0,1\n", "row 1 is not a row of csv"),
        ("x1,x2,y\n0,0,0\n1,1,0\n", "y has only one state, `0`"),
        ("x1,x2,y\n", "there are none; give at least two samples"),
        ("", "it is empty; its first line must name the columns"),
    ] {
        let message = refusal("bad.csv", content);
        assert!(message.contains(expected), "{content}: {message}");
    }
    assert!(refusal("bad.txt", "").contains("`txt` is not the extension of a joint distribution"));
    let missing = Place::new().lsmi("discrete nowhere.csv").code(3);
    assert!(stderr(&missing).contains("nowhere.csv: no such file"));
    let place = Place::new();
    place.write("bad.csv", b"x1,x2,y\n0,\xff,0\n");
    let refused = place.lsmi("discrete bad.csv").code(3);
    assert!(stderr(&refused).contains("`x2` is not UTF-8 at row 0"), "{}", stderr(&refused));
}

#[test]
fn wrong_usage() {
    let place = Place::new();
    place.write("and.json", AND);
    place.write("three.csv", "x1,x2,x3,y\n0,0,0,0\n1,1,1,1\n");
    for (words, expected) in [
        ("discrete", "<FILE>"),
        ("discrete and.json --measures pm,max", "pm, min, sx, mmi, ccs, broja"),
        ("discrete and.json --measures pm,pm", "`pm` is there twice"),
        ("discrete and.json --bias jackknife", "plug-in, miller-madow, shrinkage"),
        ("discrete and.json --bias shrinkage", "--bias is about samples, but and.json gives probabilities"),
        ("discrete and.json --bootstrap 100", "--bootstrap is about samples"),
        ("discrete three.csv --bootstrap 1", "--bootstrap"),
        ("discrete three.csv --bootstrap 100", "--bootstrap is for two sources, but there are 3"),
        ("discrete three.csv --measures ccs", "`ccs` is for two sources, but there are 3"),
    ] {
        let refused = place.lsmi(words).code(2);
        assert!(stderr(&refused).contains(expected), "{words}: {}", stderr(&refused));
        assert_eq!(stdout(&refused), "", "{words}");
    }
}

/// Many samples and states: nothing is dense that need not be.
#[test]
fn many_samples_in_any_order() {
    let row = |k: usize| format!("{},{},{}\n", k % 7, k / 7 % 5, (k % 7 + k / 7 % 5) % 3);
    let forth: String = (0..20_000).map(row).collect();
    let back: String = (0..20_000).rev().map(row).collect();
    let of = |rows: &str| json("samples.csv", &format!("x1,x2,y\n{rows}"), "--pointwise");
    assert_eq!(of(&forth), of(&back));
}
