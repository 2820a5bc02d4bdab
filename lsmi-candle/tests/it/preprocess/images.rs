//! The pixels of four encoders' own programs.

use lsmi_candle::embedding::preprocess::image::{Filter, Image, Resize, Settings};
use safetensors::SafeTensors;

use super::{fixture, floats, largest_difference, text};

const ENCODERS: [&str; 4] = ["clip", "siglip", "dinov2", "vit"];
const PICTURES: [&str; 2] = ["elephant", "gradient"];

fn image(name: &str) -> Image {
    Image::decode(name, &fixture(&format!("{name}.png"))).unwrap()
}

/// The settings of an encoder, for its own size of 224 or for 32.
fn settings(encoder: &str, size: usize) -> Settings {
    let mut settings = Settings::from_config(&text(&format!("{encoder}.json"))).unwrap();
    assert_eq!(settings.size, 224);
    settings.resize_to = match (size, settings.resize_to) {
        (32, 256) => 36,
        (32, _) => 32,
        (_, same) => same,
    };
    settings.size = size;
    settings
}

#[test]
fn images_are_decoded_to_the_level() {
    let file = fixture("images.safetensors");
    let images = SafeTensors::deserialize(&file).unwrap();
    for name in PICTURES {
        let expected = images.tensor(name).unwrap();
        let image = image(name);
        assert_eq!([image.height(), image.width(), 3], expected.shape());
        assert!(image.levels() == expected.data(), "{name}");
    }
}

#[test]
fn levels_are_those_of_pillow() {
    let file = fixture("levels.safetensors");
    let goldens = SafeTensors::deserialize(&file).unwrap();
    assert_eq!(goldens.len(), 16);
    for encoder in ENCODERS {
        for name in PICTURES {
            for size in [224, 32] {
                let golden = goldens.tensor(&format!("{encoder}.{name}_{size}")).unwrap();
                let levels = settings(encoder, size).levels(&image(name)).unwrap();
                assert_eq!(levels.len(), golden.data().len());
                let differing = levels.iter().zip(golden.data()).filter(|(a, b)| a != b).count();
                assert_eq!(differing, 0, "{encoder} {name} {size}");
            }
        }
    }
}

#[test]
fn pixel_values_are_those_of_the_processors() {
    let file = fixture("pixel_values.safetensors");
    let goldens = SafeTensors::deserialize(&file).unwrap();
    for encoder in ENCODERS {
        for name in PICTURES {
            let golden = goldens.tensor(&format!("{encoder}.{name}_32")).unwrap();
            let values = settings(encoder, 32).prepare(&image(name)).unwrap().values;
            let difference = largest_difference(&values, &floats(golden.data()));
            // The processors compute in single precision: three roundings of values up to 3.
            assert!(difference < 4e-7, "{encoder} {name}: {difference}");
        }
    }
}

#[test]
fn both_spellings_of_a_configuration_mean_the_same() {
    for encoder in ["clip", "vit"] {
        let old = Settings::from_config(&text(&format!("{encoder}_v4.json"))).unwrap();
        assert_eq!(old, Settings::from_config(&text(&format!("{encoder}.json"))).unwrap());
    }
    let clip = settings("clip", 224);
    assert_eq!((clip.resize, clip.filter), (Resize::ShortestEdge, Filter::Bicubic));
    let vit = settings("vit", 224);
    assert_eq!((vit.resize, vit.filter), (Resize::Exact, Filter::Bilinear));
}

#[test]
fn a_manifest_means_what_its_configuration_means() {
    let table = r#"{"resize": "shortest_edge", "resize_to": 256, "filter": "bicubic", "size": 224,
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}"#;
    let manifest: Settings = serde_json::from_str(table).unwrap();
    let configuration = settings("dinov2", 224);
    assert_eq!((manifest.resize, manifest.resize_to), (configuration.resize, configuration.resize_to));
    let gradient = image("gradient");
    let [left, right] = [manifest, configuration].map(|settings| settings.prepare(&gradient).unwrap().values);
    assert!(largest_difference(&left, &right) < 1e-6);
}

#[test]
fn a_strip_is_cut_without_being_made_whole() {
    // Resized whole, the longer side would have 6.7 million pixels.
    let strip = Image::new(60_000, 2, vec![9; 360_000]).unwrap();
    let levels = settings("clip", 224).levels(&strip).unwrap();
    assert!(levels.len() == 3 * 224 * 224 && levels.iter().all(|&level| level == 9));
}
