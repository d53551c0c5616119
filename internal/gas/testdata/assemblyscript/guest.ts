// A view that counts the words of all events, with what AssemblyScript programs are made of: its collector, maps, strings.
//
// asc guest.ts --target release --runtime minimal --use abort= --exportStart _initialize -o guest.wasm
@external("tally", "set")
declare function set(key: usize, keyLength: i32, value: usize, valueLength: i32): void;

const pinned = new Array<ArrayBuffer>();

export function tally_alloc(n: i32): usize {
  const room = new ArrayBuffer(n + 8);
  pinned.push(room);
  return changetype<usize>(room) + 7 & ~7;
}

function write(key: string, value: string): void {
  const k = String.UTF8.encode(key), v = String.UTF8.encode(value);
  set(changetype<usize>(k), k.byteLength, changetype<usize>(v), v.byteLength);
}

export function tally_fold(event: usize): i32 {
  const text = String.UTF8.decodeUnsafe(load<u32>(event, 24), load<u32>(event, 28));
  const words = new Map<string, f64>();
  const parts = text.toUpperCase().split('"');
  for (let i = 0; i < parts.length; i++) {
    const word = parts[i];
    words.set(word, (words.has(word) ? words.get(word) : 0.5) + <f64>word.length);
  }
  const keys = words.keys().sort();
  for (let i = 0; i < keys.length; i++) write(keys[i], words.get(keys[i]).toString());
  pinned.length = 0;
  return 0;
}

export function tally_query(ptr: usize, len: i32): u64 {
  return <u64>ptr << 32 | <u64>len;
}
