/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many tenants as one file, CSV or JSON, in and out; what is written here is read back to the same.
 *
 * CSV: columns name, organisation, registration, language, contact, keys, and attr.NAME for each
 * attribute. Contacts and keys of one tenant are separated by ';' (or a line end inside the cell).
 * JSON: an array of objects with name, organisation, registration, language, contacts (array of
 * {"name", "email", "phone"}), keys (array of lines), attributes (object of texts).
 *
 * What a file does not speak of stays as it is: a column that is absent, a key that is absent. An empty
 * cell, null or [] takes away. "attributes" of JSON is the whole set. A language that is not given is
 * "ko" for a new tenant.
 */
#pragma once
#include "alloc/tenant.h"

/* What one row of a file wants. */
struct tenant_wish {
    struct tenant tenant; /* attrs: those with a value */
    size_t line;          /* of the file, or the index of the object + 1 */
    bool has_organisation, has_registration, has_language, has_contacts, has_keys;
    bool has_all_attrs; /* attrs is the whole set */
};

struct tenant_wishes {
    char *title; /* of the file, for messages */
    bool is_json;
    struct tenant_wish *of;
    size_t n, room;
    char **columns; /* attributes that the file speaks of (CSV), without the prefix */
    size_t n_columns;
};

/* CSV or JSON by the first character that is no blank ('[' or '{'). ERR_USAGE names the place. wishes starts
   zeroed; tenant_wishes_free() it always. */
int tenant_wishes_read(const char *bytes, size_t length, const char *title, struct tenant_wishes *wishes,
                       struct err *e);
void tenant_wishes_free(struct tenant_wishes *wishes);

struct tenant_import {
    const struct tenant_wishes *wishes;
    const struct tenant_checker *checker;
    bool with_changes;                    /* rows say what changed, contacts and keys too */
    void (*step)(void *arg, size_t done); /* after each tenant; may be NULL */
    void *arg;
    json_t *rows; /* out: [{"name", "outcome": "added" | "changed", "changes": [...]}] without those that stay
                     as they are; owned by the caller */
    size_t added, changed, unchanged; /* out */
};
/* All of it or a failure, inside the transaction of the book. */
int tenant_import(struct book *b, struct tenant_import *import, struct err *e);

/* The file that reads back to the tenants of the list. The caller frees it. */
char *tenant_export_csv(const struct tenant_list *list);
char *tenant_export_json(const struct tenant_list *list);
/* The object of one tenant as JSON has it. */
json_t *tenant_json(const struct tenant *t);
