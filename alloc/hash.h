/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256, Ed25519 and random bytes, by OpenSSL. Hashes are 64 lower-case hex digits in a struct hash.
 * All functions may be called by several threads.
 */
#pragma once
#include "alloc/err.h"

#include <stddef.h>

struct hash {
    char hex[65];
};

struct hash hash_of(const void *bytes, size_t length);
/* n - 1 random hex digits and the end; n odd. */
void hash_random_hex(char *out, size_t n);

/* The signing key lives outside the store, in a file of mode 0600 (PEM, PKCS#8). */
int key_create(const char *path, struct err *e);
/* The public half as PEM; owned by the caller. NULL on failure. */
char *key_public(const char *path, struct err *e);
/* Base64 of the Ed25519 signature over text; owned by the caller. */
char *key_sign(const char *path, const char *text, struct err *e);
/* Checks it against the public half of the key at path, or the public half alone (as key_public() gives it).
   ERR_BOOKS when it does not fit. */
int key_verify(const char *path, const char *text, const char *signature, struct err *e);
