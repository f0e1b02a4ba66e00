/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/supply.h"

int supply_raise(struct store *s, int64_t pool, struct err *e) {
    return sql_do(s, e, "UPDATE pool SET supply = supply + 1 WHERE id = $1 OR $1 = 0", "i", pool);
}

int supply_now(struct store *s, int64_t pool, int64_t *out, struct err *e) {
    *out = 0;
    return sql_int(s, e, out, "SELECT supply FROM pool WHERE id = $1", "i", pool) < 0 ? -1 : 0;
}
