/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the declaration of a pool: refused with a message, or its document reads back as the same. */
#include "alloc/pool.h"
#include "alloc/scope.h"
#include "alloc/yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

static int read_spec(const json_t *document, const json_t *marks, struct pool_spec *out, struct err *e) {
    struct json_at root = json_root(document, "pool");
    root.marks = marks;
    *out = (struct pool_spec){.name = mem_copy("p")};
    return pool_spec_read(out, &root, e) < 0 ? -1 : pool_spec_check(out, e);
}

static void check_again(const struct pool_spec *spec) {
    struct pool_spec again;
    struct err e = {0};
    scoped_json json_t *document = pool_spec_document(spec);
    if (read_spec(document, NULL, &again, &e) < 0) demand(false);
    scoped_json json_t *once = pool_spec_json(spec), *twice = pool_spec_json(&again);
    demand(json_equal(once, twice) && spec->has_projects == again.has_projects);
    pool_spec_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct err e = {0};
    struct pool_spec spec;
    json_t *marks = NULL;
    json_t *document = yaml_load_text((const char *)bytes, length, "pool.yaml", &marks, &e);
    if (document) {
        if (read_spec(document, marks, &spec, &e) == 0)
            check_again(&spec);
        else
            demand(err_is(&e));
        pool_spec_free(&spec);
    } else {
        demand(err_is(&e));
    }
    json_decref(document);
    json_decref(marks);
    return 0;
}
