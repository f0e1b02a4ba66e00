/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants and use: two CSV files. The events are in world_events.c. */
#include "policies/world.h"

#include "alloc/csv.h"
#include "policies/syntax.h"
#include "policies/world_read.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "attr:"
static const char *const prefixes[] = {PREFIX, NULL};

void world_free(struct world *w) {
    for (size_t i = 0; i < w->n_tenants; i++) free(w->tenants[i].dated);
    free(w->tenants);
    free(w->requests);
    free(w->events);
    free(w->uses);
    json_decref(w->tenant_index);
    json_decref(w->request_index);
    json_decref(w->call_index);
    keep_end(&w->memory);
    *w = (struct world){0};
}

bool index_find(const json_t *index, const char *name, size_t *at) {
    const json_t *place = index ? json_object_get(index, name) : NULL;
    if (place) *at = (size_t)json_integer_value(place);
    return place != NULL;
}

void index_put(json_t **index, const char *name, size_t at) {
    if (!*index) *index = json_object();
    json_object_set_new_nocheck(*index, name, json_integer((json_int_t)at));
}

static int attr_cmp(const void *a, const void *b) {
    return strcmp(((const struct fact_attr *)a)->name, ((const struct fact_attr *)b)->name);
}

void attrs_sort(struct fact_attr *attrs, size_t n) { qsort(attrs, n, sizeof *attrs, attr_cmp); }

/* ---- tenants ---- */

/* Places of the tenants by name: kept in the index until all are read. */
static struct world_tenant *tenant_of(struct world *w, const struct csv *csv, struct err *e) {
    const char *name = csv_get(csv, "name"), *registration = csv_get(csv, "registration"),
               *organisation = csv_get(csv, "organisation");
    const char *owner = registration && *registration   ? registration
                        : organisation && *organisation ? organisation
                                                        : name;
    size_t at;
    if (!*name || strlen(name) > 64 || !text_is_printable(name) || strchr(name, ' ')) {
        csv_fail(csv, e, "'%.80s' is not a name of a tenant", name);
        return NULL;
    }
    if (!text_is_printable(owner) || strlen(owner) > 200) {
        csv_fail(csv, e, "'%.80s' is not a name of an organisation", owner);
        return NULL;
    }
    if (index_find(w->tenant_index, name, &at)) {
        if (strcmp(w->tenants[at].organisation, owner) == 0) return &w->tenants[at];
        csv_fail(csv, e, "tenant '%s' belonged to '%s' before and now to '%s'", name,
                 w->tenants[at].organisation, owner);
        return NULL;
    }
    if (w->n_tenants == WORLD_TENANTS_MOST) {
        csv_fail(csv, e, "more than %d tenants", WORLD_TENANTS_MOST);
        return NULL;
    }
    w->tenants = mem_grow(w->tenants, &w->tenants_room, w->n_tenants + 1, sizeof *w->tenants);
    struct world_tenant *t = &w->tenants[w->n_tenants];
    t->name = keep_text(&w->memory, name);
    t->organisation = keep_text(&w->memory, owner);
    index_put(&w->tenant_index, name, w->n_tenants++);
    return t;
}

/* A date means its beginning here: from that day on. */
static int from_read(const struct csv *csv, instant_t *out, struct err *e) {
    const char *text = csv_get(csv, "from");
    *out = instant(INSTANT_LEAST);
    if (!text || !*text) return 0;
    if (instant_or_date_parse(text, out, e) < 0) return err_context(e, "%s:%zu: from", csv->title, csv->line);
    if (strlen(text) == strlen("2027-01-01")) out->s -= CLOCK_DAY;
    return 0;
}

static int tenant_row(struct world *w, const struct csv *csv, struct err *e) {
    struct world_tenant *t = tenant_of(w, csv, e);
    instant_t from;
    if (!t || from_read(csv, &from, e) < 0) return -1;
    struct fact_attr *attrs = keep_add(&w->memory, mem_alloc((csv->n_columns + 1) * sizeof *attrs));
    size_t n = 0, at = t->n_dated;
    for (size_t i = 0; i < csv->n_columns; i++) {
        if (strncmp(csv->names[i], PREFIX, strlen(PREFIX)) != 0 || !*csv->fields[i]) continue;
        if (!text_is_printable(csv->fields[i]))
            return csv_fail(csv, e, "%s holds control characters", csv->names[i]);
        attrs[n++] = (struct fact_attr){keep_text(&w->memory, csv->names[i] + strlen(PREFIX)),
                                        keep_text(&w->memory, csv->fields[i])};
    }
    attrs_sort(attrs, n);
    t->dated = mem_grow(t->dated, &t->room, t->n_dated + 1, sizeof *t->dated);
    for (; at > 0 && t->dated[at - 1].from.s >= from.s; at--) {
        if (t->dated[at - 1].from.s == from.s)
            return csv_fail(csv, e, "tenant '%s' stands twice from the same time on", t->name);
        t->dated[at] = t->dated[at - 1];
    }
    t->dated[at] = (struct world_attrs){from, attrs, n};
    t->n_dated++;
    return 0;
}

static int tenant_cmp(const void *a, const void *b) {
    return strcmp(((const struct world_tenant *)a)->name, ((const struct world_tenant *)b)->name);
}

