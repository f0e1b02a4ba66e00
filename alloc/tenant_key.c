/* SPDX-License-Identifier: Apache-2.0 */
/* SSH public keys, as RFC 4253 (6.6), RFC 5656 (3.1), RFC 8709 and OpenSSH's PROTOCOL.u2f lay them out. */
#include "alloc/scope.h"
#include "alloc/tenant.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 8192, COMMENT_MOST = 200, RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 16384 };

struct blob {
    const unsigned char *at;
    size_t left;
};

enum shape { SHAPE_ED25519, SHAPE_ECDSA, SHAPE_RSA };

static const struct key_type {
    const char *name, *curve;
    size_t point; /* bytes of an uncompressed point */
    enum shape shape;
    bool is_token;
} types[] = {
    {"ssh-ed25519", NULL, 0, SHAPE_ED25519, false},
    {"ecdsa-sha2-nistp256", "nistp256", 65, SHAPE_ECDSA, false},
    {"ecdsa-sha2-nistp384", "nistp384", 97, SHAPE_ECDSA, false},
    {"ecdsa-sha2-nistp521", "nistp521", 133, SHAPE_ECDSA, false},
    {"ssh-rsa", NULL, 0, SHAPE_RSA, false},
    {"sk-ssh-ed25519@openssh.com", NULL, 0, SHAPE_ED25519, true},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", 65, SHAPE_ECDSA, true},
};

/* The message never repeats the text: it may be a secret. */
static int refuse_private(const char *text, struct err *e) {
    bool is_private = strstr(text, "PRIVATE KEY") || strstr(text, "PuTTY-User-Key-File") ||
                      strncmp(text, "b3BlbnNzaC1rZXktdjE", 19) == 0;
    if (!is_private) return 0;
    err_set(e, ERR_USAGE, "this is a private key; it was not stored");
    return err_hint(e, "give the public half, the file that ends in .pub; a private key that left its owner "
                       "should be replaced");
}

static int take_string(struct blob *from, struct blob *out) {
    if (from->left < 4) return -1;
    const unsigned char *p = from->at;
    size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (n > from->left - 4) return -1;
    *out = (struct blob){p + 4, n};
    from->at += 4 + n;
    from->left -= 4 + n;
    return 0;
}

static bool blob_is(const struct blob *b, const char *text) {
    return b->left == strlen(text) && memcmp(b->at, text, b->left) == 0;
}

static size_t bits_of(struct blob number) {
    while (number.left > 0 && *number.at == 0) {
        number.at++;
        number.left--;
    }
    if (number.left == 0) return 0;
    size_t bits = number.left * 8;
    for (unsigned char top = *number.at; !(top & 0x80); top = (unsigned char)(top << 1)) bits--;
    return bits;
}

static int rsa_check(struct blob *rest, struct err *e) {
    struct blob exponent, modulus;
    if (take_string(rest, &exponent) < 0 || take_string(rest, &modulus) < 0 || modulus.left == 0 ||
        (modulus.at[0] & 0x80) || bits_of(exponent) < 2)
        return err_set(e, ERR_USAGE, "the SSH key is damaged: its RSA numbers do not fit");
    size_t bits = bits_of(modulus);
    if (bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST) return 0;
    err_set(e, ERR_USAGE, "the RSA key has %zu bits, at least %d are needed", bits, RSA_BITS_LEAST);
    return err_hint(e, "make a new one: ssh-keygen -t ed25519");
}

static int body_check(const struct key_type *type, struct blob rest, struct err *e) {
    struct blob name, curve, value, application;
    bool is_sound = take_string(&rest, &name) == 0 && blob_is(&name, type->name);
    if (is_sound && type->shape == SHAPE_RSA) {
        if (rsa_check(&rest, e) < 0) return -1;
    } else if (is_sound && type->shape == SHAPE_ED25519) {
        is_sound = take_string(&rest, &value) == 0 && value.left == 32;
    } else if (is_sound) {
        is_sound = take_string(&rest, &curve) == 0 && blob_is(&curve, type->curve) &&
                   take_string(&rest, &value) == 0 && value.left == type->point && value.at[0] == 4;
    }
    if (is_sound && type->is_token) is_sound = take_string(&rest, &application) == 0 && application.left > 0;
    if (is_sound && rest.left == 0) return 0;
    return err_set(e, ERR_USAGE, "the SSH key is damaged: what is inside is no %s key", type->name);
}

