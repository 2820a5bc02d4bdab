//! Video encoders against the outputs of the library that their checkpoints come from.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failure is a failed test")]

use crate::golden::{Fixture, difference};
use candle_core::{DType, Device, Tensor};
use lsmi_candle::embedding::embedder::{Embedder, Options, Prepared};
use lsmi_candle::embedding::encoders::{
    Config, EncoderError, Modality, Pooling, VideoEncoder, audio, image, l2_normalise, video,
};
use lsmi_candle::embedding::manifests::{Asked, of_directory};

const TOLERANCE: f64 = 1e-5;
const TINY: [&str; 4] = ["videomae/trained", "videomae/tuned", "videomae/bare", "videomae/unbiased"];

fn load(fixture: &Fixture, dtype: DType) -> Box<dyn VideoEncoder> {
    video::load(&fixture.config("config.json"), &fixture.weights(dtype)).unwrap()
}

fn clips(fixture: &Fixture) -> Tensor {
    fixture.get("pixel_values").to_dtype(DType::F32).unwrap()
}

#[test]
fn videomae() {
    for name in TINY {
        let fixture = Fixture::tiny(name);
        let model = load(&fixture, DType::F32);
        let clips = clips(&fixture);
        assert_eq!(model.frames(), clips.dim(1).unwrap());
        let hidden = model.encode(&clips).unwrap();
        fixture.assert_close(&hidden.states, "last_hidden_state", TOLERANCE);
        fixture.assert_close(&hidden.pool(Pooling::Mean).unwrap(), "mean", TOLERANCE);
        let vectors = hidden.pool(model.pooling()).unwrap();
        assert_eq!(model.width(model.pooling()).unwrap(), vectors.dim(1).unwrap());
        if name == "videomae/tuned" {
            assert_eq!(model.pooling(), Pooling::Pooler);
            fixture.assert_close(&vectors, "fc_norm", TOLERANCE);
        } else {
            assert_eq!(model.pooling(), Pooling::Mean);
            assert!(matches!(model.width(Pooling::Pooler), Err(EncoderError::Pooling { .. })));
        }
        assert!(matches!(model.width(Pooling::Cls), Err(EncoderError::Pooling { .. })));
        let alone = model.encode(&clips.narrow(0, 1, 1).unwrap()).unwrap().pool(model.pooling()).unwrap();
        assert!(difference(&alone, &vectors.narrow(0, 1, 1).unwrap()) < 2e-6, "{name}");
    }
}

#[test]
fn half_precision_is_near() {
    let fixture = Fixture::tiny(TINY[1]);
    let full = l2_normalise(fixture.get("fc_norm")).unwrap();
    for (dtype, tolerance) in [(DType::F16, 0.01), (DType::BF16, 0.08)] {
        let hidden = load(&fixture, dtype).encode(&clips(&fixture)).unwrap();
        assert_eq!(hidden.states.dtype(), dtype);
        let half = l2_normalise(&hidden.pool(Pooling::Pooler).unwrap()).unwrap();
        let off = difference(&half, &full);
        assert!(off < tolerance, "{dtype:?}: {off}");
    }
}

#[test]
fn clips_of_a_wrong_shape_are_refused() {
    let model = load(&Fixture::tiny(TINY[0]), DType::F32);
    for shape in [&[4, 3, 16, 16][..], &[0, 4, 3, 16, 16], &[1, 2, 3, 16, 16], &[1, 4, 1, 16, 16], &[1, 4, 3, 16, 24]] {
        let error = model.encode(&Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap()).unwrap_err();
        assert!(matches!(error, EncoderError::Input { .. }), "{shape:?}: {error}");
    }
}

#[test]
fn what_is_not_the_model_is_refused() {
    let refused = |name: &str, field: &str, value: serde_json::Value| {
        let fixture = Fixture::tiny(name);
        let text = std::fs::read_to_string(fixture.folder.join("config.json")).unwrap();
        let mut fields: serde_json::Value = serde_json::from_str(&text).unwrap();
        fields[field] = value;
        let config = Config::parse("config.json", &fields.to_string()).unwrap();
        video::load(&config, &fixture.weights(DType::F32)).map(|_| ()).unwrap_err().to_string()
    };
    for (field, value, said) in [
        ("num_frames", 5.into(), "a multiple of 2"),
        ("image_size", serde_json::json!([16, 8]), "two that are equal"),
        ("image_size", "large".into(), "image_size"),
        ("patch_size", 3.into(), "a multiple of 3"),
        ("num_channels", 1.into(), "num_channels"),
        ("num_frames", 16_777_216.into(), "num_frames"),
        ("num_attention_heads", 3.into(), "a divisor of the width 16"),
        ("num_hidden_layers", 1.into(), "encoder.layer.1"),
        ("use_mean_pooling", true.into(), "videomae.layernorm.weight"),
    ] {
        let error = refused(TINY[0], field, value);
        assert!(error.contains(said), "{field}: {error}");
    }
    let error = refused(TINY[1], "use_mean_pooling", false.into());
    assert!(error.contains("layernorm.weight"), "{error}");
    let error = refused(TINY[3], "qkv_bias", true.into());
    assert!(error.contains("q_bias"), "{error}");
    let error = refused(TINY[3], "model_type", "vit".into());
    assert!(error.contains("encodes no videos; what does: imagebind, videomae"), "{error}");
    let sides = refused(TINY[0], "hidden_size", 24.into());
    assert!(sides.contains("embeddings.patch_embeddings.projection.weight"), "{sides}");
}

