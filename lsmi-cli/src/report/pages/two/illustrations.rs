//! What samples are, by a table: names, texts or pictures by id.
//!
//! Only the samples that a report shows are looked up; pictures become small JPEG files inside the page. What cannot be
//! shown is told, and shown by its id.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use lsmi_candle::embedding::encoders::Modality;
use lsmi_candle::embedding::pipeline::Folder;
use lsmi_candle::embedding::pipeline::table::{Columns, Input, InputColumn, OptionalColumn, Table, TableError};
use lsmi_candle::embedding::preprocess::image::{Filter, Image, Resize, Settings};
use lsmi_candle::features::Missing;

use crate::report::base64::base64;

/// Pixels of either side of a picture.
const SIDE: usize = 96;
/// The quality of its JPEG file, of 100.
const QUALITY: u8 = 80;
/// Characters of a text that are shown.
const LONGEST: usize = 160;
/// Columns that are looked for where none is named.
const USUAL: [&str; 2] = ["text", "image"];

/// Where to look samples up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lookup {
    pub(crate) table: PathBuf,
    /// The columns of texts, shown one after the other.
    pub(crate) text: Vec<String>,
    /// The column of pictures.
    pub(crate) image: Option<String>,
    /// The column of ids; without it the ids are the numbers of the rows.
    pub(crate) id: String,
    /// Whether there must be such a column.
    pub(crate) id_is_named: bool,
    /// Whether links may lead out of the table's directory.
    pub(crate) follow_links: bool,
}

/// What is known of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Illustration {
    pub(crate) text: Option<String>,
    /// A picture as the address of its own bytes.
    pub(crate) picture: Option<String>,
}

/// What is known of samples, and what could not be had.
#[derive(Debug, Default)]
pub(crate) struct Illustrations {
    pub(crate) by_id: BTreeMap<String, Illustration>,
    /// The only split that they are of; none if they are of all.
    pub(crate) split: Option<String>,
    pub(crate) warnings: Vec<String>,
}

impl Illustrations {
    /// What is known of a sample of a split.
    pub(crate) fn of(&self, split: &str, id: &str) -> Option<&Illustration> {
        let is_other = self.split.as_ref().is_some_and(|only| only != split);
        if is_other { None } else { self.by_id.get(id) }
    }
}

impl Lookup {
    /// Looks up the samples with the ids of `with_text`, and pictures of those that are also in `with_picture`.
    ///
    /// # Errors
    /// Of a table that cannot be read; files of pictures that cannot become warnings.
    pub(crate) fn find(
        &self,
        with_text: &BTreeSet<&str>,
        with_picture: &BTreeSet<&str>,
    ) -> Result<Illustrations, TableError> {
        let (lookup, table) = self.open()?;
        let folder = Folder::of_table(&lookup.table, lookup.follow_links);
        let mut found = Illustrations::default();
        for row in table {
            let row = row?;
            let id = row.id.unwrap_or_else(|| row.place.to_string());
            if !with_text.contains(id.as_str()) {
                continue;
            }
            let (texts, pictures) = row.inputs.split_at(lookup.text.len());
            let texts: Vec<&str> = texts.iter().filter_map(Input::text).collect();
            let text = Some(texts.join("  ")).filter(|text| !text.trim().is_empty()).map(|text| shortened(&text));
            let mut picture = None;
            if let Some(input) = pictures.first().filter(|_| with_picture.contains(id.as_str())) {
                match thumbnail(&folder, input) {
                    Ok(address) => picture = Some(address),
                    Err(error) => found.warnings.push(format!("the picture of `{id}` is not shown: {error}")),
                }
            }
            found.by_id.insert(id, Illustration { text, picture });
        }
        Ok(found)
    }

    /// The table and the columns that are read of it: those named, or the usual ones that are there.
    fn open(&self) -> Result<(Self, Table), TableError> {
        if !self.text.is_empty() || self.image.is_some() {
            return Ok((self.clone(), Table::open(&self.table, self.columns(), Missing::Keep)?));
        }
        let [text, image] = USUAL.map(str::to_owned);
        let both = Self { text: vec![text], image: Some(image), ..self.clone() };
        let tries = [both.clone(), Self { image: None, ..both.clone() }, Self { text: Vec::new(), ..both }];
        let mut refusal = None;
        for lookup in tries {
            match Table::open(&lookup.table, lookup.columns(), Missing::Keep) {
                Ok(table) => return Ok((lookup, table)),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| TableError::Format { file: self.table.display().to_string() }))
    }

