#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code)]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (_, target) = targets::TARGETS.iter().find(|(name, _)| *name == "audio").expect("the reader is listed");
    target(bytes);
});
