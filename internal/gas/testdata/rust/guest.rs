//! A view that counts the words of all events, with what Rust programs are made of: strings, maps, formatting, recursion.
//!
//! rustc --edition=2021 --target wasm32-unknown-unknown --crate-type=cdylib -O -C strip=symbols -C panic=abort -o guest.wasm guest.rs
use std::alloc::{alloc, Layout};
use std::collections::BTreeMap;

#[link(wasm_import_module = "tally")]
extern "C" {
    fn set(key: *const u8, key_len: usize, value: *const u8, value_len: usize);
}

#[no_mangle]
pub extern "C" fn tally_alloc(n: usize) -> *mut u8 {
    unsafe { alloc(Layout::from_size_align(n.max(8), 8).unwrap()) }
}

fn depth(text: &[u8]) -> usize {
    match text {
        [] => 0,
        [b'{', rest @ ..] => depth(rest) + 1,
        [_, rest @ ..] => depth(rest).max(1),
    }
}

#[no_mangle]
pub unsafe extern "C" fn tally_fold(event: *const u32) -> i32 {
    let data = std::slice::from_raw_parts(*event.add(6) as *const u8, *event.add(7) as usize);
    let text = String::from_utf8_lossy(data);
    let mut words: BTreeMap<String, u64> = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        *words.entry(word.to_uppercase()).or_default() += word.len() as u64;
    }
    let value = format!("{{\"words\":{:?},\"depth\":{}}}", words, depth(data));
    let key = format!("{}", words.values().sum::<u64>() as f64 / 7.0);
    set(key.as_ptr(), key.len(), value.as_ptr(), value.len());
    0
}

#[no_mangle]
pub extern "C" fn tally_query(ptr: usize, len: usize) -> u64 {
    (ptr as u64) << 32 | len as u64
}
