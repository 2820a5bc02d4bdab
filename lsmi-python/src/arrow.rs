//! Columns in and out by Arrow's C interface, without Arrow's own packages (the `PyCapsule` protocol).

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchOptions, RecordBatchReader, StructArray, make_array,
};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use numpy::{Element, IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};

use crate::error::{failed, usage};

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// Rows for whatever takes `__arrow_c_array__`, such as `pyarrow.record_batch`.
#[pyclass(frozen, module = "lsmi._lsmi")]
pub(crate) struct Batch(pub(crate) RecordBatch);

#[pymethods]
impl Batch {
    /// Exports the columns and the rows; another schema that is asked for is not heeded, as the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let _ = requested_schema;
        let rows = FFI_ArrowArray::new(&StructArray::from(self.0.clone()).into_data());
        Ok((self.__arrow_c_schema__(py)?, PyCapsule::new_with_value(py, rows, ARRAY)?.into_any()))
    }

    /// Exports the columns.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let schema = FFI_ArrowSchema::try_from(self.0.schema().as_ref()).map_err(|error| failed(&error))?;
        // Checkers of types know no class of capsules before Python 3.13.
        Ok(PyCapsule::new_with_value(py, schema, SCHEMA)?.into_any())
    }
}

/// Takes the rows of whatever has `__arrow_c_array__` or `__arrow_c_stream__` as one batch, without a copy where they are one.
pub(crate) fn record_batch(data: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    if data.hasattr("__arrow_c_array__")? {
        return of_array(data);
    }
    if !data.hasattr("__arrow_c_stream__")? {
        return Err(usage(format!(
            "the rows are of type {}, but must be a record batch or table of Arrow's",
            data.get_type().name()?
        )));
    }
    let (schema, batches) = of_stream(data)?;
    match batches.as_slice() {
        [only] => Ok(only.clone()),
        several => concat_batches(&schema, several).map_err(|error| failed(&error)),
    }
}

/// Makes a batch without rows of a schema that has `__arrow_c_schema__`.
pub(crate) fn empty_batch(schema: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let capsule = schema.call_method0("__arrow_c_schema__")?;
    let pointer = capsule.cast::<PyCapsule>()?.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    // SAFETY: a capsule of this name holds a schema of the C interface, which is only looked at.
    #[expect(unsafe_code, reason = "the C interface is a pointer")]
    let schema = Schema::try_from(unsafe { pointer.as_ref() }).map_err(|error| failed(&error))?;
    Ok(RecordBatch::new_empty(Arc::new(schema)))
}

/// Exports rows as a capsule that holds a stream.
pub(crate) fn stream(py: Python<'_>, batch: RecordBatch) -> PyResult<Bound<'_, PyCapsule>> {
    let schema = batch.schema();
    let batches: [Result<RecordBatch, ArrowError>; 1] = [Ok(batch)];
    let stream = FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new(batches, schema)));
    PyCapsule::new_with_value(py, stream, STREAM)
}

/// Takes the columns of whatever has `__arrow_c_stream__` or `__arrow_c_array__`: NumPy arrays by name, lists of `str` where
/// they are text, `[n, d]` where they are lists. A single array has the name "".
#[pyfunction]
pub(crate) fn columns<'py>(py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let batches = if data.hasattr("__arrow_c_stream__")? { of_stream(data)?.1 } else { vec![of_array(data)?] };
    let all = PyDict::new(py);
    let concatenate = py.import("numpy")?.getattr("concatenate")?;
    let Some(first) = batches.first() else { return Err(usage("there are no rows")) };
    for (place, field) in first.schema().fields().iter().enumerate() {
        let parts: Vec<Bound<'py, PyAny>> =
            batches.iter().map(|batch| values(py, field.name(), batch.column(place))).collect::<PyResult<_>>()?;
        let column = match parts.as_slice() {
            [only] => only.clone(),
            [list, ..] if list.is_instance_of::<PyList>() => {
                let joined = PyList::empty(py);
                for part in &parts {
                    joined.call_method1("extend", (part,))?;
                }
                joined.into_any()
            }
            _ => concatenate.call1((parts,))?,
        };
        all.set_item(field.name(), column)?;
    }
    Ok(all)
}

