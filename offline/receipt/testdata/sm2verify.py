"""Asks OpenSSL's libcrypto about many SM2 signatures over SM3, default user id, in one process.

Lines of standard input: the file of a public key (PEM), what was signed and the signature (DER), both in hex.
A line of standard output for each: 1 when OpenSSL takes the signature, 0 when it does not.
"""
import ctypes
import sys

lib = ctypes.CDLL("libcrypto.so.3")
P, Z, B = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
for name, result, arguments in [
    ("BIO_new_file", P, [B, B]),
    ("PEM_read_bio_PUBKEY", P, [P, P, P, P]),
    ("EVP_MD_CTX_new", P, []),
    ("EVP_MD_CTX_free", None, [P]),
    ("EVP_PKEY_CTX_new", P, [P, P]),
    ("EVP_PKEY_CTX_free", None, [P]),
    ("EVP_PKEY_CTX_set1_id", ctypes.c_int, [P, B, ctypes.c_int]),
    ("EVP_MD_CTX_set_pkey_ctx", None, [P, P]),
    ("EVP_DigestVerifyInit", ctypes.c_int, [P, P, P, P, P]),
    ("EVP_DigestVerify", ctypes.c_int, [P, B, Z, B, Z]),
    ("EVP_sm3", P, []),
    ("ERR_clear_error", None, []),
]:
    f = getattr(lib, name)
    f.restype, f.argtypes = result, arguments

keys = {}
uid = b"1234567812345678"


def key(path):
    if path not in keys:
        bio = lib.BIO_new_file(path.encode(), b"r")
        pkey = bio and lib.PEM_read_bio_PUBKEY(bio, None, None, None)
        if not pkey:
            sys.exit("no public key in " + path)
        keys[path] = pkey
    return keys[path]


for line in sys.stdin:
    path, message, signature = line.split()
    pkey = key(path)
    message, signature = bytes.fromhex(message), bytes.fromhex(signature)
    md, ctx = lib.EVP_MD_CTX_new(), lib.EVP_PKEY_CTX_new(pkey, None)
    if lib.EVP_PKEY_CTX_set1_id(ctx, uid, len(uid)) != 1:
        sys.exit("no user id")
    lib.EVP_MD_CTX_set_pkey_ctx(md, ctx)
    if lib.EVP_DigestVerifyInit(md, None, lib.EVP_sm3(), None, pkey) != 1:
        sys.exit("no verification")
    took = lib.EVP_DigestVerify(md, signature, len(signature), message, len(message)) == 1
    lib.EVP_MD_CTX_free(md)
    lib.EVP_PKEY_CTX_free(ctx)
    lib.ERR_clear_error()
    print(1 if took else 0)
