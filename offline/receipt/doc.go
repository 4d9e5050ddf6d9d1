// Package receipt makes and checks the QR receipt a citizen takes home: it is read, checked and shown with no network.
//
// There are two stages. 收件回执 (stage 1) is signed by the station's device the moment a case is saved: it proves that
// this station took the case in. 受理通知书 (stage 2) is signed by the platform: it proves that the platform accepted
// the case. The two never share a key, and neither is ever taken for the other.
//
// # Bytes
//
// The envelope is COSE_Sign1 (RFC 9052 §4.2), an untagged array of four:
//
//	84                                        array of 4
//	   4d a2 01 3a00010000 04 44 kid[4]       protected header {1: -65537, 4: kid}
//	   a0                                     unprotected header, empty
//	   58 nn payload                          positional deterministic CBOR, see Stage1 and Stage2
//	   58 40 r[32] s[32]                      SM2 over SM3, user id 1234567812345678
//
// The algorithm number -65537 is from the private-use range: no number is registered for SM2. kid is the first four
// bytes of SM3 over the key's SubjectPublicKeyInfo; it says which keys to try and proves nothing. The signature is over
// the Sig_structure ["Signature1", protected, external_aad "", payload]. Every part has one encoding; anything else is
// refused.
//
// The link is https://<host>/r#<base41 of the envelope>. The fragment is never sent to the host by a browser, and base41
// uses only characters that are legal in a fragment and in the QR alphanumeric mode.
//
// Public keys come from key lists signed by the platform root, see [KeyList]. docs/receipt.md tells how to check a
// receipt with OpenSSL alone.
package receipt
