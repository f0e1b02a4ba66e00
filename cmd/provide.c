/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/provide.h"

#include "alloc/scope.h"
#include "cmd/config.h"
#include "cmd/output.h"

#include <stdlib.h>
#include <string.h>

/* While another run is at work: it may be busy with a large batch, and the next reconcile does the rest. */
enum { WAIT_MS = 10000 };

void provide_options(struct call *call, struct reconcile_options *o) {
    o->deadline_ms = call->config && call->config->deadline.s > 0 ? call->config->deadline.s * 1000 : 120000;
    o->actor = call->actor;
    o->now = call->now;
    o->now_fixed = call->now_given;
}

static void on_progress(void *arg, size_t done, size_t total) {
    struct progress *p = arg;
    p->total = total;
    progress_step(p, done);
}

static void tell(struct call *call, const struct reconcile_report *r) {
    if (r->waiting + r->failed > 0)
        fprintf(call->messages,
                "allot: %lld of %lld things are not ready yet; allot reconcile goes on with them\n",
                (long long)(r->waiting + r->failed),
                (long long)(r->done + r->waiting + r->failed + r->refused));
    if (r->refused > 0)
        fprintf(call->messages,
                "allot: the backend refused %lld things; allot request list --state held says why\n",
                (long long)r->refused);
}

static void tell_failure(struct call *call, const struct err *e) {
    fputs("allot: ", call->messages);
    output_safe(call->messages, e->what);
    fputs("; ", call->messages);
    output_safe(call->messages, e->code == ERR_RETRY
                                    ? e->hint
                                    : "what was decided is booked, allot reconcile carries it out");
    fputc('\n', call->messages);
}

static int by_number(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int run(struct call *call, const int64_t *grants, size_t n, struct err *e) {
    struct progress progress = {.what = "provisioning", .off = call->quiet};
    struct reconcile_options o = {.grants = grants,
                                  .n_grants = n,
                                  .wait_ms = WAIT_MS,
                                  .progress = on_progress,
                                  .progress_arg = &progress};
    struct reconcile_report report;
    provide_options(call, &o);
    int rc = reconcile(call->store, &o, &report, e);
    progress_end(&progress);
    if (rc <
        0) { /* what was decided stands, whoever carries it out: to fail now would ask for it once more */
        rc = e->code == ERR_RETRY ? 0 : ERR_UNKNOWN;
        tell_failure(call, e);
        err_clear(e);
    } else {
        tell(call, &report);
        rc = report.failed ? ERR_UNKNOWN : report.refused ? ERR_WAITS : 0;
    }
    reconcile_report_free(&report);
    return rc;
}

int provide_grants(struct call *call, const int64_t *grants, size_t n, struct err *e) {
    if (call->dry_run || call_flag(call, "no-provision") || n == 0) return 0;
    int64_t *sorted scoped_free = mem_alloc(n * sizeof *sorted);
    memcpy(sorted, grants, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_number);
    return run(call, sorted, n, e);
}

int provide(struct call *call, int64_t grant, struct err *e) {
    if (call->dry_run || call_flag(call, "no-provision")) return 0;
    return run(call, &grant, grant ? 1 : 0, e);
}
