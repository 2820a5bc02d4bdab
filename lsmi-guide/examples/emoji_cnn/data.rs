//! Emoji: the embedded features of all, and pixels and names of those whose pictures are there.

use std::error::Error;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use image::imageops::FilterType;
use lsmi_candle::features::{Classes, FeatureSet, Keys, read_with_keys as read_features};
use lsmi_core::SampleIds;
use lsmi_guide::Interactions;

/// Numbers that a name is described by: counts of its letters in threes, by a hash of these.
pub(crate) const TRIGRAMS: usize = 256;
/// Pixels of a picture's side.
const SIDE: u32 = 32;
/// One sample of so many is tested on.
const TESTED: usize = 4;

/// Samples as the student sees them.
#[derive(Debug, Clone)]
pub(crate) struct Emoji {
    pub(crate) ids: SampleIds,
    pub(crate) labels: Vec<u32>,
    /// `[n, 3, 32, 32]`, between -1 and 1.
    pub(crate) pictures: Tensor,
    /// `[n, 256]`.
    pub(crate) names: Tensor,
}

/// The features of all emoji that the command has built in, with code points for ids.
pub(crate) fn features() -> Result<(FeatureSet, Classes), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lsmi-cli/data/emoji");
    let mut file = read_features(&folder.join("emoji_pca48.safetensors"), &Keys::default())?;
    let mut table = csv::Reader::from_path(folder.join("emoji.csv"))?;
    let ids = table.records().map(|record| Ok(record?[0].to_owned())).collect::<Result<Vec<_>, csv::Error>>()?;
    let features = FeatureSet { ids: SampleIds::from_names(ids)?, ..file.splits.remove(0).features };
    Ok((features, file.classes))
}

/// The emoji of a table `id,image,text,label`, whose labels are those of the features.
pub(crate) fn read(path: &Path, known: &Interactions) -> Result<Emoji, Box<dyn Error>> {
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    let (mut ids, mut pictures, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for record in csv::Reader::from_path(path)?.records() {
        let record = record?;
        let (Some(id), Some(image), Some(text)) = (record.get(0), record.get(1), record.get(2)) else {
            return Err(format!("{} has a row without `id,image,text`", path.display()).into());
        };
        ids.push(id.to_owned());
        pictures.push(pixels(&folder.join(image))?);
        names.extend(trigrams(text));
    }
    let count = ids.len();
    let ids = SampleIds::from_names(ids)?;
    let labels = known.rows(&ids)?.into_iter().map(|row| known.labels()[row]).collect();
    let names = Tensor::from_vec(names, (count, TRIGRAMS), &Device::Cpu)?;
    Ok(Emoji { ids, labels, pictures: Tensor::stack(&pictures, 0)?, names })
}

impl Emoji {
    /// Samples to train on and every fourth, to test on.
    pub(crate) fn divided(&self) -> (Self, Self) {
        let (test, train): (Vec<usize>, Vec<usize>) = (0..self.labels.len()).partition(|row| row % TESTED == 0);
        (self.select(&train), self.select(&test))
    }

    fn select(&self, rows: &[usize]) -> Self {
        let of = |tensor: &Tensor| {
            let rows: Vec<Tensor> = rows.iter().filter_map(|row| tensor.get(*row).ok()).collect();
            Tensor::stack(&rows, 0)
        };
        #[expect(clippy::expect_used, reason = "rows of one tensor, which are there")]
        let (pictures, names) = (of(&self.pictures).expect("rows"), of(&self.names).expect("rows"));
        let labels = rows.iter().map(|row| self.labels[*row]).collect();
        Self { ids: self.ids.select(rows), labels, pictures, names }
    }
}

/// `[3, 32, 32]`, on white.
fn pixels(path: &Path) -> Result<Tensor, Box<dyn Error>> {
    let picture = image::open(path)?.resize_exact(SIDE, SIDE, FilterType::Triangle).to_rgba8();
    let level = |channel: usize| {
        picture.pixels().map(move |pixel| {
            let opacity = f32::from(pixel.0[3]) / 255.0;
            2.0 * (opacity * f32::from(pixel.0[channel]) / 255.0 + 1.0 - opacity) - 1.0
        })
    };
    let values: Vec<f32> = (0..3).flat_map(level).collect();
    Ok(Tensor::from_vec(values, (3, SIDE as usize, SIDE as usize), &Device::Cpu)?)
}

/// How often each bucket of letters in threes occurs in a name.
fn trigrams(name: &str) -> Vec<f32> {
    let padded: Vec<char> = format!(" {} ", name.to_lowercase()).chars().collect();
    let mut counts = vec![0.0; TRIGRAMS];
    for three in padded.windows(3) {
        let hash = three.iter().fold(17usize, |hash, letter| hash.wrapping_mul(31).wrapping_add(*letter as usize));
        counts[hash % TRIGRAMS] += 1.0;
    }
    counts
}
