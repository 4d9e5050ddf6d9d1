// SM3 (GB/T 32905-2016).

const rotl = (x, n) => (x << n) | (x >>> (32 - n));
const p0 = (x) => x ^ rotl(x, 9) ^ rotl(x, 17);
const p1 = (x) => x ^ rotl(x, 15) ^ rotl(x, 23);

export function sm3(message) {
  const size = message.length;
  const padded = new Uint8Array(((size + 72) >> 6) << 6);
  padded.set(message);
  padded[size] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(size / 0x20000000));
  view.setUint32(padded.length - 4, size << 3);
  const v = new Int32Array([
    0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
  ]);
  const w = new Int32Array(68);
  for (let at = 0; at < padded.length; at += 64) {
    for (let j = 0; j < 16; j++) w[j] = view.getInt32(at + 4 * j);
    for (let j = 16; j < 68; j++) {
      w[j] = p1(w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)) ^ rotl(w[j - 13], 7) ^ w[j - 6];
    }
    let [a, b, c, d, e, f, g, h] = v;
    for (let j = 0; j < 64; j++) {
      const a12 = rotl(a, 12);
      const ss1 = rotl((a12 + e + rotl(j < 16 ? 0x79cc4519 : 0x7a879d8a, j % 32)) | 0, 7);
      const ff = j < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
      const gg = j < 16 ? e ^ f ^ g : (e & f) | (~e & g);
      const tt1 = (ff + d + (ss1 ^ a12) + (w[j] ^ w[j + 4])) | 0;
      const tt2 = (gg + h + ss1 + w[j]) | 0;
      d = c;
      c = rotl(b, 9);
      b = a;
      a = tt1;
      h = g;
      g = rotl(f, 19);
      f = e;
      e = p0(tt2);
    }
    [a, b, c, d, e, f, g, h].forEach((x, i) => (v[i] ^= x));
  }
  const out = new Uint8Array(32);
  v.forEach((x, i) => new DataView(out.buffer).setInt32(4 * i, x));
  return out;
}