/// Puts the columns of rows in a dictionary.
pub(crate) fn dictionary<'py>(py: Python<'py>, batch: &RecordBatch) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        columns.set_item(field.name(), values(py, field.name(), column)?)?;
    }
    Ok(columns)
}

fn of_stream(data: &Bound<'_, PyAny>) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    let capsule = data.call_method0("__arrow_c_stream__")?;
    let pointer = capsule.cast::<PyCapsule>()?.pointer_checked(Some(STREAM))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: a capsule of this name holds a stream of the C interface; reading moves it out and leaves an empty one, which
    // the capsule may release.
    #[expect(unsafe_code, reason = "the C interface is a pointer")]
    let reader = unsafe { ArrowArrayStreamReader::from_raw(pointer.as_ptr()) };
    let reader = reader.map_err(|error| failed(&error))?;
    let schema = reader.schema();
    Ok((schema, reader.collect::<Result<_, _>>().map_err(|error| failed(&error))?))
}

fn of_array(data: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) =
        data.call_method0("__arrow_c_array__")?.extract()?;
    let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: capsules of these names hold structs of the C interface; the array is moved out, and an empty one left for the
    // capsule to release, while the schema is only looked at.
    #[expect(unsafe_code, reason = "the C interface is a pointer")]
    let (schema, array) = unsafe { (schema.as_ref(), FFI_ArrowArray::from_raw(array.as_ptr())) };
    if array.is_released() {
        return Err(usage("the rows of this object were taken before; give them anew"));
    }
    // SAFETY: both are of the C interface, and the producer vouches that they belong together.
    #[expect(unsafe_code, reason = "the C interface is a pointer")]
    let data = unsafe { from_ffi(array, schema) };
    let array = make_array(data.map_err(|error| failed(&error))?);
    Ok(match array.as_any().downcast_ref::<StructArray>() {
        Some(rows) if rows.null_count() > 0 => return Err(usage("a whole row is null; drop such rows")),
        Some(rows) => {
            // An array has columns, and its schema metadata beside them.
            let schema = Schema::try_from(schema).map_err(|error| failed(&error))?;
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            let batch = RecordBatch::try_new_with_options(Arc::new(schema), rows.columns().to_vec(), &options);
            batch.map_err(|error| failed(&error))?
        }
        None => RecordBatch::try_from_iter([("", array)]).map_err(|error| failed(&error))?,
    })
}