    fn columns(&self) -> Columns {
        let column = |modality| move |name: &String| InputColumn { name: name.clone(), modality };
        Columns {
            inputs: (self.text.iter().map(column(Modality::Text)))
                .chain(self.image.iter().map(column(Modality::Image)))
                .collect(),
            label: OptionalColumn { name: String::new(), is_needed: false },
            id: OptionalColumn { name: self.id.clone(), is_needed: self.id_is_named },
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A small picture of a file, as the address of its own bytes.
fn thumbnail(folder: &Folder, input: &Input) -> Result<String, Box<dyn std::error::Error>> {
    let picture = match input {
        Input::Text(name) => Image::decode(name, &read(&folder.find(name, "image")?)?)?,
        Input::File { name, bytes } => Image::decode(name, bytes)?,
        Input::Frames(_) => return Err("it is a list of files".into()),
    };
    let settings = Settings {
        resize: Resize::Pad,
        resize_to: SIDE,
        filter: Filter::Bilinear,
        size: SIDE,
        mean: [0.0; 3],
        std: [1.0; 3],
    };
    let planes = settings.levels(&picture)?;
    let pixels: Vec<u8> = (0..SIDE * SIDE).flat_map(|at| [0, 1, 2].map(|of| planes[of * SIDE * SIDE + at])).collect();
    let mut jpeg = Vec::new();
    let side = u32::try_from(SIDE)?;
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode(&pixels, side, side, ExtendedColorType::Rgb8)?;
    Ok(format!("data:image/jpeg;base64,{}", base64(&jpeg)))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(table: &Path, text: &[&str], image: Option<&str>) -> Lookup {
        Lookup {
            table: table.to_owned(),
            text: text.iter().map(|name| (*name).to_owned()).collect(),
            image: image.map(str::to_owned),
            id: "id".to_owned(),
            id_is_named: false,
            follow_links: false,
        }
    }

    fn picture(path: &Path) {
        image::RgbImage::from_fn(200, 100, |x, _| image::Rgb([255, u8::try_from(x).unwrap(), 0])).save(path).unwrap();
    }

    #[test]
    fn only_what_is_shown_is_looked_up() {
        let place = tempfile::tempdir().unwrap();
        picture(&place.path().join("a.png"));
        let table = place.path().join("table.csv");
        fs::write(&table, "id,text,image\na,one,a.png\nb,two,missing.png\nc,three,missing.png\nd,four,a.png\n")
            .unwrap();
        let found = lookup(&table, &[], None).find(&["a", "b", "d"].into(), &["a", "b"].into()).unwrap();
        assert_eq!(found.by_id.keys().collect::<Vec<_>>(), ["a", "b", "d"]);
        assert_eq!(found.by_id["b"], Illustration { text: Some("two".into()), picture: None });
        assert_eq!(found.by_id["d"].picture, None);
        let address = found.by_id["a"].picture.as_ref().unwrap();
        assert!(address.starts_with("data:image/jpeg;base64,/9j/") && address.len() < 6000, "{address}");
        let [warning] = found.warnings.as_slice() else { panic!("{:?}", found.warnings) };
        assert!(warning.contains("`b`") && warning.contains("missing.png"), "{warning}");
    }

    #[test]
    fn columns_are_those_named() {
        let place = tempfile::tempdir().unwrap();
        let table = place.path().join("table.csv");
        fs::write(&table, "emoji,name\n🦊,fox\n🦉,owl\n").unwrap();
        // Without ids the numbers of the rows are the ids.
        let found = lookup(&table, &["emoji", "name"], None).find(&["1"].into(), &BTreeSet::new()).unwrap();
        assert_eq!(found.by_id["1"].text.as_deref(), Some("🦉  owl"));
        let refusal = lookup(&table, &["title"], None).find(&BTreeSet::new(), &BTreeSet::new()).unwrap_err();
        assert!(refusal.to_string().contains("no column `title`"), "{refusal}");
        let refusal = lookup(&table, &[], None).find(&BTreeSet::new(), &BTreeSet::new()).unwrap_err();
        assert!(refusal.to_string().contains("no column `text`"), "{refusal}");
    }
}
