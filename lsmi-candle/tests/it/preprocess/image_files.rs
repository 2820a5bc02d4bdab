//! Files of all kinds: what must be read, and what must be refused by name.

use std::io::{Cursor, Write};

use candle_core::safetensors::load_buffer;
use candle_core::{Device, Tensor};
use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba};
use lsmi_candle::embedding::preprocess::PreprocessError;
use lsmi_candle::embedding::preprocess::image::Image;

use super::fixture;

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn levels(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    Image::decode("test", &written(image, format)).unwrap().levels().to_vec()
}

#[test]
fn grey_transparency_and_16_bits_become_colours() {
    let grey = ImageBuffer::from_pixel(1, 1, Luma([7_u8])).into();
    assert_eq!(levels(&grey, ImageFormat::Png), [7, 7, 7]);
    let grey: DynamicImage = ImageBuffer::from_pixel(1, 1, Luma([0x12FF_u16])).into();
    assert_eq!(levels(&grey, ImageFormat::Png), [0x12; 3]);
    let deep: DynamicImage = ImageBuffer::from_pixel(1, 1, Rgb([0xFFFF_u16, 0x8080, 0x00FF])).into();
    assert_eq!(levels(&deep, ImageFormat::Png), [0xFF, 0x80, 0]);
    let clear: DynamicImage = ImageBuffer::from_pixel(1, 1, Rgba([10_u8, 20, 30, 0])).into();
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        assert_eq!(levels(&clear, format), [255; 3], "{format:?}");
    }
}

#[test]
fn webp_keeps_every_level() {
    let image = RgbImage::from_fn(5, 4, |x, y| Rgb([x as u8 * 50, y as u8 * 60, 128]));
    assert_eq!(levels(&image.clone().into(), ImageFormat::WebP), image.into_raw());
}

/// A chunk of a PNG file.
fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&kind[..], data].concat();
    let mut crc = Crc::new();
    crc.update(&body);
    [&(data.len() as u32).to_be_bytes()[..], &body, &crc.sum().to_be_bytes()].concat()
}

/// A PNG file of one chunk of pixels.
fn png(width: u32, height: u32, depth_and_colour: [u8; 2], extra: &[Vec<u8>], rows: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(rows).unwrap();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &depth_and_colour, &[0, 0, 0]].concat();
    let pixels = chunk(*b"IDAT", &packed.finish().unwrap());
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(*b"IHDR", &header), extra.concat(), pixels, chunk(*b"IEND", &[])].concat()
}

#[test]
fn palettes_become_colours() {
    let colours = chunk(*b"PLTE", &[1, 2, 3, 4, 5, 6]);
    // A row of one byte of filter and two pixels of four bits; the second colour is half transparent.
    let plain = png(2, 1, [4, 3], std::slice::from_ref(&colours), &[0, 0x01]);
    assert_eq!(Image::decode("test", &plain).unwrap().levels(), [1, 2, 3, 4, 5, 6]);
    let clear = png(2, 1, [4, 3], &[colours, chunk(*b"tRNS", &[255, 0])], &[0, 0x01]);
    assert_eq!(Image::decode("test", &clear).unwrap().levels(), [1, 2, 3, 255, 255, 255]);
}

/// JPEG files of every kind and the levels that Pillow reads from them: `name.file` and `name.levels`.
fn jpegs() -> Vec<(String, Vec<u8>, Tensor)> {
    let tensors = load_buffer(&fixture("jpeg.safetensors"), &Device::Cpu).unwrap();
    let files = tensors.iter().filter_map(|(key, file)| Some((key.strip_suffix(".file")?, file)));
    files
        .map(|(name, file)| (name.to_owned(), file.to_vec1().unwrap(), tensors[&format!("{name}.levels")].clone()))
        .collect()
}

#[test]
fn jpeg_levels_are_those_of_pillow() {
    let files = jpegs();
    assert_eq!(files.len(), 15);
    for (name, file, expected) in files {
        let image = Image::decode(&name, &file).unwrap();
        let (height, width, _) = expected.dims3().unwrap();
        assert_eq!((image.height(), image.width()), (height, width), "{name}");
        assert_eq!(image.levels(), expected.flatten_all().unwrap().to_vec1::<u8>().unwrap(), "{name}");
    }
}

