/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/generate.h"

#include "alloc/csv.h"
#include "alloc/scope.h"
#include "policies/syntax.h"

#include <stdlib.h>
#include <string.h>

/* ---- random numbers ---- */

uint64_t rng_next(struct rng *r) {
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

int64_t rng_below(struct rng *r, int64_t n) {
    __extension__ typedef unsigned __int128 wide;
    return (int64_t)((wide)rng_next(r) * (uint64_t)n >> 64);
}

bool rng_chance(struct rng *r, int64_t percent) { return rng_below(r, 100) < percent; }

/* One of the words, by its percentage; they add up to 100. */
struct choice {
    const char *word;
    int64_t percent;
};

static const char *choose(struct rng *r, const struct choice *of) {
    int64_t n = rng_below(r, 100);
    while (n >= of->percent) n -= (of++)->percent;
    return of->word;
}

/* ---- tenants ---- */

static const struct choice kinds[] = {{"sme", 45},       {"venture", 30},  {"public", 8},
                                      {"university", 9}, {"institute", 6}, {"other", 2}};
static const struct choice seats[] = {{"gwangju", 60}, {"moving", 25}, {"elsewhere", 15}};

struct made {
    struct generate_options o;
    struct population *out;
    struct rng rng;
    char (*names)[16];
    bool *moving;
    int64_t *base; /* percent of use */
    int64_t requests;
};

static bool has_value(const struct variable *v, const char *word) {
    for (size_t i = 0; i < v->n_values; i++)
        if (strcmp(v->values[i].s, word) == 0) return true;
    return false;
}

static void put_date(struct text *out, instant_t t) { text_add(out, "%s", date_text(t).s); }

/* A value for an attribute of which nothing else is known. */
static void any_value(struct made *m, const struct variable *v, struct text *out) {
    if (v->optional && rng_chance(&m->rng, 20)) return;
    switch (v->type) {
    case TYPE_BOOL: text_add(out, "%s", rng_chance(&m->rng, 50) ? "true" : "false"); break;
    case TYPE_ENUM: text_add(out, "%s", v->values[rng_below(&m->rng, (int64_t)v->n_values)].s); break;
    case TYPE_DATE: put_date(out, instant(m->o.from.s - CLOCK_DAY * rng_below(&m->rng, 2000))); break;
    case TYPE_INT: text_add(out, "%lld", (long long)rng_below(&m->rng, 100)); break;
    case TYPE_TEXT: text_add(out, "text-%lld", (long long)rng_below(&m->rng, 10)); break;
    default: break;
    }
}

static void attribute(struct made *m, size_t tenant, const struct variable *v, struct text *out) {
    const char *word = NULL;
    if (strcmp(v->name.s, "kind") == 0 && v->type == TYPE_ENUM) word = choose(&m->rng, kinds);
    if (strcmp(v->name.s, "seat") == 0 && v->type == TYPE_ENUM) word = choose(&m->rng, seats);
    if (strcmp(v->name.s, "ai") == 0 && v->type == TYPE_BOOL)
        word = rng_chance(&m->rng, 94) ? "true" : "false";
    if (word && v->type == TYPE_ENUM && !has_value(v, word)) word = NULL;
    if (word && strcmp(word, "moving") == 0) m->moving[tenant] = true;
    if (strcmp(v->name.s, "move_by") == 0 && v->type == TYPE_DATE) {
        int64_t days = rng_chance(&m->rng, 90) ? 60 + rng_below(&m->rng, 300) : 400 + rng_below(&m->rng, 200);
        bool is_known = rng_chance(&m->rng, 94);
        if (m->moving[tenant] && is_known) put_date(out, instant(m->o.from.s + days * CLOCK_DAY));
        return;
    }
    if (word)
        text_add(out, "%s", word);
    else
        any_value(m, v, out);
}

static bool is_tenants(const struct variable *v) { return v->of == SUBJECT_TENANT; }

static void tenants_make(struct made *m) {
    const struct policy *y = m->o.policy;
    struct csv_out csv = {0};
    csv_put(&csv, "name");
    csv_put(&csv, "organisation");
    for (size_t k = VARS_BUILT_IN; k < y->n_variables; k++) {
        char title[POLICY_NAME + 8];
        if (!is_tenants(&y->variables[k])) continue;
        text_format(title, sizeof title, "attr:%s", y->variables[k].name.s);
        csv_put(&csv, title);
    }
    csv_end_row(&csv);
    int64_t organisation = 0;
    for (size_t i = 0; i < (size_t)m->o.tenants; i++) {
        char owner[24];
        text_format(m->names[i], sizeof m->names[i], "c%04zu", i + 1);
        if (i == 0 || !rng_chance(&m->rng, 4)) organisation++;
        text_format(owner, sizeof owner, "o%04lld", (long long)organisation);
        m->base[i] = 25 + rng_below(&m->rng, 70);
        csv_put(&csv, m->names[i]);
        csv_put(&csv, owner);
        for (size_t k = VARS_BUILT_IN; k < y->n_variables; k++) {
            scoped_text struct text value = {0};
            if (!is_tenants(&y->variables[k])) continue;
            attribute(m, i, &y->variables[k], &value);
            csv_put(&csv, value.s ? value.s : "");
        }
        csv_end_row(&csv);
    }
    m->out->tenants = csv.text;
}

/* ---- requests ---- */

/* The least ceiling on compute that holds for a tenant, whatever it is; else a twentieth of the pool. */
static int64_t usual_most(const struct policy *y) {
    int64_t most = 0, pool = 0;
    for (size_t i = 0; i < y->n_ceilings; i++)
        if (y->ceilings[i].has_compute && (most == 0 || y->ceilings[i].compute.n < most))
            most = y->ceilings[i].compute.n;
    for (size_t i = 0; i < y->n_flavors; i++) pool += y->flavors[i].units * y->flavors[i].rating.n;
    return most ? most : pool / 20;
}

/* A rated flavor, each as likely as its part of the pool. */
static const struct flavor *some_flavor(struct made *m) {
    const struct policy *y = m->o.policy;
    int64_t all = 0;
    for (size_t i = 0; i < y->n_flavors; i++) all += y->flavors[i].units * y->flavors[i].rating.n;
    if (all == 0) return NULL;
    int64_t n = rng_below(&m->rng, all);
    size_t i = 0;
    while (n >= y->flavors[i].units * y->flavors[i].rating.n) {
        n -= y->flavors[i].units * y->flavors[i].rating.n;
        i++;
    }
    return &y->flavors[i];
}

static void put_at(struct text *out, instant_t at, const char *event) {
    text_add(out, "{\"at\":\"%s\",\"event\":\"%s\"", instant_text(at).s, event);
}

/* A server, or some of them, of what the flavor is lent in; large ones more often in a call. */
static void put_compute(struct made *m, bool in_call) {
    const struct flavor *f = some_flavor(m);
    struct text *out = &m->out->events;
    if (!f) return;
    int64_t most = usual_most(m->o.policy) / (f->rating.n > 0 ? f->rating.n : 1), one = f->sizes[0];
    if (f->n_sizes == 0) one = 1;
    size_t k = f->n_sizes ? (size_t)rng_below(&m->rng, (int64_t)f->n_sizes) : 0;
    if (in_call && f->n_sizes && rng_chance(&m->rng, 60)) k = f->n_sizes - 1;
    int64_t size = f->n_sizes ? f->sizes[k] : 1, units = size;
    if (units > most) units = one;
    if (units > most || rng_chance(&m->rng, 25)) units = one;
    bool any = rng_chance(&m->rng, 40);
    if (any)
        text_add(out, ",\"compute_gflops\":%lld", (long long)(units * f->rating.n));
    else
        text_add(out, ",\"flavor\":\"%s\",\"units\":%lld", f->name.s, (long long)units);
    if (!rng_chance(&m->rng, 45) || units == one) return;
    if (any)
        text_add(out, ",\"minimum_gflops\":%lld", (long long)(one * f->rating.n));
    else
        text_add(out, ",\"minimum_units\":%lld", (long long)one);
}

static void put_attributes(struct made *m) {
    const struct policy *y = m->o.policy;
    struct text *out = &m->out->events;
    bool any = false;
    for (size_t k = VARS_BUILT_IN; k < y->n_variables; k++) {
        scoped_text struct text value = {0};
        if (y->variables[k].of != SUBJECT_REQUEST) continue;
        any_value(m, &y->variables[k], &value);
        if (!value.s) continue;
        text_add(out, "%s\"%s\":\"%s\"", any ? "," : ",\"attributes\":{", y->variables[k].name.s, value.s);
        any = true;
    }
    if (any) text_add(out, "}");
}

/* How long it wants what it gets: some give back early, some renew. */
static void put_wishes(struct made *m) {
    struct text *out = &m->out->events;
    if (rng_chance(&m->rng, 55))
        text_add(out, ",\"renews\":%lld", (long long)(1 + rng_below(&m->rng, 3)));
    else if (rng_chance(&m->rng, 40))
        text_add(out, ",\"keeps_seconds\":%lld", (long long)((10 + rng_below(&m->rng, 60)) * CLOCK_DAY));
    text_add(out, ",\"storage_bytes\":%lld",
             (long long)((1 + rng_below(&m->rng, 40)) * INT64_C(250000000000)));
}

/* Returns how many lines it made. */
static int64_t request_make(struct made *m, instant_t at, size_t tenant, const char *call) {
    struct text *out = &m->out->events;
    int64_t lines = 1, id = ++m->requests;
    put_at(out, at, "request");
    text_add(out, ",\"id\":\"r-%lld\",\"tenant\":\"%s\"", (long long)id, m->names[tenant]);
    if (call) text_add(out, ",\"call\":\"%s\"", call);
    put_compute(m, call != NULL);
    put_wishes(m);
    put_attributes(m);
    text_add(out, "}\n");
    if (call) return lines;
    if (m->moving[tenant] || rng_chance(&m->rng, 8)) { /* a person has looked at it, if it was held */
        instant_t when = instant(at.s + (1 + rng_below(&m->rng, 6)) * CLOCK_DAY);
        put_at(out, when, rng_chance(&m->rng, 80) ? "approve" : "refuse");
        text_add(out, ",\"request\":\"r-%lld\"}\n", (long long)id);
        lines++;
    }
    if (rng_chance(&m->rng, 15)) {
        put_at(out, instant(at.s + (20 + rng_below(&m->rng, 200)) * CLOCK_DAY), "release");
        text_add(out, ",\"request\":\"r-%lld\"}\n", (long long)id);
        lines++;
    }
    return lines;
}

/* All apply within three weeks; the award follows on the thirtieth day, by a score that is random here. */
static int64_t call_make(struct made *m) {
    size_t n = (size_t)m->o.tenants;
    scoped_free size_t *order = mem_alloc((n + 1) * sizeof *order);
    for (size_t i = 0; i < n; i++) {
        size_t k = (size_t)rng_below(&m->rng, (int64_t)i + 1);
        order[i] = order[k];
        order[k] = i;
        instant_t at = instant(m->o.from.s + 9 * 3600 + rng_below(&m->rng, 21 * CLOCK_DAY - 9 * 3600));
        request_make(m, at, i, "first");
    }
    put_at(&m->out->events, instant(m->o.from.s + 30 * CLOCK_DAY + 3600), "award");
    text_add(&m->out->events, ",\"call\":\"first\",\"order\":[");
    for (size_t i = 0; i < n; i++) text_add(&m->out->events, "%s\"r-%zu\"", i ? "," : "", order[i] + 1);
    text_add(&m->out->events, "]}\n");
    return (int64_t)n + 1;
}

/* ---- use ---- */

/* Around a level of its own; now and then a tenant leaves everything idle for some weeks. */
static void usage_make(struct made *m) {
    const char *metric = m->o.policy->n_idles ? m->o.policy->idles[0].metric.s : "gpu_util.p95";
    struct text *out = &m->out->usage;
    scoped_free int64_t *idle = mem_alloc((size_t)m->o.tenants * sizeof *idle);
    text_add(out, "date,tenant,metric,percent\r\n");
    for (int64_t day = 0; day < m->o.days; day++) {
        struct instant_text date = date_text(instant(m->o.from.s + day * CLOCK_DAY));
        for (size_t i = 0; i < (size_t)m->o.tenants; i++) {
            if (idle[i] > 0) idle[i]--;
            if (idle[i] == 0 && rng_below(&m->rng, 1500) == 0) idle[i] = 10 + rng_below(&m->rng, 40);
            int64_t percent = m->base[i] + rng_below(&m->rng, 21) - 10;
            if (idle[i] > 0) percent = rng_below(&m->rng, 5);
            percent = percent < 0 ? 0 : percent > 100 ? 100 : percent;
            text_add(out, "%s,%s,%s,%lld\r\n", date.s, m->names[i], metric, (long long)percent);
        }
    }
}

void generate(const struct generate_options *o, struct population *out) {
    struct made m = {.o = *o, .out = out, .rng = {o->seed}};
    size_t n = (size_t)o->tenants;
    *out = (struct population){0};
    m.names = mem_alloc((n + 1) * sizeof *m.names);
    m.moving = mem_alloc((n + 1) * sizeof *m.moving);
    m.base = mem_alloc((n + 1) * sizeof *m.base);
    tenants_make(&m);
    int64_t lines = call_make(&m), first = 31 * CLOCK_DAY, length = o->days * CLOCK_DAY - first;
    while (lines < o->events && length > 0) {
        instant_t at = instant(o->from.s + first + rng_below(&m.rng, length));
        lines += request_make(&m, at, (size_t)rng_below(&m.rng, o->tenants), NULL);
    }
    usage_make(&m);
    free(m.names);
    free(m.moving);
    free(m.base);
}

void population_free(struct population *p) {
    text_free(&p->tenants);
    text_free(&p->events);
    text_free(&p->usage);
}
