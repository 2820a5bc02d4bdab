//! Embedding: preprocessing of a picture and a sound, and, where folders of models are given, whole batches through them.
//!
//! ```sh
//! LSMI_BENCH_TEXT_MODEL=path/to/minilm-l6-v2 LSMI_BENCH_PICTURE_MODEL=path/to/efficientnet-lite0 \
//!     cargo bench -p lsmi-candle --bench embedding
//! ```

#![expect(clippy::expect_used, reason = "a bench that cannot be set up ends")]

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use candle_core::Device;
use criterion::{Criterion, Throughput};
use lsmi_candle::embedding::embedder::{Embedder, Options, Prepared};
use lsmi_candle::embedding::manifests::{Asked, Modality, of_directory};
use lsmi_candle::embedding::preprocess::audio::{Audio, LogMel, LogMelSettings};
use lsmi_candle::embedding::preprocess::image::{Image, Settings as ImageSettings};

/// Inputs of one call.
const BATCH: usize = 16;
const WHISPER: LogMelSettings =
    LogMelSettings { sample_rate: 16_000, seconds: 30.0, mel_bins: 80, window: 400, hop: 160 };

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    images(&mut criterion);
    audio(&mut criterion);
    texts_encoded(&mut criterion);
    images_encoded(&mut criterion);
    criterion.final_summary();
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/preprocess").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).expect("a fixture of the crate")
}

/// Decoding, resizing and cropping as CLIP's processor does it.
fn images(criterion: &mut Criterion) {
    let config = String::from_utf8(bytes("clip.json")).expect("JSON is text");
    let settings = ImageSettings::from_config(&config).expect("the configuration of a processor");
    let file = bytes("elephant.png");
    criterion.bench_function("picture to pixels", |bencher| {
        bencher.iter(|| {
            let image = Image::decode("elephant.png", black_box(&file)).expect("a picture");
            settings.prepare(&image).expect("pixels")
        });
    });
}

/// Decoding, and Whisper's log-mel spectrogram of thirty seconds.
fn audio(criterion: &mut Criterion) {
    let log_mel = LogMel::new(&WHISPER).expect("settings in range");
    let file = bytes("sweep_noise.wav");
    criterion.bench_function("sound to spectrogram", |bencher| {
        bencher.iter(|| {
            let audio = Audio::decode("sweep_noise.wav", black_box(file.clone()), WHISPER.seconds).expect("a sound");
            WHISPER.spectrogram(&log_mel, audio.samples()).expect("a spectrogram")
        });
    });
}

fn embedder(variable: &str, modality: Modality) -> Option<Embedder> {
    let directory = PathBuf::from(env::var_os(variable)?);
    let model = of_directory(&directory, Asked::of(modality)).expect("the folder of a model");
    Some(Embedder::load(&model, &Options::default(), &Device::Cpu).expect("a model of this modality"))
}

fn texts_encoded(criterion: &mut Criterion) {
    let Some(embedder) = embedder("LSMI_BENCH_TEXT_MODEL", Modality::Text) else { return };
    let prepare = |row: usize| embedder.prepare_text(&format!("the name of emoji number {row}")).expect("tokens");
    encoded(criterion, "texts encoded", &embedder, &(0..BATCH).map(prepare).collect::<Vec<_>>());
}

fn images_encoded(criterion: &mut Criterion) {
    let Some(embedder) = embedder("LSMI_BENCH_PICTURE_MODEL", Modality::Image) else { return };
    let prepare = |_| embedder.prepare_file(&fixture("elephant.png")).expect("pixels");
    encoded(criterion, "pictures encoded", &embedder, &(0..BATCH).map(prepare).collect::<Vec<_>>());
}

fn encoded(criterion: &mut Criterion, name: &str, embedder: &Embedder, inputs: &[Prepared]) {
    let inputs: Vec<&Prepared> = inputs.iter().collect();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function(format!("batch of {BATCH}"), |bencher| {
        bencher.iter(|| embedder.embed(black_box(&inputs)).expect("vectors"));
    });
    group.finish();
}
