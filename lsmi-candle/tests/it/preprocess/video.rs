//! Videos of all kinds that are read, and files that are none; depth.

use std::fs;
use std::path::Path;

use lsmi_candle::embedding::preprocess::image::{DepthSettings, Filter, Image, Resize, Settings as ImageSettings};
use lsmi_candle::embedding::preprocess::video::{Clip, Settings, VideoError};
use lsmi_candle::embedding::preprocess::{PreprocessError, Result};
use proptest::prelude::*;
use safetensors::SafeTensors;

use super::{fixture, floats, largest_difference};

/// The numbers of frames, by their greys, which are 10 + 18 n; other levels are refused.
fn numbers(clip: &mut Clip, places: &[usize]) -> Vec<usize> {
    let number = |image: &Image| {
        let grey = image.levels().iter().map(|level| usize::from(*level)).sum::<usize>() / image.levels().len();
        let number = grey.saturating_sub(1) / 18;
        assert!(grey.abs_diff(10 + 18 * number) < 3, "{grey}");
        Ok(number)
    };
    clip.read(places, number).unwrap()
}

fn of_bytes(bytes: Vec<u8>) -> Result<Clip> {
    Clip::from_bytes("clip", bytes)
}

fn refused(bytes: Vec<u8>) -> String {
    match of_bytes(bytes) {
        Err(PreprocessError::Video(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A chunk, with the byte that makes its length even.
fn chunk(name: [u8; 4], bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&name[..], &length.to_le_bytes(), bytes, &vec![0; bytes.len() % 2]].concat()
}

fn list(name: [u8; 4], kind: [u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(name, &[&kind[..], &chunks.concat()].concat())
}

/// The header of a stream of so many frames in two seconds.
fn stream(kind: [u8; 4], coding: [u8; 4], frames: u32) -> Vec<u8> {
    let mut header = [&kind[..], &coding, &[0; 48]].concat();
    header[20..24].copy_from_slice(&2u32.to_le_bytes());
    header[24..28].copy_from_slice(&frames.to_le_bytes());
    let format = [&[0; 16][..], &coding, &[0; 20]].concat();
    list(*b"LIST", *b"strl", &[chunk(*b"strh", &header), chunk(*b"strf", &format)])
}

/// An AVI file of these streams and chunks.
fn avi(streams: &[Vec<u8>], movi: &[Vec<u8>]) -> Vec<u8> {
    let headers = list(*b"LIST", *b"hdrl", &[vec![chunk(*b"avih", &[0; 56])], streams.to_vec()].concat());
    list(*b"RIFF", *b"AVI ", &[headers, list(*b"LIST", *b"movi", movi)])
}

/// The bytes of the JPEG pictures in the file that ffmpeg wrote.
fn pictures() -> Vec<Vec<u8>> {
    let file = fixture("motion.avi");
    let starts: Vec<usize> = (0..file.len() - 8).filter(|place| file[*place..].starts_with(b"00dc")).collect();
    let picture = |start: &usize| {
        let length = u32::from_le_bytes(file[start + 4..start + 8].try_into().unwrap()) as usize;
        let bytes = file.get(start + 8..start + 8 + length)?;
        bytes.starts_with(&[0xFF, 0xD8]).then(|| bytes.to_vec())
    };
    starts.iter().filter_map(picture).collect()
}

#[test]
fn an_avi_of_ffmpeg() {
    let file = fixture("motion.avi");
    let mut clip = of_bytes(file.clone()).unwrap();
    assert_eq!((clip.len(), clip.rate()), (12, Some(12.5)));
    // In any order, and more than once.
    assert_eq!(numbers(&mut clip, &[11, 0, 5, 5, 3]), [11, 0, 5, 5, 3]);
    assert_eq!(numbers(&mut clip, &(0..12).collect::<Vec<_>>()), (0..12).collect::<Vec<_>>());
    let absent = clip.read(&[12], |_| Ok(())).unwrap_err();
    assert_eq!(absent.to_string(), "the video clip is damaged: it has no frame 12; make it anew");
    // From a file, and without an index.
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("motion.avi");
    let index = file.windows(4).position(|four| four == b"idx1").unwrap();
    for bytes in [&file[..], &file[..index], &file[..index + 11]] {
        fs::write(&path, bytes).unwrap();
        let mut clip = Clip::open(&path).unwrap();
        assert_eq!((clip.len(), numbers(&mut clip, &[7])), (12, vec![7]));
    }
    // Cut in the midst of a frame, which then alone is missed.
    let last = file.windows(4).rposition(|four| four == b"00dc").unwrap();
    let frame = file[..index].windows(4).rposition(|four| four == b"00dc").unwrap();
    assert!(frame < last);
    let mut clip = of_bytes(file[..frame + 200].to_vec()).unwrap();
    assert_eq!((clip.len(), numbers(&mut clip, &[10])), (12, vec![10]));
    let error = clip.read(&[11], |_| Ok(())).unwrap_err().to_string();
    assert_eq!(error, "the picture frame 11 of clip is cut short: its end is missing; replace it");
}

#[test]
fn avis_of_other_programs() {
    let pictures = pictures();
    assert_eq!(pictures.len(), 12);
    let jpeg = |name: [u8; 4], number: usize| chunk(name, &pictures[number]);
    // Sound first, so that frames are of stream 1; groups; a frame that repeats the one before; chunks of no interest.
    let movi = [
        chunk(*b"00wb", &[1, 2, 3]),
        jpeg(*b"01dc", 4),
        chunk(*b"01dc", &[]),
        list(*b"LIST", *b"rec ", &[jpeg(*b"01db", 2), chunk(*b"00wb", &[9]), jpeg(*b"02dc", 9)]),
        chunk(*b"JUNK", b"01dc\x02\0\0\0ab"),
        jpeg(*b"01dc", 6),
    ];
    let streams = [stream(*b"auds", [0; 4], 8), stream(*b"vids", *b"mjpg", 9)];
    let mut clip = of_bytes(avi(&streams, &movi)).unwrap();
    assert_eq!((clip.len(), clip.rate()), (4, Some(4.5)));
    assert_eq!(numbers(&mut clip, &[0, 1, 2, 3]), [4, 4, 2, 6]);
    // A second RIFF chunk goes on where the first ends.
    let more = list(*b"RIFF", *b"AVIX", &[list(*b"LIST", *b"movi", &[jpeg(*b"00dc", 8)])]);
    let whole = [avi(&[stream(*b"vids", *b"MJPG", 0)], &[jpeg(*b"00dc", 1)]), more].concat();
    let mut clip = of_bytes(whole).unwrap();
    assert_eq!((clip.rate(), numbers(&mut clip, &[0, 1])), (None, vec![1, 8]));
    // A length that nobody wrote down, as of a file that is still being written.
    let mut growing = avi(&[stream(*b"vids", *b"MJPG", 5)], &[jpeg(*b"00dc", 1), jpeg(*b"00dc", 3)]);
    let place = growing.windows(4).position(|four| four == b"movi").unwrap();
    growing[place - 4..place].fill(0xFF);
    growing[4..8].fill(0xFF);
    assert_eq!(numbers(&mut of_bytes(growing).unwrap(), &[0, 1]), [1, 3]);
}

/// Cameras leave the tables of Huffman's code out; all have the same.
#[test]
fn frames_without_tables_are_read() {
    let picture = &pictures()[5];
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 16];
    bytes.extend(b"AVI1\0\0\0\0\0\0\0\0\0\0");
    let mut place = 2;
    let mut tables = 0;
    while picture[place + 1] != 0xDA {
        let length = usize::from(u16::from_be_bytes([picture[place + 2], picture[place + 3]])) + 2;
        match picture[place + 1] {
            0xC4 => tables += 1,
            0xE0 => {}
            _ => bytes.extend(&picture[place..place + length]),
        }
        place += length;
    }
    bytes.extend(&picture[place..]);
    assert!(tables > 0);
    let streams = [stream(*b"vids", *b"MJPG", 5)];
    let mut clip = of_bytes(avi(&streams, &[chunk(*b"00dc", &bytes)])).unwrap();
    assert_eq!(numbers(&mut clip, &[0]), [5]);
    // Two half pictures are not one.
    bytes[10] = 1;
    bytes.extend(picture);
    let mut clip = of_bytes(avi(&streams, &[chunk(*b"00dc", &bytes)])).unwrap();
    let error = clip.read(&[0], |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("interlaced") && error.contains("ffmpeg"), "{error}");
}

#[test]
fn an_animation() {
    let mut clip = of_bytes(fixture("animation.webp")).unwrap();
    assert_eq!((clip.len(), clip.rate()), (6, Some(5.0)));
    assert_eq!(numbers(&mut clip, &[4, 1, 1]), [4, 1, 1]);
    let bytes = fixture("animation.webp");
    let mut cut = of_bytes(bytes[..bytes.len() - 20].to_vec()).unwrap();
    assert!(cut.read(&[5], |_| Ok(())).unwrap_err().to_string().contains("of clip cannot be decoded"));
}

/// Writes frames of these numbers under these names.
fn folder(place: &Path, frames: &[(&str, usize)]) {
    let pictures = pictures();
    for (name, number) in frames {
        fs::write(place.join(name), &pictures[*number]).unwrap();
    }
}

#[test]
fn a_folder_is_in_natural_order() {
    let place = tempfile::tempdir().unwrap();
    folder(place.path(), &[("frame10.jpg", 10), ("frame2.JPG", 2), ("frame1.jpeg", 1), (".frame3.jpg", 3)]);
    fs::write(place.path().join("notes.txt"), "frame4").unwrap();
    fs::create_dir(place.path().join("more")).unwrap();
    let mut clip = Clip::open(place.path()).unwrap();
    assert_eq!((clip.len(), clip.rate()), (3, None));
    assert_eq!(numbers(&mut clip, &[0, 1, 2]), [1, 2, 10]);
    // Only what is read must be a picture.
    fs::write(place.path().join("frame11.png"), "none").unwrap();
    let mut clip = Clip::open(place.path()).unwrap();
    assert_eq!(numbers(&mut clip, &[1, 2]), [2, 10]);
    let error = clip.read(&[0, 3], |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("frame11.png is not a PNG, JPEG or WebP picture"), "{error}");
    let empty = Clip::open(&place.path().join("more")).unwrap_err().to_string();
    assert!(empty.contains("has no frames: the folder has no pictures"), "{empty}");
    let absent = Clip::open(&place.path().join("absent")).unwrap_err();
    assert!(matches!(absent, PreprocessError::Video(VideoError::Read { .. })));
}

#[test]
fn lists_keep_their_order() {
    let pictures = pictures();
    let named = [7, 3, 5].map(|number| (format!("{number}.jpg"), pictures[number].clone())).to_vec();
    let mut clip = Clip::from_frames("list", named).unwrap();
    assert_eq!(numbers(&mut clip, &[0, 1, 2]), [7, 3, 5]);
    let place = tempfile::tempdir().unwrap();
    folder(place.path(), &[("a.jpg", 4), ("b.jpg", 6)]);
    let paths = ["b.jpg", "a.jpg", "c.jpg"].map(|name| place.path().join(name)).to_vec();
    let mut clip = Clip::from_paths("list", paths).unwrap();
    assert_eq!(numbers(&mut clip, &[0, 1]), [6, 4]);
    let error = clip.read(&[2], |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("c.jpg cannot be read"), "{error}");
    let none = Clip::from_frames("list", Vec::new()).unwrap_err().to_string();
    assert_eq!(none, "the video list has no frames: the list is empty");
}

#[test]
fn what_is_not_read_is_named() {
    for (bytes, said) in [
        (&b"\0\0\0\x20ftypisom\0\0\x02\0isom"[..], "an MP4 or QuickTime file"),
        (&[0x1A, 0x45, 0xDF, 0xA3, 1, 2], "a Matroska or WebM file"),
        (b"GIF89a\x01\0\x01\0", "a GIF"),
        (b"RIFF\x04\0\0\0WAVE", "is no video that is read"),
        (b"RIFF\x04\0\0\0WEBP", "it is no animation"),
        (b"RIFF\x04\0\0\0AVI ", "its headers are missing"),
        (b"", "is no video that is read"),
        (b"\x89PNG\r\n\x1a\n", "is no video that is read"),
    ] {
        let error = refused(bytes.to_vec());
        assert!(error.contains(said), "{error}");
    }
    let error = refused(avi(&[stream(*b"vids", *b"H264", 5)], &[]));
    assert!(error.contains("an AVI whose frames are coded as `H264`") && error.contains("-c:v mjpeg"), "{error}");
    assert!(refused(avi(&[stream(*b"auds", [0; 4], 5)], &[])).contains("no stream of pictures"));
    assert!(refused(avi(&[], &[])).contains("no stream of pictures"));
    assert!(refused(avi(&[stream(*b"vids", *b"MJPG", 5)], &[])).contains("no chunk of a picture"));
    let only_empty = avi(&[stream(*b"vids", *b"MJPG", 5)], &[chunk(*b"00dc", &[])]);
    assert!(refused(only_empty).contains("no chunk of a picture"));
    // A picture that does not move.
    let place = tempfile::tempdir().unwrap();
    let mut deep = chunk(*b"00dc", &[1]);
    for _ in 0..2_000 {
        deep = list(*b"LIST", *b"rec ", &[deep]);
    }
    assert_eq!(of_bytes(avi(&[stream(*b"vids", *b"MJPG", 5)], &[deep])).unwrap().len(), 1);
    let path = place.path().join("nothing.avi");
    fs::write(&path, fixture("gradient.png")).unwrap();
    assert!(Clip::open(&path).unwrap_err().to_string().contains("-vf fps=4"));
}

fn settings(clips: usize, frames: usize, seconds: Option<f64>) -> Settings {
    let of_frames = ImageSettings {
        resize: Resize::ShortestEdge,
        resize_to: 4,
        filter: Filter::Bilinear,
        size: 2,
        mean: [0.0; 3],
        std: [1.0 / 255.0; 3],
    };
    Settings { clips, frames, seconds, of_frames }
}

#[test]
fn frames_are_prepared_as_pictures() {
    let mut clip = of_bytes(fixture("motion.avi")).unwrap();
    let prepared = settings(2, 3, None).prepare(&mut clip).unwrap();
    assert_eq!(prepared.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    let greys: Vec<f32> = prepared.concat().iter().map(|frame| frame.values.iter().sum::<f32>() / 12.0).collect();
    for (grey, number) in greys.iter().zip([1f32, 3.0, 5.0, 7.0, 9.0, 11.0]) {
        assert!((grey - 10.0 - 18.0 * number).abs() < 2.0, "{greys:?}");
    }
    // Clips of 0.4 seconds, five frames: from 0, 3.5 and 7.
    let prepared = settings(3, 2, Some(0.4)).prepare(&mut clip).unwrap().concat();
    let found: Vec<f32> = prepared.iter().map(|frame| (frame.values[0] - 10.0) / 18.0).collect();
    for (found, number) in found.iter().zip([0f32, 4.0, 4.0, 8.0, 7.0, 11.0]) {
        assert!((found - number).abs() < 0.2, "{found} {number}");
    }
    let wrong = Settings { frames: 0, ..settings(1, 1, None) };
    assert!(matches!(wrong.prepare(&mut clip), Err(PreprocessError::Setting { name: "frames", .. })));
}

#[test]
fn the_processor_of_videomae() {
    let golden = fixture("videomae.safetensors");
    let expected = SafeTensors::deserialize(&golden).unwrap();
    let expected = floats(expected.tensor("pixel_values").unwrap().data());
    // The spelling of MCG-NJU/videomae-base, and what the class has where a field is missing.
    for text in [
        r#"{"feature_extractor_type": "VideoMAEFeatureExtractor", "do_center_crop": true, "resample": 2,
            "crop_size": {"height": 28, "width": 28}, "size": {"shortest_edge": 32}, "do_rescale": true,
            "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}"#,
        r#"{"image_processor_type": "VideoMAEImageProcessor", "size": 32, "crop_size": 28,
            "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}"#,
    ] {
        let of_frames = ImageSettings::from_config(text).unwrap();
        let pictures = ["elephant.png", "gradient.png"].map(|name| (name.to_owned(), fixture(name)));
        let mut clip = Clip::from_frames("pictures", pictures.to_vec()).unwrap();
        let found = Settings { of_frames, ..settings(1, 2, None) }.prepare(&mut clip).unwrap();
        let found: Vec<f32> = found[0].iter().flat_map(|frame| frame.values.clone()).collect();
        let off = largest_difference(&found, &expected);
        assert!(off < 1e-5, "{off}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is changed in a file, it is read or refused.
    #[test]
    fn damaged_files_are_read_or_refused(
        changes in prop::collection::vec((0usize..20_320, any::<u8>()), 1..8),
        length in 0usize..20_320,
        animated in any::<bool>(),
    ) {
        let mut bytes = fixture(if animated { "animation.webp" } else { "motion.avi" });
        for (place, value) in changes {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        bytes.truncate(length.max(bytes.len() / 2));
        if let Ok(mut clip) = of_bytes(bytes) {
            let last = clip.len() - 1;
            let _ = clip.read(&[0, last], |image| Ok(image.width()));
        }
    }
}

#[test]
fn depth_is_resized_without_rounding() {
    let golden = fixture("depth.safetensors");
    let golden = SafeTensors::deserialize(&golden).unwrap();
    for (name, filter) in [("bilinear", Filter::Bilinear), ("bicubic", Filter::Bicubic)] {
        for (resize_to, size) in [(12, 10), (20, 20)] {
            let settings = DepthSettings { resize_to, filter, size, mean: 0.25, std: 0.5 };
            let found = settings.prepare("depth.png", &fixture("depth.png")).unwrap();
            let expected = floats(golden.tensor(&format!("{name}_{resize_to}")).unwrap().data());
            let off = largest_difference(&found.values, &expected);
            assert!(off < 2e-6, "{name} {resize_to}: {off}");
        }
    }
    let settings = DepthSettings { resize_to: 8, filter: Filter::Bilinear, size: 8, mean: 0.0, std: 1.0 };
    let error = settings.prepare("gradient.png", &fixture("gradient.png")).unwrap_err().to_string();
    assert!(error.contains("gradient.png has colours"), "{error}");
    let wrong = DepthSettings { size: 9, ..settings };
    let error = wrong.prepare("depth.png", &fixture("depth.png")).unwrap_err();
    assert!(matches!(error, PreprocessError::Setting { name: "size", .. }));
}