/* Strict: whole groups, padding at the end only. The length, or -1. */
static int base64_read(const char *text, size_t length, unsigned char *out) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (length == 0 || length % 4 != 0) return -1;
    size_t pad = text[length - 1] == '=' ? (text[length - 2] == '=' ? 2 : 1) : 0, n = 0;
    unsigned group = 0;
    for (size_t i = 0; i < length; i++) {
        const char *digit = i < length - pad ? strchr(alphabet, text[i]) : alphabet;
        if (!digit || !*digit) return -1;
        group = group << 6 | (unsigned)(digit - alphabet);
        if (i % 4 != 3) continue;
        for (int shift = 16; shift >= 0; shift -= 8) out[n++] = (unsigned char)(group >> shift);
        group = 0;
    }
    return (int)(n - pad);
}

static void fingerprint(const struct blob *key, char *out, size_t size) {
    struct hash h = hash_of(key->at, key->left);
    unsigned char bytes[32], text[48];
    for (size_t i = 0; i < sizeof bytes; i++) {
        const char pair[3] = {h.hex[2 * i], h.hex[2 * i + 1], 0};
        bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    EVP_EncodeBlock(text, bytes, sizeof bytes);
    text_format(out, size, "SHA256:%.43s", (const char *)text); /* 44 characters, the last is padding */
}

static const struct key_type *type_find(const char *word, size_t length, struct err *e) {
    const char *names[sizeof types / sizeof *types];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        names[i] = types[i].name;
        if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0) return &types[i];
    }
    bool is_word =
        length > 0 && length <= 48 && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-@.") == length;
    if (is_word)
        err_set(e, ERR_USAGE, "SSH keys of type '%.*s' are not taken", (int)length, word);
    else
        err_set(e, ERR_USAGE, "this is no SSH public key");
    err_hint(e,
             "one line as in a .pub file: 'ssh-ed25519 AAAA... name', without options in front; also taken: "
             "ecdsa-sha2-nistp256, -384, -521, ssh-rsa, and the two sk- types of security tokens");
    return NULL;
}

static int comment_check(const char *comment, struct err *e) {
    if (strlen(comment) <= COMMENT_MOST && text_is_printable(comment) && !strchr(comment, ';')) return 0;
    return err_set(e, ERR_USAGE,
                   "the comment of an SSH key is printable text of at most %d bytes without ';'",
                   COMMENT_MOST);
}

int tenant_key_parse(const char *line, struct tenant_key *out, struct err *e) {
    line += strspn(line, " \t");
    if (refuse_private(line, e) < 0) return -1;
    if (strlen(line) > LINE_MOST)
        return err_set(e, ERR_USAGE, "an SSH key is longer than %d bytes", LINE_MOST);
    size_t word = strcspn(line, " \t");
    const struct key_type *type = type_find(line, word, e);
    if (!type) return -1;
    const char *base64 = line + word + strspn(line + word, " \t");
    size_t length = strcspn(base64, " \t\r\n");
    scoped_free unsigned char *bytes = mem_alloc(length);
    int n = base64_read(base64, length, bytes);
    if (n < 0)
        return err_set(e, ERR_USAGE, "the SSH key is damaged: its base64 text is cut or has wrong letters");
    struct blob blob = {bytes, (size_t)n};
    if (body_check(type, blob, e) < 0) return -1;
    scoped_free char *comment = mem_copy(base64 + length + strspn(base64 + length, " \t\r\n"));
    size_t end = strlen(comment);
    while (end > 0 && strchr(" \t\r\n", comment[end - 1])) comment[--end] = '\0';
    if (comment_check(comment, e) < 0) return -1;
    struct text t = {0};
    text_add(&t, "%s %.*s%s%s", type->name, (int)length, base64, *comment ? " " : "", comment);
    out->line = text_take(&t);
    fingerprint(&blob, out->fingerprint, sizeof out->fingerprint);
    return 0;
}
