/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: refused with a message, or a document whose canonical form reads back as the same form. */
#include "alloc/json.h"
#include "alloc/scope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

/* Every reader on every place: each says no with a message, or yes. */
static void probe(const struct json_at *at) {
    struct json_at inner;
    const char *s;
    int64_t n;
    bool yes;
    size_t word;
    instant_t t;
    static const char *const words[] = {"a", "b", NULL};
    static const char *const keys[] = {"a", "b", "requests", NULL};
    for (int i = 0; i < 7; i++) {
        struct err e = {0};
        int status = i == 0   ? json_need_text(at, "a", 8, &s, &e)
                     : i == 1 ? json_need_int(at, "a", 0, 9, &n, &e)
                     : i == 2 ? json_need_bool(at, "a", &yes, &e)
                     : i == 3 ? json_need_word(at, "a", words, &word, &e)
                     : i == 4 ? json_need_instant(at, "a", &t, &e)
                     : i == 5 ? json_need_array(at, "a", 0, 3, &inner, &e)
                              : json_only(at, keys, &e);
        demand((status == 0) != err_is(&e));
    }
    for (size_t i = 0; json_is_array(at->value) && i < json_length(at); i++) {
        struct json_at item = json_item(at, i);
        probe(&item);
    }
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)at->value, key, child) {
        struct json_at member = json_member(at, key);
        probe(&member);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct err e = {0};
    scoped_json json_t *value = json_load_text((const char *)bytes, length, "fuzz", &e);
    demand((value != NULL) != err_is(&e));
    if (!value) return 0;
    struct json_at root = json_root(value, "fuzz");
    probe(&root);
    scoped_free char *once = json_canonical(value);
    scoped_json json_t *again = json_load_text(once, strlen(once), "canonical", &e);
    demand(again != NULL);
    scoped_free char *twice = json_canonical(again);
    demand(strcmp(once, twice) == 0);
    return 0;
}
