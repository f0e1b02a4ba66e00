/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: refused with a message, or a bounded document where every value has its mark. */
#include "alloc/json.h"
#include "alloc/scope.h"
#include "alloc/yaml.h"
#include "cmd/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

static size_t walk(const json_t *value, const json_t *mark, int depth) {
    size_t nodes = 1, i;
    const char *key;
    json_t *child, *inside = json_array_get(mark, 2);
    demand(json_is_array(mark) && depth <= 2 * YAML_DEPTH_MOST);
    demand(json_integer_value(json_array_get(mark, 0)) >= 1 &&
           json_integer_value(json_array_get(mark, 1)) >= 1);
    json_array_foreach(value, i, child) nodes += walk(child, json_array_get(inside, i), depth + 1);
    json_object_foreach((json_t *)value, key, child) nodes +=
        walk(child, json_object_get(inside, key), depth + 1);
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct err e = {0};
    scoped_json json_t *marks = NULL;
    scoped_json json_t *value = yaml_load_text((const char *)bytes, length, "fuzz", &marks, &e);
    demand((value != NULL) != err_is(&e));
    if (!value) return 0;
    demand(walk(value, marks, 0) <= YAML_NODES_MOST);
    struct config *config = config_parse((const char *)bytes, length, "fuzz", &e);
    demand((config != NULL) != err_is(&e));
    config_free(config);
    return 0;
}
