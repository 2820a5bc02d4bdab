//! Files as people have them, as the commands take them; they stand beside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use crate::embed::{MODELS, prepare};
use crate::place::{Place, stderr, stdout};

/// The directory of the files, under `$LSMI_SHARED` or beside the repository, where it is there; a failure where it is not and
/// `LSMI_REQUIRE_FIELD` is set.
fn field() -> Option<PathBuf> {
    let shared = std::env::var_os("LSMI_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
    let folder = Some(shared.join("field")).filter(|folder| folder.is_dir());
    assert!(folder.is_some() || std::env::var_os("LSMI_REQUIRE_FIELD").is_none(), "{} is not there", shared.display());
    folder
}

/// A place with these files in it.
fn with(names: &[&str]) -> Option<Place> {
    let (field, place) = (field()?, Place::new());
    for name in names {
        fs::copy(field.join(name), place.path(Path::new(name).file_name()?.to_str()?)).unwrap();
    }
    Some(place)
}

#[test]
fn missing_labels_are_refused_dropped_or_kept() {
    let Some(place) = with(&["tables/str_with_NaN.csv", "tables/int_with_nan.csv"]) else { return };
    let refused = stderr(&place.lsmi("analyze str_with_NaN.csv --out r").code(3));
    assert!(refused.contains("str_with_NaN.csv: `y` is missing at row 0 (`NaN`)"), "{refused}");
    assert!(refused.contains("--missing drop") && refused.contains("--missing keep"), "{refused}");
    let dropped = place.lsmi("analyze str_with_NaN.csv --missing drop --folds 2 --no-report --out r").success();
    assert!(
        stderr(&dropped).contains("WARNING: ")
            && stderr(&dropped).contains("of 240 without a label in `y` were left out")
    );
    let summary = place.json("r/summary.json");
    assert_eq!(summary["classes"], serde_json::json!(["anger", "café", "joy"]));
    assert!(summary["warnings"][0].as_str().unwrap().contains("without a label"), "{summary}");
    let samples = place.text("r/samples.csv").lines().count() - 1;
    assert_eq!(summary["splits"]["train"]["n"], samples);
    place.lsmi("fit int_with_nan.csv --missing drop --folds 2 --out e.safetensors").success();
    let scored = place.lsmi("score int_with_nan.csv --missing drop --estimator e.safetensors --out s.csv").success();
    assert!(stderr(&scored).contains("without a label"), "{}", stderr(&scored));
    let refused =
        place.lsmi("score int_with_nan.csv --rows-of-a-group 16 --missing drop --estimator e.safetensors --out t.csv");
    assert!(stderr(&refused.code(3)).contains("`y` is missing at row 0"));
}

#[test]
fn logits_in_another_order_are_recognised() {
    let Some(place) = with(&["arrays/logits_permuted.npz"]) else { return };
    let told = stderr(&place.lsmi("analyze logits_permuted.npz --folds 2 --no-report --out r").success());
    for name in ["logits1", "logits2", "logits12"] {
        assert!(told.contains(&format!("`train`: {name} is right about")), "{told}");
    }
    assert!(told.contains("columns in the order of the classes (0, 1, 2)? As columns of"), "{told}");
    assert!(!told.contains("few samples or noise"), "{told}");
}

#[test]
fn discrete_tables_are_read_as_others_are() {
    let names =
        ["blanks.csv", "semi.csv", "nan.csv", "continuous.csv", "dash.json"].map(|name| format!("discrete/{name}"));
    let Some(place) = with(&names.each_ref().map(String::as_str)) else { return };
    let [blanks, semi] = ["blanks.csv", "semi.csv"]
        .map(|name| stdout(&place.lsmi(&format!("discrete {name} --json --quiet")).success()));
    assert_eq!(blanks, semi);
    let refused = stderr(&place.lsmi("discrete nan.csv").code(3));
    assert!(refused.contains("`x1` is missing (`NaN`) at row 0") && refused.contains("--missing drop"), "{refused}");
    let dropped = stderr(&place.lsmi("discrete nan.csv --missing drop").success());
    assert!(dropped.contains("rows with a missing state were left out"), "{dropped}");
    place.lsmi("discrete nan.csv --missing keep").success();
    let told = stderr(&place.lsmi("discrete continuous.csv").success());
    assert!(
        told.contains("nearly every value is different in x1 (") && told.contains("x2 (") && told.contains("qcut"),
        "{told}"
    );
    let refused = stderr(&place.lsmi("discrete dash.json").code(3));
    assert!(refused.contains("'-' seems to separate states") && refused.contains("\"000\""), "{refused}");
    assert!(refused.contains(r#"[["0", "0", "0", 0.5]]"#), "{refused}");
}

#[test]
fn states_are_missing_in_any_table() {
    let place = Place::new();
    let rows = "0{s}0{s}a\n1{s}1{s}b\n0{s}1{s}NA\n1{s}0{s}a\n";
    for separator in [",", ";", "\t", "|", " , "] {
        place.write("s.csv", format!("x1{separator}x2{separator}y\n{}", rows.replace("{s}", separator)));
        let refused = stderr(&place.lsmi("discrete s.csv").code(3));
        assert!(refused.contains("`y` is missing (`NA`) at row 2"), "{refused}");
        let dropped = place.lsmi("discrete s.csv --missing drop --json --quiet").success();
        assert!(stdout(&dropped).contains("1 row with a missing state was left out"), "{}", stdout(&dropped));
        let kept = stdout(&place.lsmi("discrete s.csv --missing keep --json --quiet").success());
        assert!(kept.contains("\"samples\": 4"), "{kept}");
    }
    place.write("empty.csv", "x1,x2,y\n0,,a\n1,1,b\n");
    for missing in ["refuse", "keep"] {
        let refused = stderr(&place.lsmi(&format!("discrete empty.csv --missing {missing}")).code(3));
        assert!(refused.contains("`x2` is empty at row 0"), "{refused}");
    }
    place.write("case.csv", "x1,x2,y\nyes,0,a\nYes,1,b\nno,1,b\n");
    let told = stderr(&place.lsmi("discrete case.csv").success());
    assert!(told.contains("states of x1 differ only by upper and lower case: `Yes` and `yes`"), "{told}");
    place.write("upper.csv", "X1,X2,Y\n0,0,a\n");
    assert!(stderr(&place.lsmi("discrete upper.csv").code(3)).contains("no column `y`; name the columns"));
    for (content, part) in [
        (r#"{"pmf": {"a,b,c": 0.5, "b,b,d": 0.5}}"#, "',' seems to separate states"),
        (r#"{"counts": {"10_1_a": 5, "11_0_b": 5}}"#, "'_' seems to separate states"),
        (r#"{"pmf": {"a b c": 0.5, "b b d": 0.5}}"#, "' ' seems to separate states"),
        (r#"{"pmf": [["NaN", "a", "b", 0.5], ["c", "a", "b", 0.5]]}"#, "a state of the outcome (NaN, a, b) is missing"),
        (r#"{"pmf": [["", "a", "b", 0.5], ["c", "a", "b", 0.5]]}"#, "a state of the outcome (, a, b) is empty"),
    ] {
        place.write("joint.json", content);
        let refused = stderr(&place.lsmi("discrete joint.json").code(3));
        assert!(refused.contains(part), "{refused}");
    }
    for content in [r#"{"pmf": {"000": 0.5, "0-1": 0.5}}"#, r#"{"pmf": {"+-+": 0.5, "---": 0.5}}"#] {
        place.write("joint.json", content);
        place.lsmi("discrete joint.json").success();
    }
}

#[test]
fn pictures_in_tables_and_films_behind_pictures() {
    let names = ["a.png", "hf_images.parquet", "missing.jsonl", "semi.csv", "motion.jpg", "motion.ref.png"];
    let Some(place) = with(&names.map(|name| Box::leak(format!("media/{name}").into_boxed_str()) as &str)) else {
        return;
    };
    prepare(&place);
    let read = |name: &str| {
        lsmi_candle::features::read_unlabelled(
            &place.path(name),
            &lsmi_candle::features::Keys::default(),
            &lsmi_candle::features::Classes::new(vec!["0".to_owned(), "1".to_owned()]).unwrap(),
        )
        .unwrap()
        .splits[0]
            .features
            .clone()
    };
    place.lsmi(&format!("embed hf_images.parquet {MODELS} --out hf.safetensors")).success();
    place.write("files.csv", "image,text,label\na.png,one,0\na.png,two,1\na.png,three,0\n");
    place.lsmi(&format!("embed files.csv {MODELS} --out files.safetensors")).success();
    assert_eq!(read("hf.safetensors"), read("files.safetensors"));

    place.lsmi(&format!("embed semi.csv {MODELS} --out semi.safetensors")).success();
    assert_eq!(read("semi.safetensors").rows(), 2);

    let refused = stderr(&place.lsmi(&format!("embed missing.jsonl {MODELS} --out m.safetensors")).code(3));
    assert!(refused.contains("row 2 (id `1`): `text` is empty") && refused.contains("--missing drop"), "{refused}");
    let dropped =
        place.lsmi(&format!("embed missing.jsonl {MODELS} --missing drop --out m.safetensors --json")).success();
    assert!(stderr(&dropped).contains("3 rows were left out"), "{}", stderr(&dropped));
    assert!(stdout(&dropped).contains("\"missing\": 3"), "{}", stdout(&dropped));

    place.write("motion.csv", "image,text\nmotion.jpg,a\nmotion.ref.png,a\n");
    place.lsmi(&format!("embed motion.csv {MODELS} --out motion.safetensors")).success();
    let motion = read("motion.safetensors");
    let difference = motion.x1.row(0).iter().zip(motion.x1.row(1)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(difference < 0.02, "{difference}");
}

#[test]
fn coin_flips_of_rows_that_belong_together_tell_nothing() {
    for (file, groups, options) in
        [("repeated_rows", 60, ""), ("four_captions", 80, ""), ("four_captions", 80, "--groups picture ")]
    {
        let Some(place) = with(&[&format!("groups/{file}.npz")]) else { return };
        place.lsmi_as_is(&format!("analyze {file}.npz {options}--out result --quiet --no-report")).success();
        let summary = place.json("result/summary.json");
        let train = &summary["splits"]["train"];
        assert_eq!(train["groups"]["count"].as_u64(), Some(groups), "{file}");
        for of in ["i1", "i2", "i12"] {
            let found = train["information"][of].as_f64().unwrap();
            assert!(found.abs() <= 0.05, "{file} {options}: {of} {found}");
        }
        let told = summary["warnings"].to_string();
        assert_eq!(told.contains("rows equal another row"), options.is_empty(), "{told}");
    }
}
