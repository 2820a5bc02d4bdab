//! The pages in a real browser without a window: they open without a word on the console, fit three widths, sort and filter,
//! and what they show is what `summary.json` and `diff.json` say.
//!
//! Chromium is found on the path, or by `LSMI_CHROMIUM`. Without it the tests pass over, unless `LSMI_REQUIRE_BROWSER` is
//! set.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::place::{Place, column, rows};
use crate::report::{Number, check_numbers, full};

/// Widths of a phone, a tablet and a desk, in pixels.
const WIDTHS: [u32; 3] = [360, 800, 1400];

/// What the browser is asked to do with a page, and to tell of it. `TABLE` is the id of the table of samples, `KIND` a choice
/// of its filter.
const SCRIPT: &str = r#"
addEventListener("load", () => {
  const found = {};
  const root = document.documentElement;
  found.width = innerWidth;
  found.overflow = root.scrollWidth - innerWidth;
  const text = (element) => element.textContent;
  found.numbers = [...document.querySelectorAll("[data-field]")].map((element) =>
    ({ field: element.dataset.field, value: element.dataset.value, shown: text(element) }));
  const table = document.getElementById("TABLE");
  const buttons = [...table.tHead.querySelectorAll("button")];
  const button = (name) => buttons.find((button) => text(button) === name);
  const visible = () => [...table.tBodies[0].rows].filter((row) => !row.hidden);
  const values = (column) => visible().map((row) => row.cells[column].dataset.value ?? text(row.cells[column]));
  const sort = (name, column) => {
    button(name).click();
    return { order: button(name).closest("th").getAttribute("aria-sort"), values: values(column) };
  };
  found.before = values(7);
  found.falling = sort("s", 7);
  found.rising = sort("s", 7);
  found.words = sort("class", 1);
  const [search, select, output] =
    ["input", "select", "output"].map((name) => document.querySelector(`${name}[data-table=TABLE]`));
  const kinds = () => visible().map((row) => row.dataset.kind);
  select.value = "KIND";
  select.dispatchEvent(new Event("change"));
  found.chosen = kinds();
  found.told = text(output);
  search.value = "no such sample";
  search.dispatchEvent(new Event("input"));
  found.none = visible().length;
  search.value = "";
  select.value = "";
  select.dispatchEvent(new Event("change"));
  found.all = visible().length;
  search.value = visible()[0].cells[0].textContent;
  search.dispatchEvent(new Event("input"));
  found.one = visible().map((row) => row.textContent.toLowerCase().includes(search.value.toLowerCase()));
  found.unnamed = [...document.querySelectorAll("svg, img")].filter((element) =>
    !(element.getAttribute("alt") || text(element.querySelector("title") ?? element).trim())).length;
  found.focusable = buttons.every((button) => button.tabIndex === 0);
  found.headings = [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1]));
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  found.repeated = ids.filter((id, place) => ids.indexOf(id) !== place);
  found.broken = [...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href").slice(1))
    .filter((id) => !ids.includes(id));
  parent.postMessage(found, "*");
});
"#;

/// A page around another, which is as wide as it is told to be: windows are no narrower than 500 pixels. It keeps what it is
/// told.
const AROUND: &str = r#"<!DOCTYPE html><title>Around</title>
<body><iframe src="asked.html" width="WIDTH" height="900" style="border:0"></iframe>
<script>
addEventListener("message", (event) => {
  const result = document.createElement("script");
  result.type = "application/json";
  result.id = "found";
  result.textContent = JSON.stringify(event.data).replaceAll("<", "\\u003c");
  document.body.append(result);
});
</script></body></html>"#;

/// The browser; none where there is none and none is required.
fn chromium() -> Option<PathBuf> {
    let named = env::var_os("LSMI_CHROMIUM").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        let directories: Vec<PathBuf> = env::split_paths(&path).collect();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        names.iter().flat_map(|name| directories.iter().map(move |at| at.join(name))).find(|path| path.is_file())
    });
    assert!(found.is_some() || env::var_os("LSMI_REQUIRE_BROWSER").is_none(), "there is no chromium on the path");
    found
}

/// What a page has become in the browser, and what was said on the console.
struct Opened {
    page: String,
    console: Vec<String>,
}

impl Opened {
    /// Opens a page in a window of this width.
    fn new(chromium: &Path, page: &Path, width: u32) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let output = Command::new(chromium)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--window-size={width},900"))
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let page = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && page.contains("</html>"), "{said}");
        Self { page, console: said.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect() }
    }

    /// What [`SCRIPT`] found.
    fn found(&self) -> Value {
        let start = r#"<script type="application/json" id="found">"#;
        let rest = self.page.split(start).nth(1).unwrap_or_else(|| panic!("no result: {:?}", self.console));
        serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap()
    }
}

/// The page with a script that its own policy would not let run, as `asked.html`.
fn with_script(place: &Place, page: &str, script: &str) -> PathBuf {
    let page = place.text(page);
    let policy = page.lines().find(|line| line.contains("Content-Security-Policy")).unwrap().to_owned();
    let page = page.replace(&policy, "").replace("</body>", &format!("<script>{script}</script></body>"));
    place.write("asked.html", page);
    place.path("asked.html")
}

fn numbers_of(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().parse().unwrap()).collect()
}

