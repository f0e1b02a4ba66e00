/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/exception.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <string.h>

int exception_add(struct book *b, int64_t tenant, int64_t grant, const struct exception *x,
                  struct text *words, struct err *e) {
    scoped_free char *rules = mem_copy(x->rules);
    char *rest = NULL;
    for (char *rule = strtok_r(rules, ",", &rest); rule; rule = strtok_r(NULL, ",", &rest)) {
        int64_t number;
        if (store_next(b->store, "exception", &number, e) < 0) return -1;
        if (sql_do(b->store, e,
                   "INSERT INTO exception (id, tenant, grant_id, rule, reason, until_at, approved_by, at) "
                   "VALUES ($1, $2, $8, $3, $4, $5, $6, $7)",
                   "iissisii", number, tenant, rule, x->reason, x->until.s, x->approver, b->at.s, grant) < 0)
            return -1;
    }
    text_add(words, "%s until %s: %s", x->rules, instant_text(x->until).s, x->reason);
    return 0;
}
