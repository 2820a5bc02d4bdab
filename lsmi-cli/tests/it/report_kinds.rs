//! The pages of analyses that are not of two modalities and one label: what is in them, that they say what the files say, and
//! that names in the data stay names.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::place::{Place, integers, safetensors, sequences, stderr};
use crate::report::{Number, check_numbers, numbers};

/// From 0 to 1, as good as at random.
fn spread(row: u32, factor: f64) -> f64 {
    (43_758.5 * (f64::from(row + 1) * factor).sin()).rem_euclid(1.0)
}

/// 90 samples of three modalities, the first of this name: it and the third tell the label, the second tells nothing.
fn three(name: &str, label: [&str; 2], ids: &str) -> String {
    let mut text = format!("id,{name}_0,x2_0,x3_0,y\n");
    for row in 0..90_u32 {
        let bit = row % 2;
        let [one, two, three] = [12.9898, 78.233, 39.346].map(|factor| spread(row, factor));
        let _ = writeln!(
            text,
            "\"{ids}{row}\",{},{two},{},\"{}\"",
            f64::from(bit) + 0.6 * one,
            f64::from(bit) + 0.6 * three,
            label[bit as usize]
        );
    }
    text
}

/// Two labels of 120 samples: x1 tells one, x2 the other.
fn two_labels() -> String {
    let mut text = String::from("id,x1_0,x2_0,y_0,y_1\n");
    for row in 0..120_u32 {
        let (one, two) = (row % 2, row / 2 % 2);
        let [first, second] = [12.9898, 78.233].map(|factor| 0.3 * spread(row, factor));
        let _ = writeln!(text, "s{row},{},{},{one},{two}", f64::from(one) + first, f64::from(two) + second);
    }
    text
}

/// Targets of 80 samples that x1 tells; the last columns are `targets`.
fn continuous(targets: usize, ids: &str) -> String {
    let names: Vec<String> =
        if targets == 1 { vec!["y".to_owned()] } else { (0..targets).map(|of| format!("y_{of}")).collect() };
    let mut text = format!("id,x1_0,x2_0,{}\n", names.join(","));
    for row in 0..80_u32 {
        let [x1, x2, noise] = [12.9898, 78.233, 39.346].map(|factor| spread(row, factor));
        let values: Vec<String> = (0..targets).map(|of| (x1 + of as f64 * x2 + 0.3 * noise).to_string()).collect();
        let _ = writeln!(text, "\"{ids}{row}\",{x1},{x2},{}", values.join(","));
    }
    text
}

/// Sequences of 4 steps whose label x1 tells one step before.
fn series() -> Vec<u8> {
    let of = |factor: f64| (0..240).map(|place| spread(place, factor)).collect::<Vec<_>>();
    let (x1, x2) = (of(12.9898), of(78.233));
    let y: Vec<i64> = (0..x1.len()).map(|place| i64::from(place > 0 && x1[place - 1] > 0.5)).collect();
    let mut labels = integers(&y);
    labels.reshape(&[60, 4]);
    safetensors(&BTreeMap::from([("x1", sequences(4, 1, &x1)), ("x2", sequences(4, 1, &x2)), ("y", labels)]))
}

/// What every page is held to: it needs nothing else, its numbers are those of the summary, its figures are files, and made
/// again from the files it has the same bytes. Returns the page and its numbers.
fn checked(place: &Place, directory: &str) -> (String, Vec<Number>) {
    let page = place.text(&format!("{directory}/report.html"));
    for address in ["http:", "https:", "url(", "@import", "src=\"", "srcset", "<link rel=\"stylesheet"] {
        assert!(!page.contains(address), "{directory}: {address}");
    }
    assert!(page.contains("content=\"default-src 'none';"), "{directory}");
    assert_eq!(page.matches("<script").count(), 1, "{directory}");
    assert!(!page.contains("NaN"), "{directory}");
    let of_page = numbers(&page);
    check_numbers(&of_page, &place.json(&format!("{directory}/summary.json")));
    let figures = place.names(&format!("{directory}/figures"));
    assert_eq!(page.matches("<svg").count(), figures.len(), "{directory}: {figures:?}");
    for figure in &figures {
        let text = place.text(&format!("{directory}/figures/{figure}"));
        assert!(text.starts_with("<svg xmlns=") && !text.contains("var(") && !text.contains("NaN"), "{figure}");
        assert!(text.contains("<title id=") && text.contains("<desc id="), "{figure}");
    }
    // Places of the page that are named twice could not be told apart, and links lead to some place of it.
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(ids.iter().enumerate().all(|(place, id)| !ids[..place].contains(id)), "{directory}: {ids:?}");
    for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&link), "{directory}: {link}");
    }
    place.lsmi(&format!("report {directory} --quiet")).success();
    assert_eq!(page, place.text(&format!("{directory}/report.html")), "{directory}");
    (page, of_page)
}

