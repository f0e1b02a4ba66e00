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

enum { AWARD_DAY = 30, SIGN_DAYS = 14, CALL_PERCENT = 80 };

struct made {
    struct generate_options o;
    struct population *out;
    struct rng rng;
    char (*names)[16];
    bool *moving, *is_general;  /* general: its larger requests come before a person */
    int64_t *base;              /* percent of use */
    int64_t *busy, *until;      /* about what it holds, in GFLOPS, and until when */
    int64_t asked;              /* by the last request, in GFLOPS */
    int64_t usual;              /* seconds between two requests of a tenant */
    bool *is_hopeless;          /* it is told at the call that it is not eligible */
    int64_t *last, *last_asked; /* its last request outside of the call, 0: none; in GFLOPS */
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
    static const char *const general[] = {"moving", "elsewhere", "public", "university", "institute"};
    for (size_t i = 0; word && i < sizeof general / sizeof *general; i++)
        m->is_general[tenant] |= strcmp(word, general[i]) == 0;
    if (word && (strcmp(word, "other") == 0 || strcmp(word, "false") == 0)) m->is_hopeless[tenant] = true;
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

/* The cells after the organisation's. */
static void attributes_make(struct made *m, size_t tenant, struct text *row) {
    const struct policy *y = m->o.policy;
    row->length = 0;
    for (size_t k = VARS_BUILT_IN; k < y->n_variables; k++) {
        scoped_text struct text value = {0};
        if (!is_tenants(&y->variables[k])) continue;
        attribute(m, tenant, &y->variables[k], &value); /* words, dates and numbers: nothing to quote */
        text_add(row, ",%s", value.s ? value.s : "");
    }
}

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
    struct text row = {0}; /* attributes: projects of one organisation have the same */
    for (size_t i = 0; i < (size_t)m->o.tenants; i++) {
        char owner[24];
        text_format(m->names[i], sizeof m->names[i], "c%04zu", i + 1);
        bool is_new = i == 0 || !rng_chance(&m->rng, 4);
        organisation += is_new;
        text_format(owner, sizeof owner, "o%04lld", (long long)organisation);
        m->base[i] = 25 + rng_below(&m->rng, 70);
        csv_put(&csv, m->names[i]);
        csv_put(&csv, owner);
        if (is_new) attributes_make(m, i, &row);
        if (!is_new)
            m->moving[i] = m->moving[i - 1], m->is_general[i] = m->is_general[i - 1],
            m->is_hopeless[i] = m->is_hopeless[i - 1];
        text_put(&csv.text, row.s ? row.s : "", row.length);
        csv_end_row(&csv);
    }
    m->out->tenants = csv.text;
    text_free(&row);
}

/* ---- requests ---- */

static int64_t pool_compute(const struct policy *y) {
    int64_t sum = 0;
    for (size_t i = 0; i < y->n_flavors; i++) sum += y->flavors[i].units * y->flavors[i].rating.n;
    return sum;
}

/* The least ceiling on compute that holds for a tenant, whatever it is; else a twentieth of the pool. */
static int64_t usual_most(const struct policy *y) {
    int64_t most = 0;
    for (size_t i = 0; i < y->n_ceilings; i++)
        if (y->ceilings[i].has_compute && (most == 0 || y->ceilings[i].compute.n < most))
            most = y->ceilings[i].compute.n;
    return most ? most : pool_compute(y) / 20;
}

