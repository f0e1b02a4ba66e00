/* SPDX-License-Identifier: Apache-2.0 */
/* Things that no operation stands for. */
#include "alloc/dispatch.h"
#include "alloc/reconcile_parts.h"
#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

void reconcile_stray(struct run *r, const struct backend_seen *seen, bool ordered) {
    r->strays = mem_grow(r->strays, &r->strays_room, r->n_strays + 1, sizeof *r->strays);
    r->strays[r->n_strays++] = (struct stray){mem_copy(seen->token), mem_copy(seen->name),
                                              mem_copy(seen->host), seen->kind, ordered};
}

struct removal {
    struct run *run;
    const struct stray *stray;
};

/* Written before the thing goes: who ordered it must be known whatever comes after. */
static int note_removal(struct store *s, void *arg, struct err *e) {
    const struct removal *m = arg;
    struct book b;
    if (book_open(&b, s, m->run->pool, m->run->options->actor, reconcile_now(m->run), e) < 0 ||
        book_note(&b, m->stray->ordered ? "orphan.remove" : "thing.remove", 0, m->stray->token, e) < 0)
        return -1;
    return book_close(&b, e);
}

static int forget_sight(struct store *s, void *arg, struct err *e) {
    const struct removal *m = arg;
    return sql_do(s, e, "DELETE FROM orphan WHERE pool = $1 AND token = $2", "is", m->run->pool,
                  m->stray->token);
}

/* A quota goes by setting the project to what its tenant has besides: known only where the ledger knows the
   token, and the project is that tenant's still. 1 *op is filled, 0 not known, -1 */
static int quota_known(struct run *r, const struct stray *stray, struct work *w, struct backend_operation *op,
                       struct err *e) {
    int64_t holder;
    const struct work_filter filter = {.pool = r->pool, .token = stray->token};
    if (work_load(r->store, &filter, w, e) < 0) return -1;
    if (w->n != 1 || strcmp(w->ops[0].host, stray->host) != 0) return 0;
    *op = w->ops[0];
    if (!*stray->host) return 1;
    return sql_int(r->store, e, &holder,
                   "SELECT tenant FROM host WHERE pool = $1 AND name = $2 AND tenant = $3", "isi", r->pool,
                   stray->host, op->tenant_number);
}

static int remove_at_backend(struct run *r, const struct stray *stray, struct backend_operation *op,
                             struct err *e) {
    struct work w = {0};
    int known = stray->kind == BACKEND_QUOTA ? quota_known(r, stray, &w, op, e) : 1;
    int rc = known < 0 ? -1 : 0;
    if (known == 1) {
        struct removal m = {r, stray};
        rc = store_write(r->store, note_removal, &m, e);
        if (rc == 0) rc = dispatch_remove(r->backend, &r->place.pool, op, 1, e);
    } else if (known == 0 && stray->ordered) {
        rc = err_set(e, ERR_CONFLICT, "%s is a quota, and whose is not known: nothing is done", stray->name);
        err_hint(e, "take the tag %s off its project at the cloud; allot reconcile sets the limits right",
                 stray->token);
    } else if (known == 0) {
        op->answer = BACKEND_REFUSED;
        op->detail = mem_copy("its project is another tenant's now: take the tag off it at the cloud");
    }
    op->token = stray->token; /* those of w end with it */
    op->name = stray->name;
    work_free(&w);
    return rc;
}

static int remove_stray(struct run *r, const struct stray *stray, struct err *e) {
    struct backend_operation op = {.token = stray->token,
                                   .kind = stray->kind,
                                   .name = stray->name,
                                   .host = stray->host,
                                   .tenant = "",
                                   .grant = ""};
    struct removal m = {r, stray};
    int rc = remove_at_backend(r, stray, &op, e);
    if (rc == 0 && stray->ordered && op.answer != BACKEND_DONE && op.answer != BACKEND_STARTED)
        rc = err_set(e, op.answer == BACKEND_UNKNOWN ? ERR_UNKNOWN : ERR_FAILED, "%s: %s", op.name,
                     op.detail ? op.detail : backend_answer_word(op.answer));
    if (rc == 0) reconcile_count(r->report, op.answer);
    if (rc == 0) reconcile_outcome(r, &op, false);
    if (rc == 0 && op.answer == BACKEND_DONE) rc = store_write(r->store, forget_sight, &m, e);
    if (rc == 0 && stray->ordered) r->report->removed++;
    free(op.detail);
    json_decref(op.connection);
    return rc;
}

int reconcile_remove_strays(struct run *r, struct err *e) {
    for (size_t i = 0; i < r->n_strays; i++)
        if (remove_stray(r, &r->strays[i], e) < 0) return -1;
    return 0;
}

void reconcile_strays_free(struct run *r) {
    for (size_t i = 0; i < r->n_strays; i++) {
        free(r->strays[i].token);
        free(r->strays[i].name);
        free(r->strays[i].host);
    }
    free(r->strays);
}
