// SM2 signatures (GB/T 32918.2-2016) over SM3 with the default user id. The arithmetic is @noble/curves'.

import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { concat, hex } from "./bytes.js";
import { sm3 } from "./sm3.js";

const n = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const a = 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn;
const b = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const Point = weierstrass({
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  n,
  h: 1n,
  a,
  b,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
});

const number = (bytes) => BigInt("0x" + hex(bytes));
const bytes32 = (x) => Uint8Array.from(x.toString(16).padStart(64, "0").match(/../g), (s) => parseInt(s, 16));
const curve = concat(bytes32(a), bytes32(b), Point.BASE.toBytes(false).subarray(1));
const userID = new TextEncoder().encode("1234567812345678");

/** Reports whether sig (r‖s) is the signature of pub (04‖x‖y) over message. Never throws. */
export function verifySM2(pub, message, sig) {
  if (pub.length !== 65 || pub[0] !== 4 || sig.length !== 64) return false;
  const r = number(sig.subarray(0, 32));
  const s = number(sig.subarray(32));
  if (r < 1n || r >= n || s < 1n || s >= n) return false;
  const t = (r + s) % n;
  if (t === 0n) return false;
  try {
    const p = Point.fromBytes(pub);
    p.assertValidity();
    const z = sm3(concat([0, 128], userID, curve, pub.subarray(1)));
    const e = number(sm3(concat(z, message)));
    const q = Point.BASE.multiplyUnsafe(s).add(p.multiplyUnsafe(t));
    return !q.is0() && (e + q.toAffine().x) % n === r;
  } catch {
    return false;
  }
}
