//! Options from a file.

use serde_json::Value;

use crate::place::{Place, stderr, stdout};

#[test]
fn options_of_the_file_hold_unless_the_command_line_has_them() {
    let place = Place::new();
    place.simulate("copy1 --n 80 --dims 2", "data.safetensors");
    place.write(
        "lsmi.toml",
        "seed = 5\ngauge = 'standardized'\nprior = 'uniform'\nfolds = 3\nquiet = true\njson = true\nout = 'e.safetensors'\n",
    );
    let fit = place.lsmi("fit data.safetensors --config lsmi.toml --gauge raw").success();
    assert_eq!(stderr(&fit), "");
    let summary: Value = serde_json::from_str(&stdout(&fit)).unwrap();
    assert_eq!((&summary["seed"], &summary["gauge"], &summary["prior"]), (&5.into(), &"raw".into(), &"uniform".into()));
    assert!(place.path("e.safetensors").exists());
}

#[test]
fn mistakes_in_the_file_are_wrong_usage() {
    let place = Place::new();
    for (content, expected) in [
        ("gague = 'raw'", "lsmi.toml: there is no option `gague`"),
        ("gauge = 'metric'", "options were also taken from lsmi.toml"),
        ("gauge = true", "`gauge` is boolean, but must be a string"),
        ("gauge = ", "not valid TOML"),
    ] {
        place.write("lsmi.toml", content);
        let refused = place.lsmi("analyze data.safetensors --out result --config lsmi.toml").code(2);
        assert!(stderr(&refused).contains(expected), "{}", stderr(&refused));
    }
    assert_eq!(place.names("."), ["lsmi.toml"]);
}
