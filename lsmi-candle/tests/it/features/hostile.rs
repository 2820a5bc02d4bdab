//! Bytes from anywhere: every reader answers with an error or with data, never with a panic or a flood of memory.

use lsmi_candle::features::{FeatureError, Format, Keys, Missing, read_bytes};
use proptest::prelude::*;
use safetensors::Dtype;
use zip::CompressionMethod;

use crate::features::build::{
    Item, Layout, STORED, archive, fixture, npy, npz, read_npz, safetensors, sample, sample_with,
};
use crate::features::parquet;

/// Small valid files of every format.
fn valid_files() -> Vec<(Format, Vec<u8>)> {
    let deflated = Layout { method: CompressionMethod::Deflated, fortran: true, big_endian: true };
    let logits = Item::new(Dtype::F16, &[4, 2], &[0.5, -0.5, 2.0, 1.0, -3.0, 4.0, 0.0, 0.25]);
    vec![
        (Format::SafeTensors, safetensors(&sample(), &[("classes", r#"["a", "b"]"#)])),
        (Format::Npz, npz(&sample(), STORED)),
        (Format::Npz, npz(&sample_with(vec![("logits2", logits)]), deflated)),
        (Format::Npz, std::fs::read(fixture("numpy_deflated.npz")).unwrap()),
        (Format::Torch, std::fs::read(fixture("torch_features.pt")).unwrap()),
        (Format::Parquet, parquet::table(parquet::sample())),
        (Format::Arrow, std::fs::read(fixture("arrow_views.arrow")).unwrap()),
        (Format::Arrow, std::fs::read(fixture("arrow_lz4.feather")).unwrap()),
        (Format::Arrow, std::fs::read(fixture("field/polars_stream.arrow")).unwrap()),
        (Format::Arrow, std::fs::read(fixture("field/pyarrow_zstd.feather")).unwrap()),
        (Format::Parquet, std::fs::read(fixture("field/pandas_brotli.parquet")).unwrap()),
        (Format::Npz, std::fs::read(fixture("field/objects_rows.npz")).unwrap()),
        (Format::Torch, std::fs::read(fixture("field/numpy_rows.pt")).unwrap()),
        (Format::Torch, std::fs::read(fixture("field/unbound.pt")).unwrap()),
    ]
}

#[test]
fn files_cut_short_anywhere_are_refused() {
    for (format, bytes) in valid_files() {
        let keys = Keys { missing: Missing::Keep, ..Keys::default() };
        assert!(read_bytes("whole", &bytes, format, &keys).is_ok());
        for length in 0..bytes.len() {
            let error = read_bytes("cut", &bytes[..length], format, &Keys::default()).unwrap_err();
            assert!(matches!(error, FeatureError::Corrupt { .. }), "{length} bytes: {error}");
        }
    }
}

#[test]
fn a_safetensors_file_cut_short_says_by_how_much() {
    let bytes = safetensors(&sample(), &[]);
    let error = read_bytes("cut", &bytes[..bytes.len() - 5], Format::SafeTensors, &Keys::default()).unwrap_err();
    assert!(error.to_string().contains("announces 96 bytes of tensors, but 91 follow"), "{error}");
}

fn safetensors_with_header(header: &str) -> FeatureError {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    read_bytes("hostile", &bytes, Format::SafeTensors, &Keys::default()).unwrap_err()
}

#[test]
fn safetensors_headers_that_claim_the_impossible() {
    let tensor = |shape: &str, start: u64, end: u64| {
        format!(r#"{{"dtype":"U8","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    for header in [
        "null".to_owned(),
        "{".to_owned(),
        format!(r#"{{"x1":{}}}"#, tensor("[4,4]", 0, 16)),
        format!(r#"{{"x1":{}}}"#, tensor("[18446744073709551615,2]", 0, 2)),
        format!(r#"{{"x1":{}}}"#, tensor("[2305843009213693951]", 0, 2_305_843_009_213_693_951)),
        format!(r#"{{"x1":{}}}"#, tensor("[1]", 5, 4)),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        // Eight tensors that together come within a few bytes of the largest offset there is.
        format!(
            "{{{}}}",
            (0..8_u64)
                .map(|i| {
                    let size = (1 << 61) - 1;
                    format!(r#""t{i}":{}"#, tensor(&format!("[{size}]"), i * size, (i + 1) * size))
                })
                .collect::<Vec<_>>()
                .join(",")
        ),
    ] {
        assert!(matches!(safetensors_with_header(&header), FeatureError::Corrupt { .. }), "{header}");
    }
    let bytes = u64::MAX.to_le_bytes();
    assert!(read_bytes("hostile", &bytes, Format::SafeTensors, &Keys::default()).is_err());
}

/// [`sample`] as `.npz`, with the member `x1` replaced.
fn npz_with_x1(x1: Vec<u8>, method: CompressionMethod) -> Vec<u8> {
    let one = npy("|u1", false, &[2, 1], &[0, 1]);
    let label = npy("|u1", false, &[2], &[0, 1]);
    archive(&[("x1.npy", x1), ("x2.npy", one), ("y.npy", label)], method)
}

#[test]
fn shapes_that_do_not_fit_their_members() {
    let eight = [0; 8];
    for shape in [&[2, 3][..], &[2, 5], &[1 << 40, 8], &[usize::MAX, usize::MAX], &[usize::MAX, 0, usize::MAX]] {
        let x1 = npy("|u1", false, shape, &eight);
        let error = read_npz(&npz_with_x1(x1, CompressionMethod::Stored)).unwrap_err();
        assert!(matches!(error, FeatureError::Corrupt { .. }), "{shape:?}: {error}");
    }
}

#[test]
fn a_deflated_bomb_is_not_unpacked() {
    // 64 MB of zeros in 64 kB, behind a header that speaks of two bytes.
    let x1 = npy("|u1", false, &[2, 1], &vec![0; 64 << 20]);
    let bytes = npz_with_x1(x1, CompressionMethod::Deflated);
    assert!(bytes.len() < 1 << 17);
    let error = read_npz(&bytes).unwrap_err();
    assert!(error.to_string().contains("does not fit its 67108992 bytes"), "{error}");
}

/// Overwrites the unpacked size of the first member in the archive's directory.
fn claim_size(bytes: &mut [u8], size: u32) {
    let entry = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes[entry + 24..entry + 28].copy_from_slice(&size.to_le_bytes());
}

#[test]
fn members_that_claim_more_than_their_bytes_can_hold() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let shape = [4_000_000_000 - 128, 1];
        let mut bytes = npz_with_x1(npy("|u1", false, &shape, &[0, 1]), method);
        claim_size(&mut bytes, 4_000_000_000);
        let error = read_npz(&bytes).unwrap_err();
        assert!(error.to_string().contains("impossible"), "{error}");
    }
}

#[test]
fn members_that_unpack_to_another_size_than_announced() {
    for (claimed, rows) in [(129, 1), (131, 3)] {
        let x1 = npy("|u1", false, &[rows, 1], &[0, 1]);
        let others = &[0, 1, 2][..rows];
        let (x2, y) = (npy("|u1", false, &[rows, 1], others), npy("|u1", false, &[rows], others));
        let members = [("x1.npy", x1), ("x2.npy", x2), ("y.npy", y)];
        let mut bytes = archive(&members, CompressionMethod::Deflated);
        claim_size(&mut bytes, claimed);
        let error = read_npz(&bytes).unwrap_err();
        assert!(matches!(error, FeatureError::Corrupt { .. }), "{claimed}: {error}");
    }
}

#[test]
fn a_changed_byte_of_data_fails_its_checksum() {
    let mut bytes = npz(&sample(), STORED);
    // The header of the first array is 128 bytes long and begins after the name.
    let data = bytes.windows(6).position(|window| window == b"\x93NUMPY").unwrap() + 128;
    bytes[data] ^= 1;
    let error = read_npz(&bytes).unwrap_err();
    assert!(matches!(error, FeatureError::Corrupt { .. }), "{error}");
}

#[test]
fn strings_of_no_length_are_refused() {
    let members = |labels| {
        let one = npy("|u1", false, &[2, 1], &[0, 1]);
        archive(&[("x1.npy", one.clone()), ("x2.npy", one), ("y.npy", labels)], CompressionMethod::Stored)
    };
    let error = read_npz(&members(npy("<U0", false, &[1 << 40], &[]))).unwrap_err();
    assert!(matches!(error, FeatureError::ElementType { .. }), "{error}");
    for (descr, data) in [("<U1", b"\x00\xd8\x00\x00\x00\x00\x00\x00".as_slice()), ("|S4", b"\xffaaabbbb")] {
        let error = read_npz(&members(npy(descr, false, &[2], data))).unwrap_err();
        assert!(error.to_string().contains("string 0 is not"), "{error}");
    }
}

/// A PyTorch archive around a pickle.
fn torch(pickle: &[u8]) -> Vec<u8> {
    archive(&[("a/data.pkl", pickle.to_vec()), ("a/data/0", vec![0; 64])], CompressionMethod::Stored)
}

#[test]
fn pickles_that_are_no_dictionary_of_tensors() {
    for (pickle, part) in [
        (b"\x80\x02]q\x00.".as_slice(), "does not hold a dictionary"),
        (b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.", "does not hold a dictionary"),
        (b"\x80\x02\xff.", "cannot be understood from byte 2"),
        (b"}X\x02\x00\x00\x00x1NsX\x02", "cannot be understood from byte 10"),
    ] {
        let error = read_bytes("hostile.pt", &torch(pickle), Format::Torch, &Keys::default()).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = read_bytes("empty.pt", &archive(&[], CompressionMethod::Stored), Format::Torch, &Keys::default());
    assert!(error.unwrap_err().to_string().contains("`data.pkl`"));
}

/// A pickled tensor in storage `0` of 64 bytes, its offset, shape and strides given as pickled integers.
fn torch_x1(offset: &[u8], shape: &[u8], strides: &[u8]) -> FeatureError {
    let parts: [&[u8]; 9] = [
        b"\x80\x02}X\x02\x00\x00\x00x1ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x10tQ",
        offset,
        b"(",
        shape,
        b"t(",
        strides,
        b"t\x89N",
        b"tR",
        b"s.",
    ];
    read_bytes("hostile.pt", &torch(&parts.concat()), Format::Torch, &Keys::default()).unwrap_err()
}

#[test]
fn tensors_outside_their_storage() {
    // Right in everything, so that the next array is missed.
    let error = torch_x1(b"K\x00", b"K\x08K\x02", b"K\x02K\x01");
    assert!(matches!(&error, FeatureError::MissingArray { array, .. } if array == "x2"), "{error}");
    let huge = b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
    for (offset, shape, strides) in [
        (b"K\x01".as_slice(), b"K\x08K\x02".as_slice(), b"K\x02K\x01".as_slice()),
        (huge, b"K\x08K\x02", b"K\x02K\x01"),
        (b"K\x00", &[huge.as_slice(), b"K\x02"].concat(), b"K\x00K\x00"),
        (b"K\x00", b"K\x08K\x02", &[huge.as_slice(), huge].concat()),
        (b"K\x00", b"K\x08K\x02", b"K\x01"),
    ] {
        let error = torch_x1(offset, shape, strides);
        assert!(matches!(error, FeatureError::Corrupt { .. }), "{error}");
    }
    // Negative sizes are no shape.
    let error = torch_x1(b"K\x00", b"J\xff\xff\xff\xffK\x02", b"K\x02K\x01");
    assert!(matches!(error, FeatureError::ElementType { .. }), "{error}");
}

fn any_format() -> impl Strategy<Value = Format> {
    prop::sample::select(Format::ALL)
}

proptest! {
    #[test]
    fn random_bytes_are_refused(format in any_format(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(read_bytes("random", &bytes, format, &Keys::default()).is_err());
    }

    /// Past the formats' own checks: random bytes where a header or a pickle should be.
    #[test]
    fn random_insides_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read_bytes("random", &torch(&bytes), Format::Torch, &Keys::default()).is_err());
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend(&bytes);
        prop_assert!(read_npz(&npz_with_x1(header, CompressionMethod::Stored)).is_err());
        let mut file = (bytes.len() as u64).to_le_bytes().to_vec();
        file.extend(&bytes);
        prop_assert!(read_bytes("random", &file, Format::SafeTensors, &Keys::default()).is_err());
    }

    /// Whatever a few changed bytes make of a valid file, reading it comes to an end without a panic.
    #[test]
    fn damaged_files_do_not_panic(
        which in 0_usize..14,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (format, mut bytes) = valid_files().swap_remove(which);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        drop(read_bytes("damaged", &bytes, format, &Keys::default()));
    }

    /// Values written as `f64` come back bit for bit, in either format.
    #[test]
    fn values_survive(values in prop::collection::vec(-1e300..1e300_f64, 8)) {
        let items = sample_with(vec![("x1", Item::new(Dtype::F64, &[4, 2], &values))]);
        let npz = read_npz(&npz(&items, STORED)).unwrap();
        prop_assert_eq!(npz.splits[0].features.x1.values(), values.as_slice());
        let bytes = safetensors(&items, &[]);
        let file = read_bytes("s", &bytes, Format::SafeTensors, &Keys::default()).unwrap();
        prop_assert_eq!(file.hash(), npz.hash());
    }
}