#[test]
fn damaged_jpegs_never_panic() {
    for (name, file, _) in jpegs() {
        for length in (4..file.len()).step_by(41) {
            let error = Image::decode(&name, &file[..length]).unwrap_err();
            assert!(matches!(error, PreprocessError::Truncated { .. }), "{name} of {length} bytes: {error}");
        }
        for index in (0..file.len()).step_by(13) {
            let mut damaged = file.clone();
            damaged[index] ^= 1 << (index % 8);
            let _ = Image::decode(&name, &damaged);
        }
    }
}

/// A JPEG file of a picture that is black on the left and white on the right.
fn jpeg() -> Vec<u8> {
    let image = RgbImage::from_fn(32, 16, |x, _| Rgb([if x < 16 { 0 } else { 255 }; 3]));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode(&image, 32, 16, ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[test]
fn a_cameras_orientation_is_followed() {
    let plain = jpeg();
    let upright = Image::decode("test", &plain).unwrap();
    assert_eq!((upright.width(), upright.levels()[0]), (32, 0));
    // Exif, big-endian, one entry: orientation (0x112), a short, one value.
    for (orientation, width, first) in [(3_u8, 32, 255), (6, 16, 0), (8, 16, 255)] {
        let entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
        let exif = [&b"Exif\0\0MM\0*\0\0\0\x08\0\x01"[..], &entry, &[0; 4]].concat();
        let length = (exif.len() as u16 + 2).to_be_bytes();
        let turned = [&plain[..2], &[0xFF, 0xE1], &length, &exif, &plain[2..]].concat();
        let image = Image::decode("test", &turned).unwrap();
        assert_eq!((image.width(), image.levels()[0]), (width, first), "{orientation}");
    }
}

#[test]
fn what_is_no_image_is_refused() {
    for bytes in [&b""[..], b"\x89", b"hello, this is not a picture", b"GIF89a\x01\x00\x01\x00", b"BM______________"] {
        let error = Image::decode("note.txt", bytes).unwrap_err();
        assert!(matches!(error, PreprocessError::Format { .. }), "{error}");
        assert!(error.to_string().contains("note.txt"));
    }
}

#[test]
fn what_is_cut_short_is_refused() {
    let image: DynamicImage = RgbImage::from_fn(40, 40, |x, y| Rgb([(x * y) as u8, (x * 7) as u8, y as u8])).into();
    let whole = [written(&image, ImageFormat::WebP), jpeg(), fixture("elephant.png")];
    for bytes in whole {
        assert!(Image::decode("whole", &bytes).is_ok());
        for part in [bytes.len() / 4, bytes.len() / 2, bytes.len() * 9 / 10] {
            let error = Image::decode("cut", &bytes[..part]).unwrap_err();
            let typed = matches!(error, PreprocessError::Image { .. } | PreprocessError::Truncated { .. });
            assert!(typed && error.to_string().contains("cut"), "{error}");
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let image: DynamicImage = RgbImage::from_fn(24, 24, |x, y| Rgb([(x * y) as u8, (x * 7) as u8, y as u8])).into();
    for bytes in [written(&image, ImageFormat::WebP), jpeg(), fixture("gradient.png")] {
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 0x55;
            // Some flips go unseen; all that is asked is an answer.
            let _ = Image::decode("damaged", &damaged);
        }
    }
}

#[test]
fn sides_of_zero_and_of_absurd_length_are_refused() {
    let empty = png(0, 5, [8, 2], &[], &[]);
    assert!(Image::decode("empty", &empty).is_err());
    // 1.8 * 10^19 pixels in some dozens of bytes; 10^10 in as many.
    for side in [u32::MAX / 2, 100_000] {
        let bomb = png(side, side, [8, 2], &[], &[0; 32]);
        let error = Image::decode("bomb", &bomb).unwrap_err();
        let typed = matches!(error, PreprocessError::TooManyPixels { .. } | PreprocessError::Image { .. });
        assert!(typed, "{error}");
    }
    let large = png(9_000, 9_000, [8, 0], &[], &[0; 32]);
    let error = Image::decode("large", &large).unwrap_err();
    assert!(matches!(error, PreprocessError::TooManyPixels { width: 9_000, .. }), "{error}");
}