fn has(numbers: &[Number], fields: &[&str]) {
    for field in fields {
        assert!(numbers.iter().any(|number| number.field == *field), "{field}");
    }
}

#[test]
fn the_page_of_three_modalities() {
    let place = Place::new();
    place.write("three.csv", three("picture", ["no", "yes"], "s"));
    let words = "analyze three.csv --modalities picture,x2,x3 --folds 2 --out result";
    let shown = place.lsmi(words).success();
    assert!(stderr(&shown).trim_end().ends_with("report: result/report.html"), "{}", stderr(&shown));
    let (page, numbers) = checked(&place, "result");
    let summary = place.json("result/summary.json");
    let train = &summary["splits"]["train"];
    for atom in train["lattice"].as_object().unwrap().keys() {
        has(&numbers, &[&format!("/splits/train/lattice/{atom}")]);
    }
    has(
        &numbers,
        &[
            "/splits/train/information/i123",
            "/splits/train/redundancy",
            "/splits/train/pairs/13/raw/r",
            "/splits/train/pairs/23/intervals/adjusted/s/upper",
            "/splits/train/shapley/x3",
            "/splits/train/interaction/12",
        ],
    );
    assert!(page.contains("What <bdi>picture, x2 and x3</bdi> tell about"));
    // The lattice is read in the words of the terminal, and drawn with its 18 nodes and 30 lines.
    let reading = "nats that all modalities together tell about the label";
    assert!(stderr(&shown).contains(reading) && page.contains(reading));
    let lattice = place.text("result/figures/train-lattice.svg");
    assert_eq!(lattice.matches(" edge\"").count(), 18);
    assert_eq!(lattice.matches("<path class=\"axis\"").count(), 30);
    assert_eq!(place.names("result/figures").iter().filter(|name| name.contains("sample-")).count() % 2, 0);

    place.lsmi(&format!("{words} --force --no-report")).success();
    assert!(!place.path("result/report.html").exists() && !place.path("result/figures").exists());
    place.write("table.csv", "id,text\ns1,one\n");
    let refused = place.lsmi("report result --table table.csv").code(2);
    assert!(stderr(&refused).contains("more than two modalities"), "{}", stderr(&refused));
}

#[test]
fn the_page_of_several_labels() {
    let place = Place::new();
    place.write("labels.csv", two_labels());
    place.lsmi("analyze labels.csv --target labels --folds 2 --names picture,caption --quiet --out result").success();
    let (page, numbers) = checked(&place, "result");
    has(
        &numbers,
        &[
            "/table/0/rows",
            "/table/1/positives",
            "/table/1/information/i12",
            "/table/0/adjusted/u1",
            "/labels/y_1/splits/train/intervals/raw/u2/lower",
        ],
    );
    assert!(page.contains("tell about 2 labels") && page.contains("<code>labels/1-y-1.safetensors</code>"));
    assert!(page.contains("<table class=\"sortable\" id=\"train-labels\">"));
}

#[test]
fn the_page_of_continuous_targets() {
    let place = Place::new();
    place.write("one.csv", continuous(1, "s"));
    place.lsmi("analyze one.csv --target continuous --folds 2 --names age,place --quiet --out one").success();
    let (page, numbers) = checked(&place, "one");
    has(
        &numbers,
        &[
            "/targets/0/splits/train/raw/u1",
            "/targets/0/splits/train/intervals/information/i1/lower",
            "/targets/0/splits/train/r_squared/joint",
            "/targets/0/splits/train/pit/x2/distance",
        ],
    );
    assert!(page.contains("age") && page.contains("id=\"train-samples\""));
    let histogram = place.text("one/figures/train-pit-joint.svg");
    assert!(histogram.contains("mean dash1"), "the line of all alike is there");

    place.write("two.csv", continuous(2, "s"));
    for (options, out) in [("", "each"), ("--jointly", "jointly")] {
        place.lsmi(&format!("analyze two.csv --target continuous {options} --folds 2 --quiet --out {out}")).success();
        checked(&place, out);
    }
    assert!(place.text("each/report.html").contains("<bdi>y_1</bdi> on <bdi>train</bdi>"));
    assert!(place.text("jointly/report.html").contains("<bdi>y_0 and y_1</bdi>"));
}

