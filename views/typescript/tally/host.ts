// The server's side of the ABI, as it imports it. Views use state.ts and guest.ts instead.

// @ts-ignore: decorator
@external("tally", "get")
export declare function get(key: usize, keyLen: i32): i64;

// @ts-ignore: decorator
@external("tally", "set")
export declare function set(key: usize, keyLen: i32, value: usize, valueLen: i32): void;

// @ts-ignore: decorator
@external("tally", "delete")
export declare function remove(key: usize, keyLen: i32): void;

// @ts-ignore: decorator
@external("tally", "scan")
export declare function scan(prefix: usize, prefixLen: i32, after: usize, afterLen: i32, limit: i32): i64;

// @ts-ignore: decorator
@external("tally", "config")
export declare function config(): i64;

// @ts-ignore: decorator
@external("tally", "fail")
export declare function fail(at: usize, len: i32): void;

// @ts-ignore: decorator
@external("tally", "content_type")
export declare function contentType(at: usize, len: i32): void;

// @ts-ignore: decorator
@external("tally", "answer")
export declare function answer(at: usize, len: i32): void;

// @ts-ignore: decorator
@external("tally", "retry_after")
export declare function retryAfter(seconds: i32): void;
