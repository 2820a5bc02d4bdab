//! Files of samples: one row a sample, in input order, raw values in nats.
//!
//! The columns are those of [`Sample`] and then further ones, whose number and names depend on what was asked for.
//! Numbers are written with the fewest digits that give back the same f64.

use std::error::Error;
use std::io::Write;

use serde::{Serialize, Serializer};

use super::extra_columns::ExtraColumns;
use super::sample::{COLUMNS, Sample};
use super::value::Value;
use super::{Format, parquet};

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a, Text: Serialize> {
    #[serde(flatten)]
    sample: &'a Sample<Text>,
    #[serde(flatten)]
    further: Named<'a, Option<f64>>,
    #[serde(flatten)]
    metadata: Named<'a, Value<Text>>,
}

/// Values of a sample, by their names.
struct Named<'a, V> {
    names: Vec<&'a str>,
    values: &'a [V],
}

impl<V: Serialize> Serialize for Named<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.names.iter().zip(self.values))
    }
}

/// Writes samples; csv begins with a header. `further` are the further columns.
///
/// # Errors
/// What the output or the format gives.
pub fn write<Text: Serialize + AsRef<str>>(
    output: &mut (impl Write + Send),
    format: Format,
    further: &ExtraColumns,
    samples: impl IntoIterator<Item = Sample<Text>>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    begin(output, format, further)?;
    write_rows(output, format, further, samples)
}

/// Writes what comes before the first sample: the header of csv.
///
/// # Errors
/// What the output gives.
pub fn begin(
    output: &mut impl Write,
    format: Format,
    further: &ExtraColumns,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    if format == Format::Csv {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(COLUMNS.into_iter().chain(further.names()))?;
        writer.flush()?;
    }
    Ok(())
}

/// Writes samples, one a line, or as one table of Parquet.
///
/// # Errors
/// What the output or the format gives.
pub fn write_rows<Text: Serialize + AsRef<str>>(
    output: &mut (impl Write + Send),
    format: Format,
    further: &ExtraColumns,
    samples: impl IntoIterator<Item = Sample<Text>>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    match format {
        Format::Csv => {
            let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(output);
            for sample in samples {
                writer.serialize((&sample, &sample.further, &sample.metadata))?;
            }
            writer.flush()?;
        }
        Format::Jsonl => {
            let numbers: Vec<&str> = further.numbers.iter().map(String::as_str).collect();
            let names: Vec<&str> = further.metadata.iter().map(|column| column.name.as_str()).collect();
            for sample in samples {
                let further = Named { names: numbers.clone(), values: &sample.further };
                let metadata = Named { names: names.clone(), values: &sample.metadata };
                serde_json::to_writer(&mut *output, &Line { sample: &sample, further, metadata })?;
                output.write_all(b"\n")?;
            }
        }
        Format::Parquet => parquet::write(output, further, samples)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsmi_core::Kind;

    fn samples() -> [Sample<&'static str>; 2] {
        let first = Sample {
            id: "a,b",
            split: "train",
            fold: Some(2),
            label: "cat \"tom\"",
            h1: Some(0.1 + 0.2),
            h2: Some(-1.5e-300),
            i1: Some(0.25),
            i2: Some(-0.0),
            i12: Some(1.0),
            r: Some(1e300),
            u1: Some(5e-324),
            u2: Some(123_456_789.125),
            s: Some(f64::MAX),
            pred1: Some("x"),
            pred2: Some("y"),
            pred12: Some("z"),
            kind: Some(Kind::Unique2),
            further: Vec::new(),
            metadata: Vec::new(),
        };
        [first.clone(), Sample { id: "é", fold: None, kind: None, ..first }]
    }

    fn text(format: Format) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes, format, &ExtraColumns::default(), samples()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn text_with_further(format: Format) -> String {
        let samples = samples().map(|sample| Sample { further: vec![Some(0.5), Some(-1e-9)], ..sample });
        let mut bytes = Vec::new();
        let numbers = vec!["r_sd".to_owned(), "r_sx".to_owned()];
        write(&mut bytes, format, &ExtraColumns { numbers, ..ExtraColumns::default() }, samples).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn csv_has_the_contracts_columns() {
        let text = text(Format::Csv);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("id,split,fold,label,h1,h2,i1,i2,i12,r,u1,u2,s,pred1,pred2,pred12,kind"));
        let start = "\"a,b\",train,2,\"cat \"\"tom\"\"\",0.30000000000000004,-1.5e-300,0.25,-0.0,1.0,";
        assert!(lines.next().unwrap().starts_with(start));
        let second = lines.next().unwrap();
        assert!(second.starts_with("é,train,,") && second.ends_with(",x,y,z,"));
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn further_columns_come_last() {
        let csv = text_with_further(Format::Csv);
        let mut lines = csv.lines();
        assert!(lines.next().unwrap().ends_with(",pred12,kind,r_sd,r_sx"));
        assert!(lines.next().unwrap().ends_with(",x,y,z,unique2,0.5,-1e-9"));
        let jsonl = text_with_further(Format::Jsonl);
        assert!(jsonl.lines().next().unwrap().ends_with(r#","kind":"unique2","r_sd":0.5,"r_sx":-1e-9}"#));
    }

    #[test]
    fn the_header_has_the_fields() {
        let text = text(Format::Jsonl);
        let mut rest = text.lines().next().unwrap();
        for column in COLUMNS {
            rest = &rest[rest.find(&format!(r#""{column}":"#)).unwrap()..];
        }
        assert_eq!(rest, r#""kind":"unique2"}"#);
    }

    #[test]
    fn jsonl_has_the_same_fields() {
        let text = text(Format::Jsonl);
        let mut lines = text.lines();
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with(r#"{"id":"a,b","split":"train","fold":2,"label":"cat \"tom\"","h1":0.30000000000000004,"#)
        );
        assert!(lines.next().unwrap().contains(r#""fold":null,"#));
    }

    #[test]
    fn numbers_come_back_exactly() {
        let csv = text(Format::Csv);
        let from_csv: Vec<Sample<String>> =
            csv::Reader::from_reader(csv.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap();
        let from_json: Vec<Sample<String>> =
            text(Format::Jsonl).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for (found, expected) in from_csv.iter().chain(&from_json).zip(samples().iter().cycle()) {
            assert_eq!((found.h1, found.h2, found.u1), (expected.h1, expected.h2, expected.u1));
            assert_eq!((found.u2, found.s, found.fold), (expected.u2, expected.s, expected.fold));
            assert_eq!(found.i2.map(f64::to_bits), expected.i2.map(f64::to_bits));
        }
    }
}