/// A page, and the files that it is held against.
struct Asked<'a> {
    page: &'a str,
    /// What its numbers are of.
    json: &'a str,
    /// Its table of samples, and the file that has them.
    table: &'a str,
    csv: &'a str,
    /// A choice of the filter of kinds.
    kind: &'a str,
    /// Numbers of the JSON file that there are at least.
    numbers: usize,
}

#[test]
fn the_report_in_a_browser() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    full(&place);
    assert_eq!(rows(&place.text("result/samples.csv")).len(), 440);
    let [page, json, csv] = ["result/report.html", "result/summary.json", "result/samples.csv"];
    let asked = Asked { page, json, table: "train-samples", csv, kind: "synergistic", numbers: 500 };
    check_in_browser(&chromium, &place, &asked);
}

#[test]
fn the_page_of_a_diff_in_a_browser() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    place.simulate("mixed --n 240 --dims 3", "data.safetensors");
    // Another prior moves every i, so that some samples are of another kind.
    for (options, out) in [("", "first"), ("--gauge raw --prior 0.2,0.8 --seed 3", "second")] {
        let words = "--folds 2 --names picture,caption --no-report --quiet";
        place.lsmi(&format!("analyze data.safetensors {options} {words} --out {out}")).success();
    }
    place.lsmi("diff first second --out changes --quiet").success();
    let [page, json, csv] = ["changes/diff.html", "changes/diff.json", "changes/differences.csv"];
    let asked = Asked { page, json, table: "samples", csv, kind: "another", numbers: 120 };
    check_in_browser(&chromium, &place, &asked);
}

fn check_in_browser(chromium: &Path, place: &Place, asked: &Asked<'_>) {
    // As it is, under its own policy: its script has run, for it shows the controls.
    let opened = Opened::new(chromium, &place.path(asked.page), WIDTHS[1]);
    assert!(opened.console.is_empty(), "{:?}", opened.console);
    assert!(opened.page.contains(r#"<div class="controls">"#));

    with_script(place, asked.page, &SCRIPT.replace("TABLE", asked.table).replace("KIND", asked.kind));
    for width in WIDTHS {
        place.write("around.html", AROUND.replace("WIDTH", &width.to_string()));
        let opened = Opened::new(chromium, &place.path("around.html"), width + 100);
        assert!(opened.console.is_empty(), "{width}: {:?}", opened.console);
        let found = opened.found();
        assert_eq!(found["width"], width);
        check(place, asked, &found);
    }
}

fn check(place: &Place, asked: &Asked<'_>, found: &Value) {
    assert!(found["overflow"].as_i64().unwrap() <= 0, "{}: {}", found["width"], found["overflow"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let numbers: Vec<Number> = found["numbers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| Number { field: text(&of["field"]), value: text(&of["value"]), shown: text(&of["shown"]) })
        .collect();
    assert!(numbers.len() > asked.numbers, "{}", numbers.len());
    check_numbers(&numbers, &place.json(asked.json));

    // All rows of the table's share are there in every order, and their values are those of the file.
    let of_file = column(&place.text(asked.csv), "s");
    let [before, falling, rising] =
        [&found["before"], &found["falling"]["values"], &found["rising"]["values"]].map(numbers_of);
    assert!(before.len() >= 60 && before.iter().all(|value| of_file.contains(value)));
    assert!(!before.is_sorted() && falling.is_sorted_by(|a, b| a >= b) && rising.is_sorted());
    assert_eq!((&found["falling"]["order"], &found["rising"]["order"]), (&"descending".into(), &"ascending".into()));
    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    assert_eq!(sorted(before.clone()), sorted(falling));
    let words: Vec<String> = found["words"]["values"].as_array().unwrap().iter().map(text).collect();
    assert!(words.is_sorted() && words.first() != words.last());

    let chosen = found["chosen"].as_array().unwrap();
    assert!(!chosen.is_empty() && chosen.iter().all(|kind| kind == asked.kind));
    assert_eq!(found["told"], format!("{} of {} shown", chosen.len(), before.len()));
    assert_eq!((&found["none"], &found["all"]), (&0.into(), &before.len().into()));
    let one = found["one"].as_array().unwrap();
    assert!(!one.is_empty() && one.len() < before.len() && one.iter().all(|is_found| is_found == true));

    assert_eq!((&found["unnamed"], &found["focusable"]), (&0.into(), &true.into()));
    assert_eq!((&found["repeated"], &found["broken"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    let headings: Vec<i64> =
        found["headings"].as_array().unwrap().iter().map(|level| level.as_i64().unwrap()).collect();
    assert_eq!(headings.iter().filter(|level| **level == 1).count(), 1);
    assert!(headings.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{headings:?}");
}

/// The tests above would see an error, and the policy stops scripts that are not the page's own.
#[test]
fn errors_and_strange_scripts_are_seen() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    place.simulate("or --n 120 --dims 2", "data.safetensors");
    place.lsmi("analyze data.safetensors --out result --quiet").success();
    let opened =
        Opened::new(&chromium, &with_script(&place, "result/report.html", "throw new Error('seen')"), WIDTHS[1]);
    assert!(opened.console.iter().any(|line| line.contains("seen")), "{:?}", opened.console);
    let page = place.text("result/report.html");
    place.write("result/strange.html", page.replace("</body>", "<script>document.title = 'strange'</script></body>"));
    let opened = Opened::new(&chromium, &place.path("result/strange.html"), WIDTHS[1]);
    assert!(!opened.page.contains("<title>strange</title>"));
    assert!(opened.console.iter().any(|line| line.contains("Content Security Policy")), "{:?}", opened.console);
}
