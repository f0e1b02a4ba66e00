/* SPDX-License-Identifier: Apache-2.0 */
/* Agreements: where the policy asks for one, nothing of a grant is made real before it is dated. */
#include "alloc/grant.h"
#include "alloc/outbox.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <string.h>

static int tell(struct book *b, const struct grant *g, instant_t day, struct err *e) {
    struct text en = {0}, ko = {0};
    text_add(&en, "Grant g-%lld: the agreement of %s was recorded. It is being made ready.", (long long)g->id,
             date_text(day).s);
    text_add(&ko, "할당 g-%lld: %s 체결한 협약을 등록했습니다. 자원을 준비하고 있습니다.", (long long)g->id,
             date_text(day).s);
    int rc = outbox_add(b, &(struct message){"agreed", g->tenant, g->id, g->request, en.s, ko.s, NULL}, e);
    text_free(&en);
    text_free(&ko);
    return rc;
}

int grant_agree(struct book *b, const struct grant *g, instant_t day, struct err *e) {
    int64_t needs = 0, agreed = 0;
    int has = sql_int(b->store, e, &agreed,
                      "SELECT agreed_at FROM grants WHERE tenant = $1 AND id = $2 AND agreed_at IS NOT NULL",
                      "ii", g->tenant, g->id);
    if (has < 0 ||
        sql_int(b->store, e, &needs, "SELECT needs_agreement FROM grants WHERE tenant = $1 AND id = $2", "ii",
                g->tenant, g->id) < 0)
        return -1;
    if (!needs) return err_set(e, ERR_CONFLICT, "grant g-%lld needs no agreement", (long long)g->id);
    if (has)
        return err_set(e, ERR_CONFLICT, "the agreement of grant g-%lld is of %s already", (long long)g->id,
                       date_text(instant(agreed)).s);
    if (strcmp(g->state, "reserved") != 0)
        return err_set(e, ERR_CONFLICT, "grant g-%lld is %s: it cannot be agreed to", (long long)g->id,
                       g->state);
    if (civil_day(day) > civil_day(b->at))
        return err_set(e, ERR_USAGE, "the agreement cannot be of %s: today is %s", date_text(day).s,
                       date_text(b->at).s);
    if (sql_do(b->store, e, "UPDATE grants SET agreed_at = $3 WHERE tenant = $1 AND id = $2", "iii",
               g->tenant, g->id, day.s) < 0 ||
        sql_do(b->store, e, "UPDATE request SET agreed_at = $3 WHERE tenant = $1 AND id = $2", "iii",
               g->tenant, g->request, day.s) < 0 ||
        book_write(b,
                   &(struct entry){.kind = "grant.agree",
                                   .tenant = g->tenant,
                                   .request = g->request,
                                   .grant = g->id,
                                   .detail = date_text(day).s},
                   e) < 0)
        return -1;
    return tell(b, g, day, e);
}