fn values<'py>(py: Python<'py>, name: &str, array: &ArrayRef) -> PyResult<Bound<'py, PyAny>> {
    Ok(match array.data_type() {
        DataType::Float32 => floats::<Float32Type>(py, array, f32::NAN),
        DataType::Float64 => floats::<Float64Type>(py, array, f64::NAN),
        DataType::Float16 => {
            let values = array.as_primitive::<arrow_array::types::Float16Type>();
            let values: Vec<f32> = values.iter().map(|value| value.map_or(f32::NAN, f32::from)).collect();
            values.into_pyarray(py).into_any()
        }
        DataType::Int8 => integers::<Int8Type>(py, array, f64::from),
        DataType::Int16 => integers::<Int16Type>(py, array, f64::from),
        DataType::Int32 => integers::<Int32Type>(py, array, f64::from),
        DataType::Int64 => integers::<Int64Type>(py, array, |value| value as f64),
        DataType::UInt8 => integers::<UInt8Type>(py, array, f64::from),
        DataType::UInt16 => integers::<UInt16Type>(py, array, f64::from),
        DataType::UInt32 => integers::<UInt32Type>(py, array, f64::from),
        DataType::UInt64 => integers::<UInt64Type>(py, array, |value| value as f64),
        DataType::Boolean => {
            let values: Vec<Option<bool>> = array.as_boolean().iter().collect();
            match values.iter().copied().collect::<Option<Vec<bool>>>() {
                Some(all) => all.into_pyarray(py).into_any(),
                None => texts(py, values.into_iter().map(|value| value.map(|value| value.to_string())))?,
            }
        }
        DataType::Utf8 => texts(py, array.as_string::<i32>().iter())?,
        DataType::LargeUtf8 => texts(py, array.as_string::<i64>().iter())?,
        DataType::Utf8View => texts(py, array.as_string_view().iter())?,
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let entries = values(py, name, dictionary.values())?;
            let entries: Vec<Py<PyAny>> =
                entries.try_iter()?.map(|entry| Ok(entry?.unbind())).collect::<PyResult<_>>()?;
            // Without entries every row is null.
            let keys = if entries.is_empty() { vec![0; array.len()] } else { dictionary.normalized_keys() };
            let of_row = |row: usize| if array.is_null(row) { py.None() } else { entries[keys[row]].clone_ref(py) };
            PyList::new(py, (0..array.len()).map(of_row))?.into_any()
        }
        DataType::FixedSizeList(_, width) => {
            let lists = array.as_fixed_size_list();
            let start = usize::try_from(lists.value_offset(0)).unwrap_or_default();
            let width = usize::try_from(*width).unwrap_or_default();
            let inner = lists.values().slice(start, width * array.len());
            matrix(py, name, &inner, array)?
        }
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let offsets: Vec<usize> =
                lists.value_offsets().iter().map(|offset| usize::try_from(*offset).unwrap_or_default()).collect();
            matrix(py, name, &within(lists.values(), &offsets, name)?, array)?
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            let offsets: Vec<usize> =
                lists.value_offsets().iter().map(|offset| usize::try_from(*offset).unwrap_or_default()).collect();
            matrix(py, name, &within(lists.values(), &offsets, name)?, array)?
        }
        other => return Err(usage(format!("`{name}` is a column of {other}; give numbers, text or lists of numbers"))),
    })
}

/// Takes the values of lists, which are of one length.
fn within(values: &ArrayRef, offsets: &[usize], name: &str) -> PyResult<ArrayRef> {
    let lengths: Vec<usize> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if let Some(row) = lengths.iter().position(|length| *length != lengths[0]) {
        let (found, expected) = (lengths[row], lengths[0]);
        return Err(usage(format!("`{name}` has {found} values at row {row}, but {expected} at the first")));
    }
    let (first, last) = (offsets.first().copied().unwrap_or_default(), offsets.last().copied().unwrap_or_default());
    Ok(values.slice(first, last - first))
}

fn matrix<'py>(py: Python<'py>, name: &str, inner: &ArrayRef, rows: &ArrayRef) -> PyResult<Bound<'py, PyAny>> {
    if let Some(row) = (0..rows.len()).find(|row| rows.is_null(*row)) {
        return Err(usage(format!("`{name}` is null at row {row}")));
    }
    values(py, name, inner)?.call_method1("reshape", (rows.len(), inner.len() / rows.len().max(1)))
}

/// Floating-point numbers, null as NaN.
fn floats<'py, T>(py: Python<'py>, array: &ArrayRef, missing: T::Native) -> Bound<'py, PyAny>
where
    T: ArrowPrimitiveType<Native: Element>,
{
    let values = array.as_primitive::<T>();
    if values.null_count() == 0 {
        return PyArray1::from_slice(py, values.values()).into_any();
    }
    values.iter().map(|value| value.unwrap_or(missing)).collect::<Vec<_>>().into_pyarray(py).into_any()
}

/// Integers; floating-point numbers with NaN where some are missing.
fn integers<'py, T>(py: Python<'py>, array: &ArrayRef, float: impl Fn(T::Native) -> f64) -> Bound<'py, PyAny>
where
    T: ArrowPrimitiveType<Native: Element>,
{
    let values = array.as_primitive::<T>();
    if values.null_count() == 0 {
        return PyArray1::from_slice(py, values.values()).into_any();
    }
    values.iter().map(|value| value.map_or(f64::NAN, &float)).collect::<Vec<_>>().into_pyarray(py).into_any()
}

fn texts<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    texts: impl Iterator<Item = Option<T>>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyList::new(py, texts.collect::<Vec<_>>())?.into_any())
}
