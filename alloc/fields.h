/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict decoding of one JSON object by a table: every key known, every value of its kind and in its
 * bounds, the path in the message ("settings.flavors.v100.attach: ..."). The object's values are
 * borrowed: what was decoded lives as long as the JSON. Nothing is written unless all of it is right.
 */
#pragma once
#include "alloc/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
    FIELD_TEXT,   /* const char *: not empty, printable; with words: one of them */
    FIELD_COUNT,  /* struct field_count: integer in [low, high] */
    FIELD_BYTES,  /* struct field_count: integer bytes, or text with a unit ("50 TB") */
    FIELD_YES,    /* bool */
    FIELD_TEXTS,  /* const json_t *: array of printable texts */
    FIELD_OBJECT, /* const json_t *: an object, decoded by the caller */
};

struct field_count {
    bool has;
    int64_t n;
};

struct field {
    const char *key; /* NULL ends the table */
    enum field_kind kind;
    size_t offset; /* in the struct that is filled; absent values leave it as it was */
    bool required;
    int64_t low, high;
    const char *const *words; /* ends with NULL */
};

/* path: of the object, for messages ("settings"). */
int fields_decode(const json_t *object, const char *path, const struct field *fields, void *out,
                  struct err *e);
