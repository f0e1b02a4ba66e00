/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/hash.h"

#include "alloc/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void to_hex(const unsigned char *bytes, size_t n, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

struct hash hash_of(const void *bytes, size_t length) {
    static EVP_MD *sha256; /* fetched once: fetching for each call doubles its cost */
    static EVP_MD_CTX *context;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the threads of a backend hash too */
    unsigned char digest[32];
    pthread_mutex_lock(&lock);
    if (!sha256) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        context = EVP_MD_CTX_new();
    }
    if (!sha256 || !context || !EVP_DigestInit_ex2(context, sha256, NULL) ||
        !EVP_DigestUpdate(context, bytes, length) || !EVP_DigestFinal_ex(context, digest, NULL))
        abort(); /* without SHA-256 no book can be kept */
    pthread_mutex_unlock(&lock);
    struct hash h;
    to_hex(digest, sizeof digest, h.hex);
    return h;
}

void hash_random_hex(char *out, size_t n) {
    unsigned char bytes[64];
    if ((n - 1) / 2 > sizeof bytes || RAND_bytes(bytes, (int)((n - 1) / 2)) != 1) abort();
    to_hex(bytes, (n - 1) / 2, out);
}

static int key_fail(const char *path, const char *what, struct err *e) {
    return err_set(e, ERR_FAILED, "signing key %s: %s", path, what);
}

int key_create(const char *path, struct err *e) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return key_fail(path, strerror(errno), e);
    FILE *f = fdopen(fd, "w");
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    int ok = key && PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
    EVP_PKEY_free(key);
    ok = fsync(fd) == 0 && ok;
    ok = fclose(f) == 0 && ok;
    if (ok) return 0;
    unlink(path);
    return key_fail(path, "cannot be written", e);
}

static EVP_PKEY *key_load(const char *path, struct err *e) {
    struct stat st;
    FILE *f = fopen(path, "re");
    if (!f) {
        key_fail(path, strerror(errno), e);
        err_hint(e, "make one with: allot audit key --create");
        return NULL;
    }
    EVP_PKEY *key = NULL;
    if (fstat(fileno(f), &st) == 0 && (st.st_mode & 077) != 0) {
        key_fail(path, "others may read it", e);
        err_hint(e, "chmod 600 %s", path);
    } else if (!(key = PEM_read_PrivateKey(f, NULL, NULL, NULL)) ||
               EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
        key_fail(path, "is not an Ed25519 key in PEM", e);
        EVP_PKEY_free(key);
        key = NULL;
    }
    fclose(f);
    return key;
}

char *key_public(const char *path, struct err *e) {
    EVP_PKEY *key = key_load(path, e);
    if (!key) return NULL;
    BIO *out = BIO_new(BIO_s_mem());
    char *pem = NULL, *data;
    if (out && PEM_write_bio_PUBKEY(out, key) == 1) {
        size_t n = (size_t)BIO_get_mem_data(out, &data);
        pem = mem_alloc(n + 1);
        memcpy(pem, data, n);
    } else {
        key_fail(path, "its public half cannot be written", e);
    }
    BIO_free(out);
    EVP_PKEY_free(key);
    return pem;
}

char *key_sign(const char *path, const char *text, struct err *e) {
    EVP_PKEY *key = key_load(path, e);
    if (!key) return NULL;
    unsigned char signature[64];
    size_t n = sizeof signature;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    char *base64 = NULL;
    if (c && EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestSign(c, signature, &n, (const unsigned char *)text, strlen(text)) == 1) {
        base64 = mem_alloc(4 * ((n + 2) / 3) + 1);
        EVP_EncodeBlock((unsigned char *)base64, signature, (int)n);
    } else {
        key_fail(path, "cannot sign", e);
    }
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(key);
    return base64;
}

/* A file that holds the public half only, as whoever checks has it. NULL when it does not. */
static EVP_PKEY *public_load(const char *path) {
    FILE *f = fopen(path, "re");
    if (!f) return NULL;
    EVP_PKEY *key = PEM_read_PUBKEY(f, NULL, NULL, NULL);
    fclose(f);
    if (key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519) return key;
    EVP_PKEY_free(key);
    return NULL;
}

int key_verify(const char *path, const char *text, const char *signature, struct err *e) {
    unsigned char raw[96];
    size_t length = strlen(signature);
    if (length != 88 || EVP_DecodeBlock(raw, (const unsigned char *)signature, (int)length) != 66)
        return err_set(e, ERR_BOOKS, "the signature is not 64 bytes in base64");
    EVP_PKEY *key = public_load(path);
    if (!key && !(key = key_load(path, e))) return -1;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(c, raw, 64, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(c);
    EVP_PKEY_free(key);
    return ok ? 0 : err_set(e, ERR_BOOKS, "the signature does not fit the text and the key %s", path);
}