#[test]
fn the_page_of_lags() {
    let place = Place::new();
    place.write("series.safetensors", series());
    let shown = place.lsmi("analyze series.safetensors --lags 0,1 --folds 2 --out result").success();
    assert!(stderr(&shown).trim_end().ends_with("report: result/report.html"), "{}", stderr(&shown));
    let (page, numbers) = checked(&place, "result");
    has(
        &numbers,
        &["/lags/0/splits/train/adjusted/r", "/lags/1/splits/train/intervals/adjusted/u1/upper", "/first_step"],
    );
    assert!(page.contains("tells most about the label 1 step before"), "{page}");
    assert!(place.path("result/lag-1/report.html").exists());
    place.lsmi("analyze series.safetensors --lags 0,1 --folds 2 --no-report --force --out result").success();
    assert!(!place.path("result/report.html").exists() && !place.path("result/figures").exists());
}

#[test]
fn hostile_names_stay_names() {
    let place = Place::new();
    let attack = "</script><script>alert(1)</script>&amp;'{{ 7*7 }}";
    place.write("three.csv", three("<b>one</b>", [attack, "<img/src=x\u{7}onerror=alert(2)>"], attack));
    place.lsmi("analyze three.csv --modalities <b>one</b>,x2,x3 --folds 2 --quiet --out three").success();
    place.write("target.csv", continuous(1, attack));
    place
        .lsmi("analyze target.csv --target continuous --folds 2 --quiet --out target --names <b>one</b>,two")
        .success();
    for directory in ["three", "target"] {
        let (page, _) = checked(&place, directory);
        for markup in ["<script>alert", "<img/src", "<b>one", "&amp;'"] {
            assert!(!page.contains(markup), "{directory}: {markup}");
        }
        assert!(!page.chars().any(|c| c.is_control() && c != '\n'), "{directory}");
        assert!(page.contains("{{ 7*7 }}") && page.contains("&lt;b&gt;one&lt;/b&gt;"), "{directory}");
        for figure in place.names(&format!("{directory}/figures")) {
            let text = place.text(&format!("{directory}/figures/{figure}"));
            assert!(!text.contains("<script") && !text.contains("<b>"), "{figure}");
        }
    }
}

#[test]
fn files_of_other_runs_are_seen() {
    let place = Place::new();
    place.write("three.csv", three("x1", ["no", "yes"], "s"));
    place.lsmi("analyze three.csv --folds 2 --quiet --no-report --out result").success();
    let samples = place.text("result/samples.csv");
    place.write("result/samples.csv", samples.lines().take(50).collect::<Vec<_>>().join("\n"));
    let refused = place.lsmi("report result").code(3);
    assert!(stderr(&refused).contains("has 49 samples, but 90 by summary.json"), "{}", stderr(&refused));
    place.write("result/samples.csv", samples.replacen("redundancy", "redundance", 1));
    let refused = place.lsmi("report result").code(3);
    assert!(stderr(&refused).contains("has no column `redundancy`"), "{}", stderr(&refused));
    place.write("result/summary.json", r#"{"modalities": ["x1", "x2", "x3"]}"#);
    let refused = place.lsmi("report result").code(3);
    assert!(stderr(&refused).contains("not as this version of `lsmi analyze` writes it"), "{}", stderr(&refused));
}

#[test]
fn partition_and_diff_say_what_they_take() {
    let place = Place::new();
    place.write("three.csv", three("x1", ["no", "yes"], "s"));
    place.lsmi("analyze three.csv --folds 2 --quiet --no-report --out several").success();
    place.write("labels.csv", two_labels());
    place.lsmi("analyze labels.csv --target labels --folds 2 --quiet --no-report --out labels").success();
    for (directory, kind, hint) in
        [("several", "more than two modalities", "--modalities"), ("labels", "several labels", "`target`")]
    {
        let words = [
            format!("diff {directory} {directory}"),
            format!("partition {directory}/samples.csv --by s --fraction 0.2 --out lists"),
        ];
        for words in words {
            let refused = place.lsmi(&words).code(3);
            let message = stderr(&refused);
            assert!(
                message.contains(&format!("an analysis of {kind}")) && message.contains(hint),
                "{words}: {message}"
            );
        }
    }
    assert!(!place.path("lists").exists());
    // Continuous targets have r, u1, u2 and s of every sample, and no classes.
    place.write("target.csv", continuous(1, "s"));
    place.lsmi("analyze target.csv --target continuous --folds 2 --quiet --no-report --out target").success();
    place.lsmi("diff target target --quiet").success();
    let partition = "partition target/samples.csv --by s --fraction 0.2 --out lists";
    let refused = place.lsmi(&format!("{partition} --balanced")).code(2);
    assert!(stderr(&refused).contains("--balanced"), "{}", stderr(&refused));
    place.lsmi(partition).success();
}
