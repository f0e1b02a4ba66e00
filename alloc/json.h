/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in and out. A `struct json_at` is one place in a document and knows how it was reached, so
 * every message names it: "requests.json: requests[3].storage_bytes: must be an integer from 0 to ...,
 * is "50"". Where the document came from YAML, file:line:column stands in front.
 *
 *     struct json_at root = json_root(document, "requests.json"), list, item;
 *     if (json_need_array(&root, "requests", 1, 1000, &list, e) < 0) return -1;
 *     for (size_t i = 0; i < json_length(&list); i++) {
 *         item = json_item(&list, i);
 *         if (json_only(&item, keys, e) < 0 || json_need_text(&item, "tenant", 64, &tenant, e) < 0) ...
 *
 * need: the key must be there. may: an absent key or null leaves *out as it was (set the default
 * first). Text is borrowed from the document. Places are values on the stack; a place must not
 * outlive the one it was reached from. All failures are ERR_USAGE. Decode into a zeroed local struct
 * and copy it when all of it was good.
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/clock.h"
#include "alloc/err.h"
#include "alloc/text.h"

#include <jansson.h>
#include <stddef.h>

enum {
    JSON_BYTES_MOST = 64 << 20, /* of one document: 100,000 requests fit */
    JSON_DEPTH_MOST = 96,       /* a condition of a policy that nests as deep as one may, in its JSON form */
};

struct json_at {
    const json_t *value; /* borrowed; NULL: not there */
    const struct json_at *up;
    const char *key; /* reached from up by this key; NULL: by index; at the root: the title */
    size_t index;
    const json_t *marks; /* at the root only: where in its YAML file each value stands (alloc/yaml.h) */
};

/* Strict: one value, duplicate keys refused, at most JSON_BYTES_MOST bytes and JSON_DEPTH_MOST levels.
   Syntax errors say title:line:column. The caller owns the result; NULL on failure. */
json_t *json_load_text(const char *bytes, size_t length, const char *title, struct err *e);
json_t *json_load_path(const char *path, struct err *e); /* "-" is standard input */
/* The same of at most `most` bytes, for a command whose input may be larger. */
json_t *json_load_large_path(const char *path, size_t most, struct err *e);
/* Compact, keys sorted by bytes: the form that is hashed. Documents to be hashed hold no reals. */
char *json_canonical(const json_t *value);

struct json_at json_root(const json_t *value, const char *title);
struct json_at json_item(const struct json_at *array, size_t index);
struct json_at json_member(const struct json_at *object, const char *key);
size_t json_length(const struct json_at *array_or_object);    /* 0 when not there */
bool json_has(const struct json_at *object, const char *key); /* there, and not null */
/* "requests[3].storage_bytes", or "requests.json:3:5: requests ..." where marks are known. */
void json_path(const struct json_at *at, struct text *out);

/* Fails about a place: "path: message". */
int json_fail(const struct json_at *at, struct err *e, const char *format, ...) ERR_FORMAT(3, 4);
/* Puts the path of a member before an error just set by another parser (an amount, a date). */
int json_context(const struct json_at *object, const char *key, struct err *e);

int json_as_object(const struct json_at *at, struct err *e); /* 0, or -1: "must be an object" */
/* Refuses members that are not in keys (ends with NULL); the nearest known name is suggested. */
int json_only(const struct json_at *object, const char *const keys[], struct err *e);

int json_need_object(const struct json_at *object, const char *key, struct json_at *out, struct err *e);
int json_may_object(const struct json_at *object, const char *key, struct json_at *out, struct err *e);
/* Arrays of `least` to `most` items. may: out->value stays NULL when absent, so json_length() is 0. */
int json_need_array(const struct json_at *object, const char *key, size_t least, size_t most,
                    struct json_at *out, struct err *e);
int json_may_array(const struct json_at *object, const char *key, size_t most, struct json_at *out,
                   struct err *e);

/* Text of 1 to `most` bytes without control characters (need), or 0 to `most` (may). */
int json_need_text(const struct json_at *object, const char *key, size_t most, const char **out,
                   struct err *e);
int json_may_text(const struct json_at *object, const char *key, size_t most, const char **out,
                  struct err *e);
int json_need_int(const struct json_at *object, const char *key, int64_t low, int64_t high, int64_t *out,
                  struct err *e);
int json_may_int(const struct json_at *object, const char *key, int64_t low, int64_t high, int64_t *out,
                 struct err *e);
int json_need_bool(const struct json_at *object, const char *key, bool *out, struct err *e);
int json_may_bool(const struct json_at *object, const char *key, bool *out, struct err *e);
/* One of words (ends with NULL): its index. */
int json_need_word(const struct json_at *object, const char *key, const char *const words[], size_t *out,
                   struct err *e);
int json_may_word(const struct json_at *object, const char *key, const char *const words[], size_t *out,
                  struct err *e);
/* RFC 3339 text. */
int json_need_instant(const struct json_at *object, const char *key, instant_t *out, struct err *e);
int json_may_instant(const struct json_at *object, const char *key, instant_t *out, struct err *e);

/* The same for one value that is not a member of an object: an item of an array. */
int json_as_text(const struct json_at *at, size_t most, const char **out, struct err *e);
int json_as_int(const struct json_at *at, int64_t low, int64_t high, int64_t *out, struct err *e);

/* Integer amounts with the unit in the key (compute_gflops, storage_bytes, units). */
static inline int json_need_gflops(const struct json_at *object, const char *key, gflops_t *out,
                                   struct err *e) {
    return json_need_int(object, key, 0, GFLOPS_MOST, &out->n, e);
}
static inline int json_need_bytes(const struct json_at *object, const char *key, bytes_t *out,
                                  struct err *e) {
    return json_need_int(object, key, 0, BYTES_MOST, &out->n, e);
}
static inline int json_need_units(const struct json_at *object, const char *key, units_t *out,
                                  struct err *e) {
    return json_need_int(object, key, 0, UNITS_MOST, &out->n, e);
}
static inline int json_may_gflops(const struct json_at *object, const char *key, gflops_t *out,
                                  struct err *e) {
    return json_may_int(object, key, 0, GFLOPS_MOST, &out->n, e);
}
static inline int json_may_bytes(const struct json_at *object, const char *key, bytes_t *out, struct err *e) {
    return json_may_int(object, key, 0, BYTES_MOST, &out->n, e);
}
static inline int json_may_units(const struct json_at *object, const char *key, units_t *out, struct err *e) {
    return json_may_int(object, key, 0, UNITS_MOST, &out->n, e);
}