/// A folder with a checkpoint, its configuration, and a manifest or a processor's settings.
fn placed(fixture: &Fixture, files: &[(&str, &str)]) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(fixture.folder.join(name), place.path().join(name)).unwrap();
    }
    for (name, text) in files {
        std::fs::write(place.path().join(name), text).unwrap();
    }
    place
}

fn embedder(place: &tempfile::TempDir, modality: Modality) -> Embedder {
    let model = of_directory(place.path(), Asked::of(modality)).unwrap();
    Embedder::load(&model, &Options::default(), &Device::Cpu).unwrap()
}

fn preprocessing(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/preprocess").join(name))
        .unwrap()
}

fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

const PROCESSOR: &str = r#"{"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}, "resample": 2,
    "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}"#;

#[test]
fn a_video_from_a_file_to_a_vector() {
    let fixture = Fixture::tiny("videomae/tuned");
    let place = placed(&fixture, &[("preprocessor_config.json", PROCESSOR)]);
    let embedder = embedder(&place, Modality::Video);
    let prepared = embedder.prepare_bytes("motion.avi", preprocessing("motion.avi")).unwrap();
    let Prepared::Parts { parts, .. } = &prepared else { panic!("{prepared:?}") };
    assert_eq!((parts.len(), &parts[0].shape[..]), (1, &[4, 3, 16, 16][..]));
    let tensor = Tensor::from_vec(parts[0].values.clone(), (1, 4, 3, 16, 16), &Device::Cpu).unwrap();
    // The middle of each of four equal parts of twelve frames: 1, 4, 7 and 10, whose greys rise by 54.
    let frames = tensor.flatten_from(2).unwrap().mean(2).unwrap().to_vec2::<f32>().unwrap();
    for pair in frames[0].windows(2) {
        assert!((pair[1] - pair[0] - 54.0 / 255.0 / 0.226).abs() < 0.05, "{frames:?}");
    }
    let expected = load(&fixture, DType::F32).encode(&tensor).unwrap().pool(Pooling::Pooler).unwrap();
    let expected: Vec<f32> = expected.flatten_all().unwrap().to_vec1().unwrap();
    let found = embedder.embed(&[&prepared, &prepared]).unwrap();
    assert!(distance(&found, &expected.repeat(2)) < 1e-5);
    let written = serde_json::to_value(&embedder.provenance().preprocessing).unwrap();
    assert_eq!((&written["frames"], &written["size"]), (&4.into(), &16.into()));
    assert!(embedder.prepare_text("a video").is_err());
}