int world_read_tenants(struct world *w, const char *bytes, size_t length, const char *title, struct err *e) {
    static const char *const known[] = {"name",    "organisation", "registration", "language",
                                        "contact", "keys",         "from",         NULL};
    struct csv csv = {0};
    int rc = csv_open(&csv, bytes, length, title, e);
    if (rc == 0 && (rc = csv_match(&csv, known, prefixes, e)) < 0)
        err_hint(e, "columns are name, organisation, registration, from and attr:NAME");
    bool has_name = false;
    for (size_t i = 0; rc == 0 && i < csv.n_columns; i++) has_name |= strcmp(csv.names[i], "name") == 0;
    if (rc == 0 && !has_name) rc = err_set(e, ERR_USAGE, "%s:1: the column 'name' is missing", title);
    while (rc == 0 && (rc = csv_next(&csv, e)) == 1) rc = tenant_row(w, &csv, e);
    csv_close(&csv);
    if (rc < 0) return -1;
    qsort(w->tenants, w->n_tenants, sizeof *w->tenants, tenant_cmp);
    for (size_t i = 0; i < w->n_tenants; i++) index_put(&w->tenant_index, w->tenants[i].name, i);
    return 0;
}

/* ---- use ---- */

static int metric_of(struct world *w, const struct csv *csv, size_t *out, struct err *e) {
    const char *name = csv_get(csv, "metric");
    for (*out = 0; *out < w->n_metrics; ++*out)
        if (strcmp(w->metrics[*out], name) == 0) return 0;
    if (!*name || strlen(name) > 64 || !text_is_printable(name))
        return csv_fail(csv, e, "'%.80s' is not a metric", name);
    if (w->n_metrics == WORLD_METRICS_MOST)
        return csv_fail(csv, e, "more than %d metrics", WORLD_METRICS_MOST);
    w->metrics[w->n_metrics++] = keep_text(&w->memory, name);
    return 0;
}

static int use_row(struct world *w, const struct csv *csv, struct err *e) {
    struct world_use use = {0};
    instant_t end;
    long long percent;
    if (date_parse(csv_get(csv, "date"), &end, e) < 0)
        return err_context(e, "%s:%zu: date", csv->title, csv->line);
    if (!index_find(w->tenant_index, csv_get(csv, "tenant"), &use.tenant))
        return csv_fail(csv, e, "there is no tenant '%.80s'", csv_get(csv, "tenant"));
    if (metric_of(w, csv, &use.metric, e) < 0) return -1;
    if (text_to_int(csv_get(csv, "percent"), 0, 100, &percent) < 0)
        return csv_fail(csv, e, "percent: '%.40s' is not a whole number from 0 to 100",
                        csv_get(csv, "percent"));
    use.day = day_number(instant(end.s - 1));
    use.percent = percent;
    w->uses = mem_grow(w->uses, &w->uses_room, w->n_uses + 1, sizeof *w->uses);
    w->uses[w->n_uses++] = use;
    return 0;
}

static int use_cmp(const void *a, const void *b) {
    const struct world_use *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    if (x->tenant != y->tenant) return x->tenant < y->tenant ? -1 : 1;
    return (x->metric > y->metric) - (x->metric < y->metric);
}

/* By name, so that the numbers of metrics do not depend on the order of the file. */
static void metrics_sort(struct world *w) {
    size_t place[WORLD_METRICS_MOST];
    const char *sorted[WORLD_METRICS_MOST];
    for (size_t i = 0; i < w->n_metrics; i++) {
        place[i] = 0;
        for (size_t k = 0; k < w->n_metrics; k++) place[i] += strcmp(w->metrics[k], w->metrics[i]) < 0;
        sorted[place[i]] = w->metrics[i];
    }
    if (w->n_metrics) memcpy(w->metrics, sorted, w->n_metrics * sizeof *sorted);
    for (size_t i = 0; i < w->n_uses; i++) w->uses[i].metric = place[w->uses[i].metric];
}

int world_read_usage(struct world *w, const char *bytes, size_t length, const char *title, struct err *e) {
    static const char *const known[] = {"date", "tenant", "metric", "percent", NULL};
    struct csv csv = {0};
    int rc = csv_open(&csv, bytes, length, title, e);
    if (rc == 0) rc = csv_match(&csv, known, NULL, e);
    if (rc == 0 && csv.n_columns != 4)
        rc = err_set(e, ERR_USAGE, "%s:1: the columns are date, tenant, metric, percent", title);
    while (rc == 0 && (rc = csv_next(&csv, e)) == 1) rc = use_row(w, &csv, e);
    csv_close(&csv);
    if (rc < 0) return -1;
    metrics_sort(w);
    if (w->n_uses) qsort(w->uses, w->n_uses, sizeof *w->uses, use_cmp);
    for (size_t i = 1; i < w->n_uses; i++)
        if (use_cmp(&w->uses[i - 1], &w->uses[i]) == 0)
            return err_set(e, ERR_USAGE, "%s: %s of tenant '%s' on %s stands twice", title,
                           w->metrics[w->uses[i].metric], w->tenants[w->uses[i].tenant].name,
                           date_text(instant(w->uses[i].day * CLOCK_DAY)).s);
    return 0;
}