/* A rated flavor, each as likely as its part of the pool. */
static const struct flavor *some_flavor(struct made *m) {
    const struct policy *y = m->o.policy;
    int64_t all = pool_compute(y);
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

/* A server, or some of them, of what the flavor is lent in; in a call mostly the largest. */
static void put_compute(struct made *m, bool in_call, int64_t room) {
    const struct flavor *f = some_flavor(m);
    struct text *out = &m->out->events;
    m->asked = 0;
    for (int tries = 0; f && tries < 8 && f->rating.n > room; tries++) f = some_flavor(m);
    if (!f) return;
    int64_t most = room / (f->rating.n > 0 ? f->rating.n : 1), one = f->n_sizes ? f->sizes[0] : 1;
    size_t k = f->n_sizes ? (size_t)rng_below(&m->rng, (int64_t)f->n_sizes) : 0;
    if (f->n_sizes && rng_chance(&m->rng, in_call ? 75 : 25)) k = f->n_sizes - 1;
    int64_t units = f->n_sizes ? f->sizes[k] : 1;
    if (units > most) units = one;
    bool any = rng_chance(&m->rng, 40),
         has_minimum = rng_chance(&m->rng, 60) && (units > one || (any && in_call));
    m->asked = units * f->rating.n;
    if (any && in_call) m->asked = room; /* the whole of what may be had */
    if (any)
        text_add(out, ",\"compute_gflops\":%lld", (long long)m->asked);
    else
        text_add(out, ",\"flavor\":\"%s\",\"units\":%lld", f->name.s, (long long)units);
    if (has_minimum)
        text_add(out, any ? ",\"minimum_gflops\":%lld" : ",\"minimum_units\":%lld",
                 (long long)(any ? one * f->rating.n : one));
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

static void put_number(struct text *out, const char *key, int64_t n) {
    text_add(out, ",\"%s\":%lld", key, (long long)n);
}

/* Whether it takes what is offered to it meanwhile, and how long it wants what it gets: about as long as
   until its next request. The seconds that this comes to. */
static int64_t put_wishes(struct made *m, bool in_call) {
    struct text *out = &m->out->events;
    int64_t term = m->o.policy->n_leases && m->o.policy->leases[0].term.s ? m->o.policy->leases[0].term.s
                                                                          : 90 * CLOCK_DAY;
    int64_t keeps = m->usual + rng_below(&m->rng, m->usual * 2 + 1);
    if (in_call) keeps *= 2;
    int64_t renews = keeps > term ? keeps / term : 0;
    if (renews)
        text_add(out, ",\"renews\":%lld", (long long)renews);
    else
        text_add(out, ",\"keeps_seconds\":%lld", (long long)(keeps > CLOCK_DAY ? keeps : CLOCK_DAY));
    if (!in_call && rng_chance(&m->rng, 60))
        put_number(out, "accepts_seconds", (6 + rng_below(&m->rng, 60)) * 3600);
    if (rng_chance(&m->rng, 95)) put_number(out, "waits_seconds", (30 + rng_below(&m->rng, 90)) * CLOCK_DAY);
    put_number(out, "storage_bytes", (1 + rng_below(&m->rng, 40)) * INT64_C(250000000000));
    return renews ? term * (1 + renews) : keeps;
}

static void put_event(struct made *m, instant_t at, const char *event, int64_t request) {
    put_at(&m->out->events, at, event);
    text_add(&m->out->events, ",\"request\":\"r-%lld\"}\n", (long long)request);
}

static bool needs_agreement(const struct policy *y) {
    for (size_t i = 0; i < y->n_leases; i++)
        if (y->leases[i].agreement) return true;
    return false;
}

/* What people do about a request after it: they approve it if it was held, sign, decline, or give back early.
   decided: when it comes to be decided. */
static void acts_make(struct made *m, int64_t id, size_t tenant, instant_t decided, bool in_call) {
    if (m->is_general[tenant])
        put_event(m, instant(decided.s + (1 + rng_below(&m->rng, 6)) * CLOCK_DAY),
                  rng_chance(&m->rng, 80) ? "approve" : "refuse", id);
    if (needs_agreement(m->o.policy) && rng_chance(&m->rng, 92))
        put_event(m, instant(decided.s + (2 + rng_below(&m->rng, SIGN_DAYS - 2)) * CLOCK_DAY), "agree", id);
    if (in_call && rng_chance(&m->rng, 3))
        put_event(m, instant(decided.s + (2 + rng_below(&m->rng, 20)) * CLOCK_DAY), "decline", id);
    if (!in_call && rng_chance(&m->rng, 15))
        put_event(m, instant(decided.s + (20 + rng_below(&m->rng, 200)) * CLOCK_DAY), "release", id);
}

/* Something else instead of what it has: it may be as much again. */
static int64_t swap_make(struct made *m, size_t tenant, instant_t at) {
    if (!m->last[tenant] || at.s >= m->until[tenant] || !rng_chance(&m->rng, 6)) return 0;
    text_add(&m->out->events, ",\"replaces\":\"r-%lld\"", (long long)m->last[tenant]);
    return smaller(m->last_asked[tenant], m->busy[tenant]);
}

static void request_make(struct made *m, instant_t at, size_t tenant, const char *call) {
    struct text *out = &m->out->events;
    int64_t id = ++m->requests;
    put_at(out, at, "request");
    text_add(out, ",\"id\":\"r-%lld\",\"tenant\":\"%s\"", (long long)id, m->names[tenant]);
    if (call) text_add(out, ",\"call\":\"%s\"", call);
    int64_t most = usual_most(m->o.policy);
    if (at.s >= m->until[tenant]) m->busy[tenant] = 0;
    if (!call) m->busy[tenant] -= swap_make(m, tenant, at);
    put_compute(m, call != NULL, most - m->busy[tenant] > 0 ? most - m->busy[tenant] : most);
    int64_t until = at.s + put_wishes(m, call != NULL);
    put_attributes(m);
    text_add(out, "}\n");
    m->busy[tenant] += m->asked;
    if (until > m->until[tenant]) m->until[tenant] = until;
    acts_make(m, id, tenant, call ? instant(m->o.from.s + AWARD_DAY * CLOCK_DAY) : at, call != NULL);
    if (call) return;
    m->last[tenant] = id;
    m->last_asked[tenant] = m->asked;
}

/* All apply within three weeks; the award follows on the thirtieth day, by a score that is random here. Part
   of the pool is kept for those who come later. */
static int64_t call_make(struct made *m) {
    size_t n = (size_t)m->o.tenants;
    instant_t award = instant(m->o.from.s + AWARD_DAY * CLOCK_DAY + 3600);
    int64_t share = pool_compute(m->o.policy) / 100 * CALL_PERCENT;
    put_at(&m->out->events, m->o.from, "call");
    text_add(&m->out->events, ",\"call\":\"first\",\"compute_gflops\":%lld}\n", (long long)share);
    scoped_free size_t *order = mem_alloc((n + 1) * sizeof *order);
    for (size_t i = 0; i < n; i++) {
        size_t k = (size_t)rng_below(&m->rng, (int64_t)i + 1);
        order[i] = order[k];
        order[k] = i;
        instant_t at = instant(m->o.from.s + 9 * 3600 + rng_below(&m->rng, 21 * CLOCK_DAY - 9 * 3600));
        request_make(m, at, i, "first");
    }
    put_at(&m->out->events, award, "award");
    if (needs_agreement(m->o.policy))
        text_add(&m->out->events, ",\"sign_by\":\"%s\"",
                 instant_text(instant(award.s + SIGN_DAYS * CLOCK_DAY)).s);
    text_add(&m->out->events, ",\"call\":\"first\",\"order\":[");
    for (size_t i = 0; i < n; i++) text_add(&m->out->events, "%s\"r-%zu\"", i ? "," : "", order[i] + 1);
    text_add(&m->out->events, "]}\n");
    return (int64_t)n + 2;
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

/* Whoever holds about its ceiling asks for nothing more, or seldom. */
static bool is_full(const struct made *m, size_t tenant, instant_t at) {
    if (m->is_hopeless[tenant]) return true;
    return at.s < m->until[tenant] && m->busy[tenant] * 4 > 3 * usual_most(m->o.policy);
}

void generate(const struct generate_options *o, struct population *out) {
    struct made m = {.o = *o, .out = out, .rng = {o->seed}};
    size_t n = (size_t)o->tenants;
    *out = (struct population){0};
    m.names = mem_alloc((n + 1) * sizeof *m.names);
    m.is_general = mem_alloc((n + 1) * sizeof *m.is_general);
    m.moving = mem_alloc((n + 1) * sizeof *m.moving);
    m.base = mem_alloc((n + 1) * sizeof *m.base);
    m.is_hopeless = mem_alloc((n + 1) * sizeof *m.is_hopeless);
    m.busy = mem_alloc((n + 1) * sizeof *m.busy);
    m.until = mem_alloc((n + 1) * sizeof *m.until);
    m.last = mem_alloc((n + 1) * sizeof *m.last);
    m.last_asked = mem_alloc((n + 1) * sizeof *m.last_asked);
    tenants_make(&m);
    int64_t requests = o->events > 2 * o->tenants ? (o->events - o->tenants) * 10 / 13 : o->tenants;
    m.usual = (int64_t)((wide_t)o->days * CLOCK_DAY * o->tenants / requests);
    int64_t lines = call_make(&m), first = (AWARD_DAY + 1) * CLOCK_DAY, length = o->days * CLOCK_DAY - first;
    int64_t count = length > 0 && o->events > lines ? (o->events - lines) * 10 / 13 : 0; /* 1.3 lines each */
    for (int64_t k = 0; k < count; k++) { /* spread evenly, in order of time */
        instant_t at =
            instant(o->from.s + first + length / count * k + rng_below(&m.rng, length / count + 1));
        size_t tenant = (size_t)rng_below(&m.rng, o->tenants);
        for (int tries = 0; tries < 20 && is_full(&m, tenant, at); tries++)
            tenant = (size_t)rng_below(&m.rng, o->tenants);
        if (!is_full(&m, tenant, at) || rng_chance(&m.rng, 40)) request_make(&m, at, tenant, NULL);
    }
    usage_make(&m);
    free(m.names);
    free(m.is_general);
    free(m.moving);
    free(m.base);
    free(m.is_hopeless);
    free(m.busy);
    free(m.until);
    free(m.last);
    free(m.last_asked);
}

void population_free(struct population *p) {
    text_free(&p->tenants);
    text_free(&p->events);
    text_free(&p->usage);
}