/// A picture model makes the vector of a video of eight frames, one by one.
#[test]
fn a_picture_model_reads_videos_frame_by_frame() {
    let fixture = Fixture::tiny("tiny-clip");
    let side = fixture.get("pixel_values").dim(3).unwrap();
    let processor = PROCESSOR
        .replace("16", &side.to_string())
        .replace(r#"{"size""#, r#"{"feature_extractor_type": "CLIPFeatureExtractor", "size""#);
    let place = placed(&fixture, &[("preprocessor_config.json", &processor)]);
    let [videos, pictures] = [Modality::Video, Modality::Image].map(|modality| embedder(&place, modality));
    let folder = tempfile::tempdir().unwrap();
    let file = preprocessing("motion.avi");
    let starts = (0..file.len() - 10).filter(|at| file[*at..].starts_with(b"00dc") && file[at + 8] == 0xFF);
    for (number, start) in starts.enumerate() {
        let length = u32::from_le_bytes(file[start + 4..start + 8].try_into().unwrap()) as usize;
        std::fs::write(folder.path().join(format!("{number}.jpg")), &file[start + 8..start + 8 + length]).unwrap();
    }
    let found = videos.embed(&[&videos.prepare_file(folder.path()).unwrap()]).unwrap();
    let frame = |number: usize| pictures.prepare_file(&folder.path().join(format!("{number}.jpg"))).unwrap();
    let frames = [0, 2, 3, 5, 6, 8, 9, 11].map(frame);
    let vectors = pictures.embed(&frames.iter().collect::<Vec<_>>()).unwrap();
    let width = pictures.width();
    let mean: Vec<f32> = (0..width).map(|place| vectors.iter().skip(place).step_by(width).sum::<f32>() / 8.0).collect();
    let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
    // The vectors of frames differ, so that their mean is shorter than they are.
    assert!(length < 0.9999, "{length}");
    let unit: Vec<f32> = mean.iter().map(|value| value / length).collect();
    assert!(distance(&found, &unit) < 1e-5);
    // From the file, the same.
    let of_file = videos.embed(&[&videos.prepare_bytes("motion.avi", file).unwrap()]).unwrap();
    assert!(distance(&of_file, &unit) < 1e-5);
}

fn manifest(modality: &str, width: usize, preprocessing: &str) -> String {
    format!(
        "name = \"tiny\"\nrepository = \"org/tiny\"\narchitecture = \"imagebind\"\nmodality = \"{modality}\"\n\
         embedding_width = {width}\npooling = \"projection\"\nnormalize = true\nlicence = \"MIT\"\ncitation = [\"x\"]\n\
         [preprocessing]\n{preprocessing}\n[[files]]\npath = \"config.json\"\n[[files]]\npath = \"model.safetensors\"\n"
    )
}

/// The mean of the directions of clips, of videos and of sounds, as ImageBind's authors take it.
#[test]
fn imagebind_reads_clips() {
    let fixture = Fixture::tiny("imagebind/uneven");
    let pictures = "resize = \"exact\"\nresize_to = 12\nfilter = \"bilinear\"\nsize = 12\nmean = [0.5, 0.4, 0.3]\nstd = [0.2, 0.3, 0.4]";
    let text = manifest("video", 12, &format!("clips = 3\nframes = 2\nseconds = 0.4\n{pictures}"));
    let place = placed(&fixture, &[("manifest.toml", &text)]);
    let videos = embedder(&place, Modality::Video);
    let prepared = videos.prepare_bytes("motion.avi", preprocessing("motion.avi")).unwrap();
    let Prepared::Parts { parts, .. } = &prepared else { panic!("{prepared:?}") };
    let values: Vec<f32> = parts.iter().flat_map(|part| part.values.clone()).collect();
    let tensor = Tensor::from_vec(values, (3, 2, 3, 12, 12), &Device::Cpu).unwrap();
    let model = load(&fixture, DType::F32);
    let expected = |vectors: Tensor| {
        let mean = l2_normalise(&vectors).unwrap().mean_keepdim(0).unwrap();
        l2_normalise(&mean).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    let vectors = model.encode(&tensor).unwrap().pool(Pooling::Projection).unwrap();
    assert!(distance(&videos.embed(&[&prepared]).unwrap(), &expected(vectors)) < 1e-5);

    let sounds = "kind = \"clips\"\nclips = 3\nseconds = 0.27\nsample_rate = 16000\nmel_bins = 16\nframes = 26\nmean = -4.268\nstd = 9.138";
    let place = placed(&fixture, &[("manifest.toml", &manifest("audio", 12, sounds))]);
    let audio = embedder(&place, Modality::Audio);
    let prepared = audio.prepare_bytes("sweep_noise.wav", preprocessing("sweep_noise.wav")).unwrap();
    let Prepared::Parts { parts: windows, truncated } = &prepared else { panic!("{prepared:?}") };
    assert_eq!((windows.len(), *truncated), (3, false));
    let values: Vec<f32> = windows.iter().flat_map(|window| window.values.clone()).collect();
    let model = audio::load(&fixture.config("config.json"), &fixture.weights(DType::F32)).unwrap();
    let features = Tensor::from_vec(values, (3, 16, 26), &Device::Cpu).unwrap();
    let vectors = model.encode(&features, None).unwrap().pool(Pooling::Projection).unwrap();
    assert!(distance(&audio.embed(&[&prepared]).unwrap(), &expected(vectors)) < 1e-5);

    let depth = "resize_to = 12\nfilter = \"bicubic\"\nsize = 12\nmean = 0.4\nstd = 0.1";
    let place = placed(&fixture, &[("manifest.toml", &manifest("depth", 12, depth))]);
    let depth = embedder(&place, Modality::Depth);
    let prepared = depth.prepare_bytes("depth.png", preprocessing("depth.png")).unwrap();
    let Prepared::Parts { parts, .. } = &prepared else { panic!("{prepared:?}") };
    let pixels = Tensor::from_vec(parts[0].values.clone(), (1, 1, 12, 12), &Device::Cpu).unwrap();
    let model = image::load_depth(&fixture.config("config.json"), &fixture.weights(DType::F32)).unwrap();
    let vectors = model.encode(&pixels).unwrap().pool(Pooling::Projection).unwrap();
    assert!(distance(&depth.embed(&[&prepared]).unwrap(), &expected(vectors)) < 1e-5);

    // Clips of another length than the model reads.
    let text = manifest("video", 12, &format!("frames = 3\n{pictures}"));
    let place = placed(&fixture, &[("manifest.toml", &text)]);
    let model = of_directory(place.path(), Asked::of(Modality::Video)).unwrap();
    let error = Embedder::load(&model, &Options::default(), &Device::Cpu).err().unwrap().to_string();
    assert!(error.contains("reads clips of 2 frames, but 3 are to be prepared"), "{error}");
}
