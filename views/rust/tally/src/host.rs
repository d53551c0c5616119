//! The server's side of the ABI: its imports, with slices instead of pointers. Outside of a module there is no server.

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "tally")]
extern "C" {
    fn get(key: *const u8, key_len: usize) -> i64;
    fn set(key: *const u8, key_len: usize, value: *const u8, value_len: usize);
    fn delete(key: *const u8, key_len: usize);
    fn scan(prefix: *const u8, prefix_len: usize, after: *const u8, after_len: usize, limit: u32) -> i64;
    fn config() -> i64;
    fn fail(text: *const u8, len: usize);
    fn content_type(text: *const u8, len: usize);
    fn answer(text: *const u8, len: usize);
    fn retry_after(seconds: i32);
}

#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::missing_safety_doc)]
mod absent {
    const WHY: &str = "only the server keeps state: test a view with golden folders and `tally view test`";

    pub unsafe fn get(_: *const u8, _: usize) -> i64 {
        panic!("{}", WHY)
    }
    pub unsafe fn set(_: *const u8, _: usize, _: *const u8, _: usize) {
        panic!("{}", WHY)
    }
    pub unsafe fn delete(_: *const u8, _: usize) {
        panic!("{}", WHY)
    }
    pub unsafe fn scan(_: *const u8, _: usize, _: *const u8, _: usize, _: u32) -> i64 {
        panic!("{}", WHY)
    }
    pub unsafe fn content_type(_: *const u8, _: usize) {
        panic!("{}", WHY)
    }
}
#[cfg(not(target_arch = "wasm32"))]
use absent::*;

/// What the server wrote into the arena.
#[inline]
fn unpack<'a>(pair: i64) -> &'a [u8] {
    let (at, len) = ((pair as u64 >> 32) as usize, pair as u32 as usize);
    if len == 0 {
        return &[]; // at may be 0
    }
    unsafe { std::slice::from_raw_parts(at as *const u8, len) }
}

/// Keys, values, configurations and the texts of events are UTF-8, which the server has checked.
#[inline]
pub fn utf8(bytes: &[u8]) -> &str {
    debug_assert!(std::str::from_utf8(bytes).is_ok());
    unsafe { std::str::from_utf8_unchecked(bytes) }
}

#[inline]
pub fn state_get<'a>(key: &str) -> Option<&'a str> {
    let pair = unsafe { get(key.as_ptr(), key.len()) };
    if pair < 0 {
        return None;
    }
    Some(utf8(unpack(pair)))
}

#[inline]
pub fn state_set(key: &str, value: &[u8]) {
    unsafe { set(key.as_ptr(), key.len(), value.as_ptr(), value.len()) }
}

pub fn state_delete(key: &str) {
    unsafe { delete(key.as_ptr(), key.len()) }
}

/// The entries as they lie in memory: see the ABI.
pub fn state_scan<'a>(prefix: &str, after: &str, limit: u32) -> &'a [u8] {
    unpack(unsafe { scan(prefix.as_ptr(), prefix.len(), after.as_ptr(), after.len(), limit) })
}

pub fn answer_type(name: &str) {
    unsafe { content_type(name.as_ptr(), name.len()) }
}

#[cfg(target_arch = "wasm32")]
pub fn configuration<'a>() -> &'a str {
    utf8(unpack(unsafe { config() }))
}

#[cfg(target_arch = "wasm32")]
pub fn say(reason: &str) {
    unsafe { fail(reason.as_ptr(), reason.len()) }
}

#[cfg(target_arch = "wasm32")]
pub fn guard_answer(json: &str) {
    unsafe { answer(json.as_ptr(), json.len()) }
}

#[cfg(target_arch = "wasm32")]
pub fn say_retry_after(seconds: i32) {
    unsafe { retry_after(seconds) }
}
